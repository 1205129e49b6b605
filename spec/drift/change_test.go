package main

import (
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite testdata/changes.txtar")

// Each change of the vendor's spec is reported, alone and with its grade. testdata/changes.txtar has the expected lines;
// go test ./spec/drift -run TestChanges -update rewrites it.
func TestChanges(t *testing.T) {
	tests := []struct {
		name   string
		change func(d *vendor)
	}{
		{"nothing", func(d *vendor) {}},
		{"other names and texts of no matter", func(d *vendor) {
			d.doc["info"] = object{"title": "Another", "version": "9"}
			d.post["operationId"], d.post["tags"] = "x", []any{"z"}
			d.post["x-hideTryItPanel"], d.property("prompt")["x-order"] = true, 1
			d.request["additionalProperties"] = true
		}},

		// Bounds.
		{"minimum raised", func(d *vendor) { d.property("num_frames")["minimum"] = 33 }},
		{"minimum lowered", func(d *vendor) { d.property("num_frames")["minimum"] = 1 }},
		{"minimum dropped", func(d *vendor) { delete(d.property("num_frames"), "minimum") }},
		{"minimum added", func(d *vendor) { d.property("shift")["minimum"] = 1 }},
		{"maximum lowered", func(d *vendor) { d.property("num_frames")["maximum"] = 161 }},
		{"maximum raised", func(d *vendor) { d.property("num_frames")["maximum"] = 321 }},
		{"bound excluded", func(d *vendor) { d.property("num_frames")["exclusiveMinimum"] = true }},
		{"length", func(d *vendor) { d.property("prompt")["maxLength"] = 800 }},
		{"bound in a response", func(d *vendor) { d.responseProperty("meta", "usage", "credits_used")["minimum"] = 0 }},

		// Types and formats.
		{"integer to number", func(d *vendor) { d.property("num_frames")["type"] = "number" }},
		{"number to integer", func(d *vendor) { d.property("shift")["type"] = "integer" }},
		{"another type", func(d *vendor) { d.property("sync_mode")["type"] = "string" }},
		{"no type", func(d *vendor) { delete(d.property("sync_mode"), "type") }},
		{"another type in a response", func(d *vendor) { d.responseProperty("error", "message")["type"] = "object" }},
		{"number to integer in a response", func(d *vendor) { d.responseProperty("meta", "usage", "credits_used")["type"] = "integer" }},
		{"null as OpenAPI 3.1 has it", func(d *vendor) { d.property("prompt")["type"] = []any{"string", "null"} }},
		{"null in a response no more", func(d *vendor) { delete(d.responseProperty("video"), "nullable") }},
		{"null in a response", func(d *vendor) { d.responseProperty("id")["nullable"] = true }},
		{"format dropped", func(d *vendor) { delete(d.property("video_url"), "format") }},
		{"pattern", func(d *vendor) { d.property("video_url")["pattern"] = "^https:" }},
		{"closed", func(d *vendor) { d.request["additionalProperties"] = false }},
		{"deprecated", func(d *vendor) { d.property("sync_mode")["deprecated"] = true }},

		// Defaults and enums.
		{"default changed", func(d *vendor) { d.property("resolution")["default"] = "720p" }},
		{"default added", func(d *vendor) { d.property("zoom_factor")["default"] = 0 }},
		{"default dropped", func(d *vendor) { delete(d.property("shift"), "default") }},
		{"enum", func(d *vendor) { d.property("resolution")["enum"] = []any{"720p", "480p", "1080p"} }},
		{"enum dropped", func(d *vendor) { delete(d.property("acceleration"), "enum") }},
		{"enum added", func(d *vendor) { d.property("prompt")["enum"] = []any{"a"} }},
		{"status", func(d *vendor) {
			d.responseProperty("status")["enum"] = []any{"queued", "completed", "error", "processing"}
		}},

		// Properties.
		{"property dropped", func(d *vendor) { delete(d.properties(), "trim_borders") }},
		{"property added", func(d *vendor) {
			d.properties()["mask_url"] = object{"type": "string", "format": "uri", "description": "The\n\x1bmask."}
		}},
		{"array added", func(d *vendor) {
			d.properties()["masks"] = object{"type": "array", "maxItems": 4, "items": object{"type": "array", "items": object{"type": "string", "format": "uri"}}}
		}},
		{"array of itself added", func(d *vendor) {
			d.doc["components"].(object)["schemas"] = object{"A": object{"type": "array", "items": object{"$ref": "#/components/schemas/A"}}}
			d.properties()["tree"] = object{"$ref": "#/components/schemas/A"}
		}},
		{"property added, required", func(d *vendor) {
			d.properties()["mask_url"] = object{"type": "string"}
			d.request["required"] = []any{"model", "video_url", "mask_url"}
		}},
		{"required", func(d *vendor) { d.request["required"] = []any{"model", "prompt"} }},
		{"required, but not described", func(d *vendor) { d.request["required"] = []any{"model", "video_url", "mask_url"} }},
		{"dropped, but required", func(d *vendor) {
			delete(d.properties(), "sync_mode")
			d.request["required"] = []any{"model", "video_url", "sync_mode"}
		}},
		{"required in a response, but not described", func(d *vendor) { d.response["required"] = []any{"id", "status", "cost"} }},
		{"property of a response dropped", func(d *vendor) { delete(d.response["properties"].(object), "video") }},
		{"property of a response added", func(d *vendor) { d.response["properties"].(object)["duration"] = object{"type": "number"} }},
		{"required in a response", func(d *vendor) { d.response["required"] = []any{"id", "video"} }},

		// The operations.
		{"server", func(d *vendor) { d.doc["servers"] = []any{object{"url": "https://api2.aimlapi.com/"}} }},
		{"version in the server instead of the path", func(d *vendor) {
			paths := d.doc["paths"].(object)
			paths["/video/generations"] = paths["/v2/video/generations"]
			delete(paths, "/v2/video/generations")
			d.doc["servers"] = []any{object{"url": "https://api.aimlapi.com/v2"}}
		}},
		{"another media type", func(d *vendor) {
			content := d.post["requestBody"].(object)["content"].(object)
			content["multipart/form-data"] = content["application/json"]
			delete(content, "application/json")
		}},
		{"security", func(d *vendor) {
			d.get["security"] = []any{object{"key": []any{}}}
			d.doc["components"].(object)["securitySchemes"].(object)["key"] = object{"type": "apiKey", "in": "header", "name": "X-Key"}
		}},
		{"parameter renamed", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["name"] = "id" }},
		{"parameter optional", func(d *vendor) { delete(d.get["parameters"].([]any)[0].(object), "required") }},
		{"parameter of another type", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["schema"] = object{"type": "integer"} }},
		{"parameter added", func(d *vendor) {
			d.post["parameters"] = []any{object{"name": "dry_run", "in": "query", "schema": object{"type": "boolean"}}}
		}},
		{"a parameter of ours documented at last", func(d *vendor) {
			d.post["parameters"] = []any{object{"name": "x-client-request-id", "in": "header",
				"schema": object{"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}}}
			d.get["parameters"] = append(d.get["parameters"].([]any), d.post["parameters"].([]any)...)
		}},
		{"operation deprecated", func(d *vendor) { d.post["deprecated"], d.get["deprecated"] = true, true }},
		{"parameter deprecated", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["deprecated"] = true }},
		{"body optional", func(d *vendor) { delete(at(d.post, "requestBody"), "required") }},
		{"media type with a parameter", func(d *vendor) {
			for _, content := range []object{at(d.post, "requestBody", "content"), at(d.post, "responses", "200", "content")} {
				content["application/json; charset=utf-8"] = content["application/json"]
				delete(content, "application/json")
			}
		}},

		// Responses.
		{"no responses", func(d *vendor) { delete(d.post, "responses") }},
		{"no success", func(d *vendor) { d.get["responses"] = object{"400": object{}} }},
		{"a success in another type", func(d *vendor) { d.get["responses"] = object{"200": object{"content": object{"text/plain": object{}}}} }},
		{"an error in another type", func(d *vendor) {
			at(d.post, "responses")["429"] = object{"content": object{"text/plain": object{}, "text/html": object{}}}
		}},
		{"an error without a word", func(d *vendor) { at(d.post, "responses")["429"] = object{} }},
		{"a header of another type", func(d *vendor) {
			at(d.get, "responses", "200")["headers"] = object{"X-AIMLAPI-Credits-Used": object{"schema": object{"type": "string"}, "deprecated": true}}
		}},
		{"201", func(d *vendor) {
			responses := d.post["responses"].(object)
			responses["201"] = responses["200"]
			delete(responses, "200")
		}},
		{"202", func(d *vendor) { d.post["responses"].(object)["202"] = object{} }},
		{"402", func(d *vendor) { d.post["responses"].(object)["402"] = object{} }},
		{"no body", func(d *vendor) { d.get["responses"] = object{"200": object{}} }},
		{"a header", func(d *vendor) {
			d.get["responses"].(object)["200"].(object)["headers"] = object{"X-Client-Request-ID": object{}, "x-cost": object{}}
		}},
		{"an error's body", func(d *vendor) {
			d.post["responses"].(object)["400"] = object{"content": object{"application/json": object{"schema": object{
				"type": "object", "properties": object{"error": object{"type": "string"}}}}}}
		}},

		// Several models in one document.
		{"another model beside ours", func(d *vendor) {
			d.property("model")["enum"] = []any{"other/model", "example/dance"}
		}},
		{"a schema for each model", func(d *vendor) {
			other := object{"type": "object", "properties": object{"model": object{"type": "string", "enum": []any{"other/model"}}}}
			content := d.post["requestBody"].(object)["content"].(object)["application/json"].(object)
			content["schema"] = object{"oneOf": []any{other, object{"$ref": "#/components/schemas/Dance"}}}
			d.doc["components"].(object)["schemas"] = object{"Dance": d.request}
			d.property("shift")["default"] = 4
		}},
		{"alternatives beside what they share", func(d *vendor) {
			model := d.property("model")
			delete(d.properties(), "model")
			d.request["oneOf"] = []any{
				object{"properties": object{"model": object{"type": "string", "enum": []any{"other/model"}}}},
				object{"properties": object{"model": model}},
			}
			d.property("shift")["default"] = 4
		}},
		{"models listed beside the alternatives", func(d *vendor) {
			d.property("model")["enum"] = []any{"other/model", "example/dance"}
			d.request["anyOf"] = []any{object{"properties": object{"model": object{"const": "example/dance"}, "mask": object{"type": "string"}}}}
		}},
		{"alternatives that say nothing of the model", func(d *vendor) {
			d.request["anyOf"] = []any{object{"required": []any{"prompt"}}, object{"required": []any{"shift"}}}
		}},
		{"the model as a constant", func(d *vendor) {
			d.doc["openapi"] = "3.1.0"
			d.properties()["model"] = object{"const": "example/dance"}
		}},
		{"another constant", func(d *vendor) { d.property("acceleration")["const"] = "none" }},

		{"another form of the request", func(d *vendor) {
			content := at(d.post, "requestBody", "content", "application/json")
			content["schema"] = object{"oneOf": []any{d.request, object{"type": "object", "required": []any{"video_id"}}}}
		}},
		{"another form for the same model", func(d *vendor) {
			content := at(d.post, "requestBody", "content", "application/json")
			content["schema"] = object{"oneOf": []any{d.request, object{"type": "object", "properties": object{"model": d.property("model"), "video_id": object{"type": "string"}}}}}
		}},
		{"an enum of strings without a type", func(d *vendor) {
			delete(d.property("model"), "type")
			delete(d.property("acceleration"), "type")
		}},

		// Schemas made of others.
		{"one member", func(d *vendor) {
			d.property("shift")["default"] = 4
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{"allOf": []any{d.request}}
		}},
		{"members", func(d *vendor) {
			d.property("shift")["default"] = 4
			model := d.property("model")
			delete(d.properties(), "model")
			d.request["required"] = []any{"video_url"}
			d.doc["components"].(object)["schemas"] = object{"Base": object{"type": "object", "required": []any{"model"},
				"properties": object{"model": model, "shift": object{"maximum": 9}}}}
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{
				"allOf": []any{object{"$ref": "#/components/schemas/Base"}, d.request}}
		}},
		{"members of a property", func(d *vendor) {
			d.properties()["prompt"] = object{"allOf": []any{object{"type": "string"}}, "description": "The scene."}
		}},
		{"members that contradict each other", func(d *vendor) {
			d.properties()["sync_mode"] = object{"type": "boolean", "allOf": []any{object{"type": "string"}}}
		}},

		// What the API may do besides.
		{"a callback", func(d *vendor) { d.post["callbacks"] = object{"completed": object{}} }},
		{"webhooks", func(d *vendor) { d.doc["webhooks"] = object{"completed": object{"post": object{}}} }},
		{"a link", func(d *vendor) {
			at(d.post, "responses", "200")["links"] = object{"poll": object{"operationId": "x"}}
		}},
		{"another server", func(d *vendor) {
			d.doc["servers"] = []any{object{"url": "https://api.aimlapi.com"}, object{"url": "https://eu.aimlapi.com", "description": "Costs double."}}
		}},
		{"other media types", func(d *vendor) {
			at(d.post, "requestBody", "content")["multipart/form-data"] = object{"schema": object{"type": "object"}}
			at(d.get, "responses", "200", "content")["text/event-stream"] = object{}
		}},
		{"texts around the operation", func(d *vendor) {
			d.doc["tags"] = []any{object{"name": "video", "description": "Costs double."}}
			d.post["externalDocs"] = object{"url": "https://example.com/pricing"}
		}},
		{"another method", func(d *vendor) { at(d.doc, "paths", "/v2/video/generations")["delete"] = object{} }},

		// Texts.
		{"a text that nobody has read", func(d *vendor) { d.property("zoom_factor")["description"] = "From 0 to 2." }},
		{"texts of the operation and its schemas", func(d *vendor) {
			d.post["summary"], d.get["description"] = "Costs double.", "Poll every 10 seconds."
			d.request["description"], d.response["description"] = "One of two.", "A generation."
			at(d.post, "requestBody")["description"] = "At most 20 MB."
			at(d.get, "responses", "200")["description"] = "Done."
			at(d.property("image_list"), "items")["description"] = "A PNG."
		}},
		{"a title, an example and an extension", func(d *vendor) {
			d.property("prompt")["title"], d.property("shift")["example"] = "At most 800 characters", 7
			d.property("sync_mode")["x-maximum"], d.post["x-price"] = 99, "0.4 per second"
		}},
		{"texts of alternatives", func(d *vendor) {
			d.property("prompt")["anyOf"] = []any{object{"type": "string", "description": "Costs double."}}
			delete(d.property("prompt"), "type")
		}},
		{"code samples", func(d *vendor) { d.post["x-codeSamples"] = []any{object{"lang": "Python", "source": "processing"}} }},
		{"a text that was read is gone", func(d *vendor) {
			delete(d.property("prompt"), "description")
			d.responseProperty("id")["description"] = " "
		}},
		{"a long text that ends otherwise", func(d *vendor) {
			was := d.property("negative_prompt")["default"].(string)
			d.property("negative_prompt")["default"] = strings.TrimSuffix(was, "walking backwards") + "running"
		}},
		{"control characters", func(d *vendor) {
			d.properties()["a\x1b[2J\n\u202eb"] = object{"type": "string", "default": "\u009b\u2066"}
		}},
	}
	const file = "testdata/changes.txtar"
	expected, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got txtar.Archive
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newVendor(t)
			test.change(d)
			data, err := json.Marshal(d.doc)
			if err != nil {
				t.Fatal(err)
			}
			lines, stderr, code := drift(t, write(t, "vendor.json", data))
			lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "known ") })
			if want := min(1, len(lines)); code != want || stderr != "" {
				t.Errorf("exit status %d, want %d, stderr %q", code, want, stderr)
			}
			got.Files = append(got.Files, txtar.File{Name: test.name, Data: []byte(strings.Join(append(lines, ""), "\n"))})
			if *update {
				return
			}
			if i >= len(expected.Files) || expected.Files[i].Name != test.name {
				t.Fatalf("%s has no such section at this position", file)
			}
			equal(t, lines, slices.DeleteFunc(strings.Split(string(expected.Files[i].Data), "\n"), func(line string) bool { return line == "" }))
		})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(&got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A vendor is the spec in testdata/vendor.json and its parts.
type vendor struct{ doc, post, get, request, response object }

func newVendor(t *testing.T) *vendor {
	t.Helper()
	data, err := os.ReadFile("testdata/vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	d := new(vendor)
	if err := json.Unmarshal(data, &d.doc); err != nil {
		t.Fatal(err)
	}
	item := d.doc["paths"].(object)["/v2/video/generations"].(object)
	d.post, d.get = item["post"].(object), item["get"].(object)
	d.request = at(d.post, "requestBody", "content", "application/json", "schema")
	d.response = at(d.post, "responses", "200", "content", "application/json", "schema")
	return d
}

func (d *vendor) properties() object { return at(d.request, "properties") }

func (d *vendor) property(name string) object { return at(d.request, "properties", name) }

// responseProperty returns a property of the response to a submission.
func (d *vendor) responseProperty(path ...string) object {
	o := d.response
	for _, name := range path {
		o = at(o, "properties", name)
	}
	return o
}

func at(o object, steps ...string) object {
	for _, step := range steps {
		o = o[step].(object)
	}
	return o
}
