package spec

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A mutant is one small change to one spec. apply makes it and returns a function that reverts it.
type mutant struct {
	row, what string
	apply     func() (undo func())
}

// TestFactsFailForEveryMutant shows that TestFacts can fail: it finds every single change to the specs, in the right place.
// Each cell of the table is changed at least once.
func TestFactsFailForEveryMutant(t *testing.T) {
	want := expected(t)
	count := 0
	for _, document := range freshOperations(t) {
		want := maps.Clone(want)
		maps.DeleteFunc(want, func(cell, _ string) bool { return !strings.HasPrefix(cell, document.Slug+" ") })
		untouched := maps.Clone(want)
		if d := differences(want, describe(document)); d != nil {
			t.Fatalf("TestFacts fails without a mutant: %q", d)
		}
		for _, m := range mutants(document) {
			count++
			undo := m.apply()
			got := describe(document)
			found := differences(want, got)
			if !slices.ContainsFunc(found, func(d string) bool { return strings.HasPrefix(d, m.row) }) {
				t.Errorf("%s: %s isn't found; the differences are %q", m.row, m.what, found)
			}
			maps.DeleteFunc(untouched, func(cell, text string) bool { return got[cell] != text })
			undo()
		}
		if d := differences(want, describe(document)); d != nil {
			t.Errorf("mutants weren't reverted: %q", d)
		}
		for cell := range untouched {
			t.Errorf("%s: no mutant changed it", cell)
		}
	}
	t.Logf("%d mutants of %d facts", count, len(want))
	if count < 3000 {
		t.Errorf("only %d mutants", count)
	}
}

func mutants(d *Document) []mutant {
	all := operationMutants(d)
	if isAccount(d) {
		return append(all, objectMutants(d.Slug+" response.", responseOf(d))...)
	}
	if d.Slug != shared {
		return append(all, objectMutants(d.Slug+" ", d.Request())...)
	}
	for _, name := range bodies {
		schema := d.OpenAPI.Components.Schemas[name].Value
		all = append(all, schemaMutants(shared+" "+name, schema)...)
		all = append(all, objectMutants(shared+" "+name+".", schema)...)
	}
	return all
}

// assign returns a mutant that assigns a value.
func assign[T any](row, what string, target *T, value T) mutant {
	return mutant{row, what, func() func() {
		old := *target
		*target = value
		return func() { *target = old }
	}}
}

func operationMutants(d *Document) []mutant {
	operation := d.Operation
	all := []mutant{
		assign(d.Slug+" operation", "path", &d.Path, "/v3/video/generations"),
		assign(d.Slug+" operation", "method", &d.Method, "PUT"),
		assign(d.Slug+" operation", "server", &d.OpenAPI.Servers[0].URL, "https://api.example.com"),
		assign(d.Slug+" operation", "server added", &d.OpenAPI.Servers,
			append(slices.Clip(d.OpenAPI.Servers), &openapi3.Server{URL: "https://example.com"})),
		assign(d.Slug+" header X-New", "parameter added", &operation.Parameters, append(slices.Clip(operation.Parameters),
			&openapi3.ParameterRef{Value: openapi3.NewHeaderParameter("X-New").WithSchema(openapi3.NewStringSchema())})),
	}
	if operation.Security == nil {
		all = append(all, assign(d.Slug+" security", "dropped", &d.OpenAPI.Security, nil),
			assign(d.Slug+" security", "dropped by the operation", &operation.Security, new(openapi3.SecurityRequirements)),
			assign(d.Slug+" security", "scheme", &d.OpenAPI.Components.SecuritySchemes["bearerAuth"].Value.Scheme, "basic"))
	} else {
		all = append(all, assign(d.Slug+" security", "required", &operation.Security, nil))
	}
	if body := operation.RequestBody; body != nil {
		all = append(all, assign(d.Slug+" operation", "body optional", &body.Value.Required, false),
			assignKey(d.Slug+" operation", body.Value.Content, "text/plain", body.Value.Content["application/json"]),
			assign(d.Slug+" operation", "body closed", &d.Request().AdditionalProperties.Has, new(false)))
	}
	for i, p := range operation.Parameters {
		row := d.Slug + " " + p.Value.In + " " + p.Value.Name
		all = append(all, assign(row, "parameter dropped", &operation.Parameters, slices.Delete(slices.Clone(operation.Parameters), i, i+1)),
			assign(row, "required", &p.Value.Required, !p.Value.Required),
			assign(row, "name", &p.Value.Name, "other"), assign(row, "in", &p.Value.In, "cookie"))
		all = append(all, schemaMutants(row, p.Value.Schema.Value)...)
	}
	return append(all, responseMutants(d)...)
}

func responseMutants(d *Document) []mutant {
	responses := d.Operation.Responses
	all := []mutant{{d.Slug + " errors", "status added", func() func() {
		responses.Set("418", responses.Value("429"))
		return func() { responses.Delete("418") }
	}}, {d.Slug + " success", "status added", func() func() {
		responses.Set("202", responses.Value("200"))
		return func() { responses.Delete("202") }
	}}}
	for code, response := range responses.Map() {
		row := d.Slug + " success"
		if code >= "400" {
			row = d.Slug + " errors"
		}
		all = append(all, mutant{row, "status " + code + " dropped", func() func() {
			responses.Delete(code)
			return func() { responses.Set(code, response) }
		}})
		all = append(all, assignKey(row, response.Value.Content, "application/json", nil),
			assign(row, "body", &response.Value.Content["application/json"].Schema.Ref, "#/components/schemas/Other"),
			assign(row+" header x-new", "header added", &response.Value.Headers,
				openapi3.Headers{"x-new": {Value: &openapi3.Header{Parameter: *openapi3.NewHeaderParameter("").WithSchema(openapi3.NewStringSchema())}}}))
		for name, header := range response.Value.Headers {
			all = append(all, schemaMutants(row+" header "+name, header.Value.Schema.Value)...)
			all = append(all, assignKey(row+" header "+name, response.Value.Headers, name, nil))
		}
	}
	return all
}

// assignKey returns a mutant that assigns to a map; nil deletes the key.
func assignKey[M ~map[string]*V, V any](row string, m M, key string, value *V) mutant {
	return mutant{row, key, func() func() {
		old, ok := m[key]
		if m[key] = value; value == nil {
			delete(m, key)
		}
		return func() {
			if m[key] = old; !ok {
				delete(m, key)
			}
		}
	}}
}

// objectMutants changes the properties of an object at any depth, one after the other.
func objectMutants(prefix string, object *openapi3.Schema) []mutant {
	all := []mutant{
		assignKey(prefix+"added", object.Properties, "added", openapi3.NewStringSchema().NewRef()),
		assign(prefix+"undeclared", "required", &object.Required, append(slices.Clip(object.Required), "undeclared")),
	}
	for name, property := range object.Properties {
		row := prefix + name
		required := append(slices.Clip(object.Required), name)
		if i := slices.Index(object.Required, name); i >= 0 {
			required = slices.Delete(slices.Clone(object.Required), i, i+1)
		}
		all = append(all, assign(row, "required", &object.Required, required), assignKey(row, object.Properties, name, nil),
			assignKey(row, object.Properties, name, openapi3.NewStringSchema().WithEnum("another").NewRef()))
		all = append(all, schemaMutants(row, property.Value)...)
		if property.Value.Properties != nil {
			all = append(all, objectMutants(row+".", property.Value)...)
		}
		if items := property.Value.Items; items != nil && items.Value.Properties != nil {
			all = append(all, objectMutants(row+"[].", items.Value)...)
		}
	}
	return all
}

// schemaMutants changes each keyword that a schema has and adds each that it lacks.
func schemaMutants(row string, s *openapi3.Schema) []mutant {
	all := []mutant{
		assign(row, "format", &s.Format, s.Format+"x"),
		assign(row, "pattern", &s.Pattern, s.Pattern+"x"),
		assign(row, "nullable", &s.Nullable, !s.Nullable),
		assign(row, "uniqueItems", &s.UniqueItems, true),
		assign(row, "readOnly", &s.ReadOnly, true),
		assign(row, "multipleOf", &s.MultipleOf, new(2.0)),
		assign(row, "not", &s.Not, openapi3.NewStringSchema().NewRef()),
		assign(row, "additionalProperties", &s.AdditionalProperties.Has, new(false)),
		assign(row, "enum added", &s.Enum, append(slices.Clip(s.Enum), "added")),
		assign(row, "default", &s.Default, altered(s.Default)),
		assign(row, "minLength", &s.MinLength, s.MinLength+1),
		assign(row, "maxLength", &s.MaxLength, new(uint64(7))),
		assign(row, "minItems", &s.MinItems, s.MinItems+1),
		assign(row, "maxItems", &s.MaxItems, new(uint64(7))),
		assign(row, "exclusiveMinimum", &s.ExclusiveMin.Bool, new(true)),
		assign(row, "minimum", &s.Min, new(value(s.Min)+1)),
		assign(row, "maximum", &s.Max, new(value(s.Max)-1)),
	}
	for _, name := range []string{"string", "integer", "number", "boolean", "array", "object"} {
		if s.Type != nil && !s.Type.Is(name) {
			all = append(all, assign(row, "type "+name, &s.Type, &openapi3.Types{name}))
		}
	}
	if s.Format != "" {
		all = append(all, assign(row, "format dropped", &s.Format, ""))
	}
	if s.Pattern != "" {
		all = append(all, assign(row, "pattern dropped", &s.Pattern, ""))
	}
	if s.Default != nil {
		all = append(all, assign(row, "default dropped", &s.Default, nil))
	}
	if s.Min != nil {
		all = append(all, assign(row, "minimum lowered", &s.Min, new(*s.Min-1)), assign(row, "minimum dropped", &s.Min, nil))
	}
	if s.Max != nil {
		all = append(all, assign(row, "maximum raised", &s.Max, new(*s.Max+1)), assign(row, "maximum dropped", &s.Max, nil))
	}
	if s.MinLength != 0 {
		all = append(all, assign(row, "minLength dropped", &s.MinLength, 0))
	}
	if s.MaxItems != nil {
		all = append(all, assign(row, "maxItems dropped", &s.MaxItems, nil))
	}
	for i := range s.Enum {
		all = append(all, assign(row, "enum value dropped", &s.Enum, slices.Delete(slices.Clone(s.Enum), i, i+1)),
			assign(row, "enum value", &s.Enum[i], any("altered")))
	}
	for i := range s.OneOf {
		all = append(all, assign(row, "alternative dropped", &s.OneOf, slices.Delete(slices.Clone(s.OneOf), i, i+1)))
		all = append(all, schemaMutants(row, s.OneOf[i].Value)...)
	}
	if s.Items != nil {
		all = append(all, assign(row, "items dropped", &s.Items, nil))
		all = append(all, schemaMutants(row, s.Items.Value)...)
	}
	return all
}

func altered(v any) any {
	switch v := v.(type) {
	case bool:
		return !v
	case float64:
		return v + 1
	case string:
		return v + "x"
	}
	return "x"
}

func value(f *float64) float64 {
	if f == nil {
		return 5
	}
	return *f
}
