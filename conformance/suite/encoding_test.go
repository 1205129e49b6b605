package suite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
)

// Each field of each request encodes set, zero and unset as the spec distinguishes them, and never as null.
func TestEncoding(t *testing.T) {
	for _, d := range spec.Models() {
		t.Run(d.Slug, func(t *testing.T) {
			typ := clientOf(t, d.Slug).request
			minimal := reflect.New(typ).Elem()
			for _, p := range d.Properties() {
				if p.Required {
					set(t, minimal, p)
				}
			}
			fields := 0
			for _, p := range d.Properties() {
				fields++
				e := encoding{t, d, p, minimal}
				e.set()
				e.zero()
				if !p.Required {
					e.unset()
				}
			}
			if fields != typ.NumField() {
				t.Errorf("%d properties, but %d fields", fields, typ.NumField())
			}
		})
	}
}

// field returns the field of a property.
func field(t *testing.T, request reflect.Value, name string) reflect.Value {
	t.Helper()
	for i := range request.NumField() {
		if tag, _, _ := strings.Cut(request.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return request.Field(i)
		}
	}
	t.Fatalf("no field for %s", name)
	return reflect.Value{}
}

// set sets the field to the example of the spec.
func set(t *testing.T, request reflect.Value, p spec.Property) {
	t.Helper()
	example, err := json.Marshal(p.Schema.Example)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(example, field(t, request, p.Name).Addr().Interface()); err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
}

// An encoding tests one field of one request.
type encoding struct {
	t        *testing.T
	document *spec.Document
	property spec.Property
	minimal  reflect.Value
}

// encode encodes the smallest request with the field changed, and validates it.
func (e *encoding) encode(change func(reflect.Value)) (members map[string]any, findings []conformance.Finding, err error) {
	e.t.Helper()
	request := reflect.New(e.minimal.Type()).Elem()
	request.Set(e.minimal)
	change(field(e.t, request, e.property.Name))
	body, err := json.Marshal(request.Interface())
	if err != nil {
		return nil, nil, err
	}
	if bytes.Contains(body, []byte("null")) {
		e.t.Errorf("%s: null in %s", e.property.Name, body)
	}
	_, findings = conformance.CheckSubmission(body)
	return decodeMembers(e.t, body), findings, nil
}

func (e *encoding) set() {
	e.t.Helper()
	example, _ := json.Marshal(e.property.Schema.Example)
	var want any
	_ = json.Unmarshal(example, &want)
	members, findings, err := e.encode(func(f reflect.Value) {
		if err := json.Unmarshal(example, f.Addr().Interface()); err != nil {
			e.t.Error(err)
		}
	})
	if err != nil || findings != nil || !reflect.DeepEqual(members[e.property.Name], want) {
		e.t.Errorf("%s set: %v, %v, sent %v, want %v", e.property.Name, err, findings, members[e.property.Name], want)
	}
}

func (e *encoding) unset() {
	e.t.Helper()
	members, findings, err := e.encode(func(f reflect.Value) { f.SetZero() })
	if value, ok := members[e.property.Name]; err != nil || findings != nil || ok {
		e.t.Errorf("%s unset: %v, %v, sent %v", e.property.Name, err, findings, value)
	}
}

// zero sends the zero value where the type can express it.
func (e *encoding) zero() {
	e.t.Helper()
	p := e.property
	var sent bool
	members, findings, err := e.encode(func(f reflect.Value) {
		switch {
		case f.Kind() == reflect.Pointer: // optional: unset differs from zero
			sent = true
			f.Set(reflect.New(f.Type().Elem()))
		case f.Kind() == reflect.Slice: // an empty list is unset
			f.Set(reflect.MakeSlice(f.Type(), 0, 0))
		default:
			sent = p.Required
			f.SetZero()
		}
	})
	if p.Required && p.Schema.Format == "uri" { // an unset source can't be encoded
		if err == nil {
			e.t.Errorf("%s zero: sent %v", p.Name, members[p.Name])
		}
		return
	}
	value, ok := members[p.Name]
	if err != nil || ok != sent || ok && !reflect.ValueOf(value).IsZero() {
		e.t.Errorf("%s zero: %v, sent %v %t", p.Name, err, value, ok)
	}
	allowed := !sent || len(p.Schema.Enum) == 0 && (p.Schema.Min == nil || *p.Schema.Min <= 0)
	if (findings == nil) != allowed || !allowed && (len(findings) != 1 || findings[0].Pointer != "/"+p.Name) {
		e.t.Errorf("%s zero: found %v, want it allowed: %t", p.Name, findings, allowed)
	}
}

// A list of sources is never sent as null.
func TestEncodingOfLists(t *testing.T) {
	_, err := json.Marshal(vacefunpose.Request{Model: vacefunpose.ModelID, VideoURL: api.URL("https://example.com/v"), Prompt: "p",
		ImageList: []media.Source{{}}})
	if err == nil {
		t.Error("a source that isn't set was encoded")
	}
	body, err := json.Marshal(vacefunpose.Request{Model: vacefunpose.ModelID, VideoURL: api.URL("https://example.com/v"), Prompt: "p",
		ImageList: []media.Source{api.URL("https://example.com/a"), api.URL("data:image/png;base64,AAAA")}})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(decodeMembers(t, body)["image_list"]); got != "[https://example.com/a data:image/png;base64,AAAA]" {
		t.Errorf("sent %s", got)
	}
}
