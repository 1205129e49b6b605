package spec

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestValidationSeesExamples shows that loading, which validates the examples too, notices a wrong one.
func TestValidationSeesExamples(t *testing.T) {
	spoiled := map[*openapi3.T]int{}
	for _, d := range freshOperations(t) {
		validate := func() error {
			return d.OpenAPI.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation())
		}
		if err := validate(); err != nil {
			t.Errorf("%s: %v", d.Slug, err)
		}
		spoil := func(what string, target *any) {
			spoiled[d.OpenAPI]++
			old := *target
			wrong := any([]any{})
			if _, ok := old.([]any); ok {
				wrong = map[string]any{}
			}
			if *target = wrong; validate() == nil {
				t.Errorf("%s: a wrong example of %s isn't reported", d.Slug, what)
			}
			*target = old
		}
		if request := d.Request(); request != nil {
			for name, example := range d.Operation.RequestBody.Value.Content["application/json"].Examples {
				spoil("the request "+name, &example.Value.Value)
			}
			for name, property := range request.Properties {
				spoil(name, &property.Value.Example)
			}
		}
		for code, response := range d.Operation.Responses.Map() {
			content := response.Value.Content["application/json"]
			if content.Example != nil {
				spoil(code, &content.Example)
			}
			for name, example := range content.Examples {
				spoil(code+" "+name, &example.Value.Value)
			}
		}
		for _, parameter := range d.Operation.Parameters {
			spoil(parameter.Value.Name, &parameter.Value.Example)
		}
	}
	for document, n := range spoiled {
		if n < 15 {
			t.Errorf("%s: only %d examples", document.Info.Title, n)
		}
	}
}

// TestEverythingIsDescribed checks that the specs can be read without other docs. CONTRIBUTING.md lists what it requires.
func TestEverythingIsDescribed(t *testing.T) {
	for _, d := range freshOperations(t) {
		described := func(what, text string) {
			if len(text) < 20 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s has no description of at least 20 characters that ends with a full stop: %q", d.Slug, what, text)
			}
		}
		operation := d.Operation
		described("info", d.OpenAPI.Info.Description)
		described("the operation", operation.Description)
		if operation.Summary == "" || len(operation.Tags) != 1 || operation.Tags[0] != d.OpenAPI.Tags[0].Name {
			t.Errorf("%s: summary %q, tags %q", d.Slug, operation.Summary, operation.Tags)
		}
		if id := map[bool]string{true: "getGeneration", false: "submitGeneration"}[d.Slug == shared]; operation.OperationID != id && !isAccount(d) {
			t.Errorf("%s: the operationId is %s, want %s", d.Slug, operation.OperationID, id)
		}
		for _, parameter := range operation.Parameters {
			described(parameter.Value.Name, parameter.Value.Description)
		}
		for code, response := range operation.Responses.Map() {
			described(code, *response.Value.Description)
			for name, header := range response.Value.Headers {
				described(name, header.Value.Description)
				if err := header.Value.Schema.Value.VisitJSON(header.Value.Example); err != nil {
					t.Errorf("%s: header %s has no valid example", d.Slug, name)
				}
			}
			if content := response.Value.Content["application/json"]; content.Example == nil && len(content.Examples) == 0 {
				t.Errorf("%s: %s has no example", d.Slug, code)
			}
		}
		for name, schema := range d.OpenAPI.Components.Schemas {
			described(name, schema.Value.Description)
			describedProperties(t, d.Slug+": "+name, schema.Value)
		}
	}
}

func describedProperties(t *testing.T, path string, object *openapi3.Schema) {
	for name, property := range object.Properties {
		schema, name := property.Value, path+"."+name
		if schema.Properties != nil {
			describedProperties(t, name, schema)
		} else if schema.Example == nil {
			t.Errorf("%s has no example", name)
		}
		if !strings.HasSuffix(schema.Description, ".") {
			t.Errorf("%s has no description that ends with a full stop: %q", name, schema.Description)
		}
		for _, term := range termsNeeded(name, schema) {
			if !strings.Contains(schema.Description, term) {
				t.Errorf("the description of %s lacks %q: %s", name, term, schema.Description)
			}
		}
	}
}

// termsNeeded returns what a description must mention beyond the keywords of the schema. CONTRIBUTING.md lists it.
func termsNeeded(name string, schema *openapi3.Schema) (terms []string) {
	_, property, isParameter := strings.Cut(name, "Request.")
	if !isParameter {
		return nil
	}
	uri := schema
	if schema.Type.Is(openapi3.TypeArray) {
		uri = schema.Items.Value
	}
	if uri.Format == "uri" {
		terms = append(terms, "HTTPS URL or base64 data URI (`"+mediaKind(uri)+"/*`)")
	}
	if schema.Type.Is(openapi3.TypeBoolean) && schema.Default == nil {
		terms = append(terms, "default")
	}
	if (schema.Type.Is(openapi3.TypeInteger) || schema.Type.Is(openapi3.TypeNumber)) && schema.Min == nil && schema.Enum == nil {
		terms = append(terms, "bounds")
	}
	for _, value := range schema.Enum {
		// A value that doesn't explain itself is explained.
		if text, ok := value.(string); ok && slices.Contains([]string{"auto", "none", "regular", "fast", "small"}, text) && property != "model" {
			terms = append(terms, "`"+text+"`")
		}
	}
	return terms
}

// mediaKind returns the x-media extension: video, image or audio.
func mediaKind(schema *openapi3.Schema) string {
	kind, _ := schema.Extensions["x-media"].(string)
	return kind
}

// TestRequestExamples checks that one example has the required properties only and the other has all properties.
func TestRequestExamples(t *testing.T) {
	for _, d := range Models() {
		examples := d.Operation.RequestBody.Value.Content["application/json"].Examples
		least := slices.Clone(d.Request().Required)
		if choices := slices.Concat(d.Request().OneOf, d.Request().AnyOf); choices != nil {
			least = append(least, choices[0].Value.Required...)
		}
		slices.Sort(least)
		if got := members(examples["required"]); !slices.Equal(got, least) {
			t.Errorf("%s: the example named required has %q, want %q", d.Slug, got, least)
		}
		all := slices.Sorted(maps.Keys(d.Request().Properties))
		if got := members(examples["full"]); !slices.Equal(got, all) {
			t.Errorf("%s: the example named full has %q, want %q", d.Slug, got, all)
		}
	}
	content := Generation().Operation.Responses.Value("200").Value.Content["application/json"]
	var statuses []any
	for _, name := range []string{"queued", "generating", "completed", "failed"} {
		statuses = append(statuses, content.Examples[name].Value.Value.(map[string]any)["status"])
	}
	if !slices.Equal(statuses, []any{"queued", "generating", "completed", "error"}) {
		t.Errorf("the examples of a poll have the statuses %q", statuses)
	}
}

func members(example *openapi3.ExampleRef) []string {
	return slices.Sorted(maps.Keys(example.Value.Value.(map[string]any)))
}
