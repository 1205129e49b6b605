package suite

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// Specs of other models of the API's kind: each derived verdict is that of a validator.
func TestDeriveOtherModels(t *testing.T) {
	for name, properties := range map[string]string{
		"integer and number enums": `
        duration: {type: integer, enum: [5, 10], default: 5}
        fps: {type: number, enum: [23.976, 24]}
        strength: {type: number, minimum: 0, maximum: 1}
        cfg: {type: number, minimum: 0.5, exclusiveMinimum: true, maximum: 0.75}
        steps: {type: integer, minimum: 8, maximum: 64, multipleOf: 8}
        level: {type: integer, minimum: 3, maximum: 3}
        loud: {type: boolean, enum: [true]}`,
		"arrays of objects": `
        elements:
          type: array
          maxItems: 3
          items:
            type: object
            required: [url, weight]
            properties:
              url: {type: string, minLength: 1}
              weight: {type: integer, minimum: 1, maximum: 9}
              tag: {type: string, nullable: true}
        camera: {type: object, required: [pan], properties: {pan: {type: number, minimum: -10, maximum: 10}}}
        title: {type: string, minLength: 2, maxLength: 5}`,
		"oneOf": `
        image:
          oneOf:
            - {type: string, minLength: 1}
            - {type: object, required: [id], properties: {id: {type: string}}}
        seed: {anyOf: [{type: integer}, {type: string, enum: [random]}]}
        anything: {}
        mode: {type: string, enum: ['', fast], nullable: true}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := invented(t, properties)
			cases := deriveModel(d)
			for _, c := range cases {
				var body any
				if err := json.Unmarshal(c.Request.Body, &body); err != nil {
					t.Fatalf("%s: %v in %s", c.Name, err, c.Request.Body)
				}
				if err := d.Request().VisitJSON(body); (err == nil) != c.Accepted {
					t.Errorf("%s: accepted %t, but the validator returns %v for %.300s", c.Name, c.Accepted, err, c.Request.Body)
				}
			}
			if len(cases) < 50 {
				t.Errorf("%d cases", len(cases))
			}
		})
	}
}

// A body that is a choice of schemas is sent as its examples.
func TestDeriveChoice(t *testing.T) {
	d := invented(t, "")
	d.Operation.RequestBody.Value.Content["application/json"] = openapi3.NewMediaType().WithSchema(openapi3.NewOneOfSchema(d.Request(), openapi3.NewObjectSchema())).
		WithExample("b", map[string]any{"model": "acme/video-1", "prompt": "p"}).WithExample("a", map[string]any{"model": "acme/video-1"})
	names := map[string]string{}
	for _, c := range deriveModel(d) {
		names[c.Name] = string(c.Request.Body)
	}
	if names["video-1/only-required"] != `{"model":"acme/video-1"}` || names["video-1/example-b"] != `{"model":"acme/video-1","prompt":"p"}` {
		t.Errorf("%v", names)
	}
}

// invented returns the spec of a model with the given optional properties.
func invented(t *testing.T, properties string) *spec.Document {
	t.Helper()
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	doc, err := loader.LoadFromData([]byte(strings.Replace(`
openapi: 3.0.3
info: {title: t, version: 1.0.0}
paths:
  /v2/video/generations:
    post:
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Request'}
      responses: {'200': {description: ok}}
components:
  schemas:
    Request:
      type: object
      required: [model, prompt]
      properties:
        model: {type: string, enum: [acme/video-1], example: acme/video-1}
        prompt: {type: string, example: p}PROPERTIES
`, "PROPERTIES", properties, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return &spec.Document{Slug: "video-1", Model: "acme/video-1", OpenAPI: doc, Method: "POST", Path: "/v2/video/generations", Operation: doc.Paths.Value("/v2/video/generations").Post}
}
