package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

func TestKnownButGone(t *testing.T) {
	list := write(t, "known.yaml", []byte(`
differences:
  - {pointer: /components/schemas/Request/properties/num_frames/maximum, ours: 241, theirs: 161, reason: "because"}
  - {pointer: /components/schemas/Request/properties/shift/maximum, models: [waltz], ours: 10, reason: "not looked at"}
`))
	lines, _, code := drift(t, "--known", list, "testdata/vendor.json")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "new ") })
	equal(t, lines, []string{"gone compatible dance dance.yaml#/components/schemas/Request/properties/num_frames/maximum: " +
		"ours 241, theirs 161: listed as known, but it isn't there: look what they say now, and edit known.yaml (because)"})
	if code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
}

// Every entry of the list that is built in fits our documents, whatever they say by now.
func TestBuiltInList(t *testing.T) {
	list, err := readKnown("")
	if err != nil {
		t.Fatal(err)
	}
	documents := map[string]any{}
	for _, d := range append(spec.Models(), spec.Generation()) {
		data, _ := d.OpenAPI.MarshalJSON()
		var decoded any
		if err := json.Unmarshal(data, &decoded); err != nil {
			t.Fatal(err)
		}
		documents[d.Slug] = decoded
	}
	for _, misfit := range misfits(list, documents) {
		t.Error(misfit)
	}
}

func TestMisfits(t *testing.T) {
	documents := map[string]any{
		"dance": object{"components": object{"schemas": object{"Request": object{"properties": object{
			"shift": object{"type": "number", "maximum": 10.0}, "resolution": object{"enum": []any{"480p"}}}}}}},
		"generation": object{"components": object{
			"schemas":    object{"Error": object{"properties": object{"message": object{}}}},
			"parameters": object{"GenerationID": object{"name": "generation_id"}}}},
	}
	const request = "/components/schemas/Request/properties/"
	dance := []string{"dance"}
	difference := func(models []string, pointer string, ours, theirs any) *known {
		return &known{Differences: []difference{{Models: models, Pointer: pointer, Ours: ours, Theirs: theirs}}}
	}
	noted := func(slug, name, sum string) *known {
		return &known{Texts: map[string]map[string]string{slug: {name: sum}}}
	}
	tests := []struct {
		name string
		list *known
		want string
	}{
		{"a keyword", difference(dance, request+"shift/maximum", 10.0, nil), ""},
		{"another value", difference(dance, request+"shift/maximum", 9.0, nil), "dance.yaml doesn't say 9 at " + request + "shift/maximum"},
		{"a keyword of theirs", difference(dance, request+"shift/minimum", nil, 1.0), ""},
		{"a keyword that isn't there", difference(dance, request+"shift/minimum", 1.0, nil), "dance.yaml has nothing at " + request + "shift/minimum"},
		{"a property of theirs", difference(nil, request+"mask", nil, object{}), ""},
		{"a property", difference(dance, request+"shift", object{"type": "number"}, nil), ""},
		{"a value of an enum", difference(dance, request+"resolution/enum", "480p", nil), ""},
		{"no value of an enum", difference(dance, request+"resolution/enum", "580p", nil), `dance.yaml doesn't say "580p" at ` + request + "resolution/enum"},
		{"in the shared document", difference(dance, "/components/schemas/Error/properties/message/type", nil, "string"), ""},
		{"nowhere", difference(nil, "/components/nowhere/x", nil, 1.0), "no document has the place of /components/nowhere/x"},
		{"a model that we don't have", difference([]string{"waltz"}, request+"shift", nil, 1.0), "waltz.yaml has no place for " + request + "shift"},
		{"a text", noted("dance", "shift", "01234567"), ""},
		{"a parameter's text", noted("generation", "generation_id", "01234567"), ""},
		{"a text of an error", noted("generation", "message", "01234567"), ""},
		{"a text of nothing", noted("dance", "mask", "01234567"), "dance.yaml has no mask"},
		{"half a fingerprint", noted("dance", "shift", "0123"), `dance.yaml: shift has the fingerprint "0123"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(misfits(test.list, documents), "\n"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// misfits tells which entries are about nothing that the documents have: a place that they say something else at, or,
// for what only the vendor has, one that isn't even in something of ours; and texts of no property.
func misfits(list *known, documents map[string]any) (all []string) {
	for _, d := range list.Differences {
		models := d.Models
		if models == nil {
			models = slices.Sorted(maps.Keys(documents))
		}
		var wrong []string
		for _, model := range models {
			if misfit := d.misfit(model, documents); misfit != "" {
				wrong = append(wrong, misfit)
			}
		}
		switch {
		case len(d.Models) > 0:
			all = append(all, wrong...)
		case len(wrong) == len(models):
			all = append(all, "no document has the place of "+d.Pointer)
		}
	}
	for _, slug := range slices.Sorted(maps.Keys(list.Texts)) {
		for _, name := range slices.Sorted(maps.Keys(list.Texts[slug])) {
			if !describes(documents[slug], name) {
				all = append(all, slug+".yaml has no "+name)
			}
			if sum := list.Texts[slug][name]; len(sum) != 8 {
				all = append(all, slug+".yaml: "+name+` has the fingerprint "`+sum+`"`)
			}
		}
	}
	return all
}

// misfit says why the entry doesn't fit the model's document, nor the shared one.
func (d difference) misfit(model string, documents map[string]any) string {
	var reason string
	for _, document := range []string{"generation", model} { // the model's own has the last word
		parent, _ := resolve(documents[document], d.Pointer[:strings.LastIndex(d.Pointer, "/")])
		value, ok := resolve(documents[document], d.Pointer)
		switch {
		case d.Ours == nil && parent != nil, ok && says(value, d.Ours):
			return ""
		case d.Ours == nil:
			reason = model + ".yaml has no place for " + d.Pointer
		case !ok:
			reason = model + ".yaml has nothing at " + d.Pointer
		default:
			reason = model + ".yaml doesn't say " + encode(d.Ours) + " at " + d.Pointer
		}
	}
	return reason
}

// says reports whether the value is what a finding calls ours: the value itself, one of an enum, the keywords of a
// property, or a name for a larger thing.
func says(value, ours any) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(v any) bool { return reflect.DeepEqual(v, ours) || says(v, ours) })
	case object:
		keywords, ok := ours.(object)
		for keyword := range keywords {
			if !reflect.DeepEqual(value[keyword], keywords[keyword]) {
				return false
			}
		}
		_, named := ours.(string)
		return ok || named
	}
	return reflect.DeepEqual(value, ours)
}

// describes reports whether a schema or a parameter of the document has the name.
func describes(document any, name string) bool {
	schemas, _ := resolve(document, "/components/schemas")
	for schema := range asObject(schemas) {
		if _, ok := resolve(schemas, "/"+schema+"/properties/"+strings.ReplaceAll(name, ".", "/properties/")); ok {
			return true
		}
	}
	parameters, _ := resolve(document, "/components/parameters")
	for _, parameter := range asObject(parameters) {
		if asObject(parameter)["name"] == name {
			return true
		}
	}
	return false
}

func asObject(value any) object {
	o, _ := value.(object)
	return o
}

func resolve(value any, pointer string) (any, bool) {
	ok := true
	for _, step := range strings.Split(pointer, "/")[1:] {
		value, ok = asObject(value)[strings.NewReplacer("~1", "/", "~0", "~").Replace(step)]
	}
	return value, ok
}
