package spec

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Loading has validated the documents with their examples already. This shows that it would have noticed.
func TestValidationSeesExamples(t *testing.T) {
	for _, d := range fresh(t) {
		validate := func() error {
			return d.OpenAPI.Validate(context.Background(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation())
		}
		if err := validate(); err != nil {
			t.Errorf("%s: %v", d.Slug, err)
		}
		spoiled := 0
		spoil := func(what string, target *any) {
			spoiled++
			old := *target
			wrong := any([]any{})
			if _, ok := old.([]any); ok {
				wrong = map[string]any{}
			}
			if *target = wrong; validate() == nil {
				t.Errorf("%s: a wrong example of %s isn't noticed", d.Slug, what)
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
		if spoiled < 15 {
			t.Errorf("%s: only %d examples", d.Slug, spoiled)
		}
	}
}

// Whoever reads only the documents finds everything in them.
func TestEverythingIsDescribed(t *testing.T) {
	for _, d := range fresh(t) {
		described := func(what, text string) {
			if len(text) < 20 || !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %s has no description, or half a one: %q", d.Slug, what, text)
			}
		}
		operation := d.Operation
		described("the document", d.OpenAPI.Info.Description)
		described("the operation", operation.Description)
		if operation.Summary == "" || len(operation.Tags) != 1 || operation.Tags[0] != d.OpenAPI.Tags[0].Name {
			t.Errorf("%s: summary %q, tags %q", d.Slug, operation.Summary, operation.Tags)
		}
		if id := map[bool]string{true: "getGeneration", false: "submitGeneration"}[d.Slug == shared]; operation.OperationID != id {
			t.Errorf("%s: the operation is called %s, want %s", d.Slug, operation.OperationID, id)
		}
		for _, parameter := range operation.Parameters {
			described(parameter.Value.Name, parameter.Value.Description)
		}
		for code, response := range operation.Responses.Map() {
			described(code, *response.Value.Description)
			for name, header := range response.Value.Headers {
				described(name, header.Value.Description)
				if err := header.Value.Schema.Value.VisitJSON(header.Value.Example); err != nil {
					t.Errorf("%s: header %s has no example, or one that isn't valid", d.Slug, name)
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
			t.Errorf("%s has no description, or half a one: %q", name, schema.Description)
		}
		// What a property has to say beyond its keywords.
		for _, needs := range wordsNeeded(name, schema) {
			if !strings.Contains(schema.Description, needs) {
				t.Errorf("%s doesn't say %q: %s", name, needs, schema.Description)
			}
		}
	}
}

func wordsNeeded(name string, schema *openapi3.Schema) (words []string) {
	isArray := schema.Type.Is(openapi3.TypeArray)
	_, property, _ := strings.Cut(name, "Request.")
	switch {
	case schema.Format == "uri" && strings.Contains(property, "video"):
		words = append(words, "an https URL", "base64 data URI of a `video/*` type")
	case schema.Format == "uri" && strings.Contains(property, "image"), isArray && schema.Items.Value.Format == "uri":
		words = append(words, "an https URL", "base64 data URI of an `image/*` type")
	}
	if schema.Type.Is(openapi3.TypeBoolean) && schema.Default == nil {
		words = append(words, "left out")
	}
	if property != "" && (schema.Type.Is(openapi3.TypeInteger) || schema.Type.Is(openapi3.TypeNumber)) && schema.Min == nil {
		words = append(words, "ound") // bounds, or that there are none
	}
	if strings.HasSuffix(property, "num_frames") && property != "match_input_num_frames" {
		words = append(words, "`match_input_num_frames`", "`frames_per_second`")
	}
	for _, value := range schema.Enum {
		// A value that isn't its own explanation is explained.
		if text, ok := value.(string); ok && slices.Contains([]string{"auto", "none", "regular", "fast", "small", "completed", "error"}, text) {
			words = append(words, "`"+text+"`")
		}
	}
	return words
}

// One example shows the least that a request needs, the other one all that it may have.
func TestRequestExamples(t *testing.T) {
	for _, d := range Models() {
		examples := d.Operation.RequestBody.Value.Content["application/json"].Examples
		least := slices.Sorted(slices.Values(d.Request().Required))
		if got := members(examples["required"]); !slices.Equal(got, least) {
			t.Errorf("%s: the example of what is required has %q, want %q", d.Slug, got, least)
		}
		all := slices.Sorted(maps.Keys(d.Request().Properties))
		if got := members(examples["full"]); !slices.Equal(got, all) {
			t.Errorf("%s: the example of everything has %q, want %q", d.Slug, got, all)
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
