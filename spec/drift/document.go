package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

type object = map[string]any

// A contract is the set of specs that the vendor's are compared with. Tests have one of their own, so that they do not
// depend on the current facts.
type contract struct {
	files      fs.FS
	models     []*spec.Document
	generation *spec.Document
}

func current() *contract {
	return &contract{files: spec.Files, models: spec.Models(), generation: spec.Generation()}
}

// load parses a spec. The only $ref to another file that it follows is generation.yaml, which copies of our own specs
// have; it takes that one from this program.
func (c *contract) load(data []byte) (object, error) {
	loader := openapi3.NewLoader()
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		if location.String() != "generation.yaml" {
			return nil, fmt.Errorf("it refers to %s, and only generation.yaml is read", location)
		}
		return fs.ReadFile(c.files, "generation.yaml")
	}
	doc, err := loader.LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("invalid OpenAPI: %s", strings.TrimPrefix(err.Error(), "failed to unmarshal data: "))
	}
	return c.expand(doc), nil
}

// expand returns a spec as decoded JSON without references: their targets take their places, with the reference as "$ref".
// Schemas are in normal form.
func (c *contract) expand(doc *openapi3.T) object {
	var root, shared object
	_ = json.Unmarshal([]byte(encode(doc)), &root)
	local := strings.ReplaceAll(encode(c.generation.OpenAPI), `"$ref":"#/`, `"$ref":"generation.yaml#/`)
	_ = json.Unmarshal([]byte(local), &shared)
	e := expansion{"": root, "generation.yaml": shared}
	all := maps.Clone(root)
	all["paths"], all["components"] = e.expand(root["paths"], ""), object{"securitySchemes": e.expand(in(root, "components")["securitySchemes"], "")}
	return all
}

// An expansion has the files that references lead into.
type expansion map[string]object

// expand expands a value that a member of that name holds. refs are the references around it.
func (e expansion) expand(value any, name string, refs ...string) any {
	all := object{}
	switch v := value.(type) {
	default:
		return value
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = e.expand(v[i], name, refs...)
		}
		return list
	case object:
		if ref, isRef := v["$ref"].(string); isRef {
			const most = 3 // times that a schema contains itself
			if again := slices.DeleteFunc(slices.Clone(refs), func(r string) bool { return r != ref }); len(again) > most {
				return nil
			}
			file, pointer, _ := strings.Cut(ref, "#")
			return objectWith(e.expand(valueAt(e[file], pointer), name, append(slices.Clip(refs), ref)...), "$ref", ref)
		}
		for key, member := range v {
			inner := key
			if name == "properties" {
				inner = "schema"
			}
			if member = e.expand(member, inner, refs...); member != nil {
				all[key] = member
			}
		}
	}
	if slices.Contains([]string{"schema", "items", "allOf", "oneOf", "anyOf"}, name) {
		return normalSchema(all)
	}
	return all
}

func valueAt(value any, pointer string) any {
	for _, step := range strings.Split(pointer, "/")[1:] {
		value = objectOf(value)[unescape.Replace(step)]
	}
	return value
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func objectOf(value any) object {
	o, _ := value.(object)
	return o
}

func objectWith(value any, key string, member any) object {
	o := object{}
	maps.Copy(o, objectOf(value))
	o[key] = member
	return o
}

// in returns the object below another one.
func in(value any, steps ...string) object {
	o := objectOf(value)
	for _, step := range steps {
		o = objectOf(o[step])
	}
	return o
}

// plain returns a text as it is, and anything else as JSON.
func plain(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return encode(value)
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}
