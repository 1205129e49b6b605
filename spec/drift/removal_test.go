package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/spec"
)

// Removing any one keyword or property from a copy of our specs is reported at that place and nowhere else.
func TestNothingGoesUnnoticed(t *testing.T) {
	ours := current()
	largest := slices.MaxFunc(ours.models, func(a, b *spec.Document) int { return len(a.Properties()) - len(b.Properties()) })
	for _, d := range []*spec.Document{largest, ours.generation} {
		tried := 0
		data, err := spec.Files.ReadFile(d.Slug + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var document object
		if err := yaml.Unmarshal(data, &document); err != nil {
			t.Fatal(err)
		}
		find := func() (places []string) {
			data, err := json.Marshal(document)
			if err != nil {
				t.Fatal(err)
			}
			loaded, err := ours.load(data)
			if err != nil {
				t.Fatalf("%s: %v", d.Slug, err)
			}
			operations, _ := ours.operations(loaded)
			for _, o := range operations {
				c := &comparison{operation: o}
				c.compare()
				for _, f := range c.findings {
					places = append(places, f.Pointer)
				}
			}
			slices.Sort(places)
			return slices.Compact(places) // an enum has one finding for each value
		}
		schemas := at(document, "components", "schemas")
		for _, name := range []string{"Request", "Generation", "Status"} {
			if schemas[name] == nil {
				continue
			}
			root := place{pointer: "/components/schemas/" + name}
			eachMember(schemas[name].(object), root, func(o object, key string, p place) {
				switch {
				case ignored[key], strings.HasPrefix(key, "x-"), key == "type" && o["enum"] != nil: // an enum needs no type
					return
				case p == root.down("properties", "model"), p == root.down("properties", "model", "enum"):
					return // the model is recognized by these
				}
				tried++
				value := o[key]
				delete(o, key)
				places := find()
				expected := p.pointer
				if ref, ok := value.(string); ok && key == "$ref" {
					expected = p.follow(ref).pointer
				}
				if len(places) == 0 || slices.ContainsFunc(places, func(place string) bool { return !strings.HasPrefix(place, expected) }) {
					t.Errorf("%s without %s: reported are %q", d.Slug, p.pointer, places)
				}
				o[key] = value
			})
		}
		if places := find(); places != nil {
			t.Errorf("%s: the test left traces: %q", d.Slug, places)
		}
		if tried < 20 {
			t.Errorf("%s: only %d keywords and properties were taken out", d.Slug, tried)
		}
	}
}

// ignored keywords say nothing to a caller; required is another test's.
var ignored = map[string]bool{"example": true, "required": true, "properties": true}

// eachMember visits the keywords of a schema and of its properties.
func eachMember(schema object, p place, visit func(o object, key string, p place)) {
	for _, key := range slices.Sorted(maps.Keys(schema)) {
		visit(schema, key, p.down(key))
	}
	properties, _ := schema["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		here := p.down("properties", name)
		visit(properties, name, here)
		eachMember(properties[name].(object), here, visit)
	}
}

// A spec with anything in any place is compared or is an error: the vendor's are slightly invalid.
func TestDamagedSpecs(t *testing.T) {
	junk := []any{
		nil, "x", 7.0, true, []any{}, []any{nil}, object{}, object{"a": nil}, object{"$ref": "#/paths"},
		object{"allOf": []any{nil, object{"type": "string"}}}, object{"type": []any{"null", "string"}},
	}
	for seed := range uint64(150) {
		d, random := newVendor(t), rand.New(rand.NewPCG(seed, 0))
		var replace []func(any)
		var visit func(value any)
		visit = func(value any) {
			switch v := value.(type) {
			case object:
				for _, key := range slices.Sorted(maps.Keys(v)) {
					replace = append(replace, func(n any) { v[key] = n })
					visit(v[key])
				}
			case []any:
				for i := range v {
					replace = append(replace, func(n any) { v[i] = n })
					visit(v[i])
				}
			}
		}
		visit(d.doc)
		for range 1 + random.IntN(3) {
			replace[random.IntN(len(replace))](junk[random.IntN(len(junk))])
		}
		if _, stderr, code := drift(t, write(t, "vendor.json", []byte(encode(d.doc)))); code == 2 && stderr == "" {
			t.Errorf("%d: exit status 2 without a word", seed)
		}
	}
}
