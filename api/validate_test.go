package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/validate"
)

// A wrong value violates one rule of a property.
type wrong struct {
	rule    string
	value   any // nil: the property is missing
	allowed any // the next value that is allowed
}

// wrongValues returns a value for each rule of a property that Validate checks.
func wrongValues(p spec.Property) (list []wrong) {
	s := p.Schema
	text := func(n uint64) string { return strings.Repeat("é", int(n)) }
	items := func(n uint64) []any { return slices.Repeat([]any{"https://example.com/a.png"}, int(n)) }
	if p.Required {
		list = append(list, wrong{"required", nil, s.Example})
	}
	if len(s.Enum) > 0 {
		list = append(list, wrong{"enum", fmt.Sprint(s.Enum[0]) + "x", s.Enum[0]})
	}
	step := 1.0
	if s.Type.Is(openapi3.TypeNumber) {
		step = 1e-6
	}
	if s.Min != nil {
		list = append(list, wrong{"minimum", *s.Min - step, *s.Min})
	}
	if s.Max != nil {
		list = append(list, wrong{"maximum", *s.Max + step, *s.Max})
	}
	if s.MinLength > 1 {
		list = append(list, wrong{"minLength", text(s.MinLength - 1), text(s.MinLength)})
	}
	if s.MaxLength != nil {
		list = append(list, wrong{"maxLength", text(*s.MaxLength + 1), text(*s.MaxLength)})
	}
	if s.MinItems > 0 {
		list = append(list, wrong{"minItems", items(s.MinItems - 1), items(s.MinItems)})
	}
	if s.MaxItems != nil {
		list = append(list, wrong{"maxItems", items(*s.MaxItems + 1), items(*s.MaxItems)})
	}
	return list
}

// Validate knows every rule of every spec: it rejects a violation alone and with all others, and nothing else.
func TestValidateKnowsTheSpecs(t *testing.T) {
	tried := 0
	for _, d := range spec.Models() {
		examples := d.Operation.RequestBody.Value.Content["application/json"].Examples
		full := examples["full"].Value.Value.(map[string]any)
		everything := maps.Clone(full)
		var rules []string
		for _, p := range d.Properties() {
			for _, w := range wrongValues(p) {
				tried++
				body := maps.Clone(full)
				body[p.Name] = w.allowed
				if findings := violations(t, d, body); findings != nil {
					t.Errorf("%s: %s of %v is rejected: %v", d.Slug, p.Name, w.allowed, findings)
				}
				body[p.Name] = w.value
				findings := violations(t, d, body)
				if len(findings) != 1 || findings[0].Property != p.Name || findings[0].Rule != w.rule {
					t.Errorf("%s: %s of %v, want one violation of %s, found %v", d.Slug, p.Name, w.value, w.rule, findings)
				}
				everything[p.Name] = w.value
				if i := len(rules) - 1; i < 0 || !strings.HasPrefix(rules[i], p.Name+" ") {
					rules = append(rules, p.Name+" "+w.rule)
				} else {
					rules[i] = p.Name + " " + w.rule
				}
			}
		}
		for name, example := range examples {
			if findings := violations(t, d, example.Value.Value.(map[string]any)); findings != nil {
				t.Errorf("%s: the example %s is rejected: %v", d.Slug, name, findings)
			}
		}
		var got []string
		for _, f := range violations(t, d, everything) {
			got = append(got, f.Property+" "+f.Rule)
		}
		slices.Sort(rules)
		if slices.Sort(got); !slices.Equal(got, rules) {
			t.Errorf("%s: with everything wrong found %q, want %q", d.Slug, got, rules)
		}
	}
	if tried < 70 {
		t.Errorf("only %d violations", tried)
	}
}

// typed decodes a body into the generated request of a model. A nil member is missing.
func typed(t *testing.T, d *spec.Document, body map[string]any) any {
	t.Helper()
	body = maps.Clone(body)
	maps.DeleteFunc(body, func(_ string, value any) bool { return value == nil })
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request := reflect.New(models[d.Model])
	if err := json.Unmarshal(encoded, request.Interface()); err != nil {
		t.Fatalf("%s: %v", d.Slug, err)
	}
	return request.Elem().Interface()
}

func violations(t *testing.T, d *spec.Document, body map[string]any) []validate.Finding {
	t.Helper()
	err := typed(t, d, body).(interface{ Validate() error }).Validate()
	if err == nil {
		return nil
	}
	return err.(*ValidationError).Findings
}

// A logged request shows media by name, type and size, texts by length, and never what is in them.
func TestRequestsAreLoggedWithoutContent(t *testing.T) {
	const file, url, data = "../conformance/testdata/hero.png", "https://example.com/a.png?signature=secret", "data:image/png;base64,iVBORw0KGgosecret"
	for _, d := range spec.Models() {
		full := maps.Clone(d.Operation.RequestBody.Value.Content["application/json"].Examples["full"].Value.Value.(map[string]any))
		want := map[string]string{}
		for _, p := range d.Properties() {
			switch {
			case spec.IsMedia(p.Schema) && p.Schema.Items != nil:
				full[p.Name], want[p.Name] = []string{url, data}, "2 items"
			case p.Schema.Format == "uri":
				full[p.Name], want[p.Name] = url, "https://example.com/a.png"
			case p.Schema.Type.Is(openapi3.TypeString) && p.Schema.Enum == nil:
				full[p.Name], want[p.Name] = "a secret", "8 bytes"
			default:
				want[p.Name] = fmt.Sprint(full[p.Name])
			}
		}
		request := reflect.New(models[d.Model]).Elem()
		request.Set(reflect.ValueOf(typed(t, d, full)))
		for source, shown := range map[Source]string{
			URL(url): want["video_url"], File(file): file + " (image/png, 14007 bytes)", URL(data): "data:image/png;base64,... (17 characters)",
			Bytes([]byte("\x89PNG\r\n\x1a\nsecret")): "14 bytes (image/png)",
		} {
			request.FieldByName("VideoURL").Set(reflect.ValueOf(source))
			want["video_url"] = shown
			var text bytes.Buffer
			slog.New(slog.NewJSONHandler(&text, nil)).Info("submit", "request", request.Interface())
			var line struct{ Request map[string]any }
			if err := json.Unmarshal(text.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			for name, shown := range want {
				if got := fmt.Sprint(line.Request[name]); got != shown {
					t.Errorf("%s: %s is logged as %q, want %q", d.Slug, name, got, shown)
				}
			}
			if strings.Contains(text.String(), "secret") {
				t.Errorf("%s: %s", d.Slug, text.String())
			}
		}
	}
}
