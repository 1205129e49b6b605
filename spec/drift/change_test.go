package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

type object = map[string]any

// Each change of the vendor's document is found, alone, and judged by what it does to callers.
func TestChanges(t *testing.T) {
	const (
		request = "dance dance.yaml#/components/schemas/Request/"
		answer  = "dance generation.yaml#/components/schemas/Generation/"
		post    = "dance dance.yaml#/paths/~1v2~1video~1generations/post/"
		get     = "generation generation.yaml#/paths/~1v2~1video~1generations/get/"

		mayRefuse  = ": the API may reject requests that our spec allows"
		takesMore  = ": the API takes more than our document allows"
		unexpected = ": answers may hold what callers don't expect"
		goneText   = ": a wording that was read is gone, and with it what facts it held: look, then take its fingerprint out of known.yaml"
		within     = ": answers stay within our document"
	)
	tests := []struct {
		name   string
		change func(d *vendor)
		want   []string // without "new"
	}{
		{"nothing", func(d *vendor) {}, nil},
		{"other names and texts of no matter", func(d *vendor) {
			d.doc["info"] = object{"title": "Another", "version": "9"}
			d.post["operationId"], d.post["summary"], d.post["tags"] = "x", "y", []any{"z"}
			d.property("prompt")["title"], d.property("prompt")["example"], d.property("prompt")["x-order"] = "t", "e", 1
			d.request["additionalProperties"] = true
		}, nil},

		// Bounds.
		{"minimum raised", func(d *vendor) { d.property("num_frames")["minimum"] = 33 },
			[]string{"breaking " + request + "properties/num_frames/minimum: ours 17, theirs 33" + mayRefuse}},
		{"minimum lowered", func(d *vendor) { d.property("num_frames")["minimum"] = 1 },
			[]string{"compatible " + request + "properties/num_frames/minimum: ours 17, theirs 1" + takesMore}},
		{"minimum dropped", func(d *vendor) { delete(d.property("num_frames"), "minimum") },
			[]string{"compatible " + request + "properties/num_frames/minimum: ours 17, theirs nothing" + takesMore}},
		{"minimum added", func(d *vendor) { d.property("shift")["minimum"] = 1 },
			[]string{"breaking " + request + "properties/shift/minimum: ours nothing, theirs 1" + mayRefuse}},
		{"maximum lowered", func(d *vendor) { d.property("num_frames")["maximum"] = 161 },
			[]string{"breaking " + request + "properties/num_frames/maximum: ours 241, theirs 161" + mayRefuse}},
		{"maximum raised", func(d *vendor) { d.property("num_frames")["maximum"] = 321 },
			[]string{"compatible " + request + "properties/num_frames/maximum: ours 241, theirs 321" + takesMore}},
		{"bound excluded", func(d *vendor) { d.property("num_frames")["exclusiveMinimum"] = true },
			[]string{"breaking " + request + "properties/num_frames/exclusiveMinimum: ours nothing, theirs true" + mayRefuse}},
		{"length", func(d *vendor) { d.property("prompt")["maxLength"] = 800 },
			[]string{"breaking " + request + "properties/prompt/maxLength: ours nothing, theirs 800" + mayRefuse}},
		{"bound in an answer", func(d *vendor) { d.answered("meta", "usage", "credits_used")["minimum"] = 0 },
			[]string{"compatible " + answer + "properties/meta/properties/usage/properties/credits_used/minimum: ours nothing, theirs 0" + within}},

		// Types and formats.
		{"integer to number", func(d *vendor) { d.property("num_frames")["type"] = "number" },
			[]string{"compatible " + request + `properties/num_frames/type: ours "integer", theirs "number"` + takesMore}},
		{"number to integer", func(d *vendor) { d.property("shift")["type"] = "integer" },
			[]string{"breaking " + request + `properties/shift/type: ours "number", theirs "integer"` + mayRefuse}},
		{"another type", func(d *vendor) { d.property("sync_mode")["type"] = "string" },
			[]string{"breaking " + request + `properties/sync_mode/type: ours "boolean", theirs "string": the API may reject or reinterpret requests that our spec allows`}},
		{"no type", func(d *vendor) { delete(d.property("sync_mode"), "type") },
			[]string{"compatible " + request + `properties/sync_mode/type: ours "boolean", theirs nothing` + takesMore}},
		{"another type in an answer", func(d *vendor) { d.answered("error", "message")["type"] = "object" },
			[]string{"breaking " + answer + `properties/error/properties/message/type: ours "string", theirs "object"` + unexpected}},
		{"number to integer in an answer", func(d *vendor) { d.answered("meta", "usage", "credits_used")["type"] = "integer" },
			[]string{"compatible " + answer + `properties/meta/properties/usage/properties/credits_used/type: ours "number", theirs "integer"` + within}},
		{"null as OpenAPI 3.1 has it", func(d *vendor) { d.property("prompt")["type"] = []any{"string", "null"} },
			[]string{"compatible " + request + "properties/prompt/nullable: ours nothing, theirs true" + takesMore}},
		{"null in an answer no more", func(d *vendor) { delete(d.answered("video"), "nullable") },
			[]string{"compatible " + answer + "properties/video/nullable: ours true, theirs nothing" + within}},
		{"null in an answer", func(d *vendor) { d.answered("id")["nullable"] = true },
			[]string{"breaking " + answer + "properties/id/nullable: ours nothing, theirs true" + unexpected}},
		{"format dropped", func(d *vendor) { delete(d.property("video_url"), "format") },
			[]string{"compatible " + request + `properties/video_url/format: ours "uri", theirs nothing` + takesMore}},
		{"pattern", func(d *vendor) { d.property("video_url")["pattern"] = "^https:" },
			[]string{"breaking " + request + `properties/video_url/pattern: ours nothing, theirs "^https:"` + mayRefuse}},
		{"closed", func(d *vendor) { d.request["additionalProperties"] = false },
			[]string{"breaking " + request + "additionalProperties: ours nothing, theirs false" + mayRefuse}},
		{"deprecated", func(d *vendor) { d.property("sync_mode")["deprecated"] = true },
			[]string{"compatible " + request + "properties/sync_mode/deprecated: ours nothing, theirs true: what is deprecated goes away some day"}},

		// Defaults and enums.
		{"default changed", func(d *vendor) { d.property("resolution")["default"] = "720p" },
			[]string{"breaking " + request + `properties/resolution/default: ours "480p", theirs "720p": requests that leave it out get something else, without an error`}},
		{"default added", func(d *vendor) { d.property("zoom_factor")["default"] = 0 },
			[]string{"compatible " + request + "properties/zoom_factor/default: ours nothing, theirs 0: it is now known what requests get that leave it out"}},
		{"default dropped", func(d *vendor) { delete(d.property("shift"), "default") },
			[]string{"compatible " + request + "properties/shift/default: ours 5, theirs nothing: it is no longer documented what requests get that leave it out"}},
		{"enum", func(d *vendor) { d.property("resolution")["enum"] = []any{"720p", "480p", "1080p"} },
			[]string{"breaking " + request + `properties/resolution/enum: ours "580p", theirs nothing: requests with this value may be refused`,
				"compatible " + request + `properties/resolution/enum: ours nothing, theirs "1080p": a value that our types don't have`}},
		{"enum dropped", func(d *vendor) { delete(d.property("acceleration"), "enum") },
			[]string{"compatible " + request + `properties/acceleration/enum: ours ["none","regular"], theirs nothing` + takesMore}},
		{"enum added", func(d *vendor) { d.property("prompt")["enum"] = []any{"a"} },
			[]string{"breaking " + request + `properties/prompt/enum: ours nothing, theirs ["a"]` + mayRefuse}},
		{"status", func(d *vendor) { d.answered("status")["enum"] = []any{"queued", "completed", "error", "processing"} },
			[]string{"breaking dance generation.yaml#/components/schemas/Status/enum: ours nothing, theirs \"processing\": a value that callers don't know",
				"compatible dance generation.yaml#/components/schemas/Status/enum: ours \"generating\", theirs nothing: a value that no longer comes"}},

		// Properties.
		{"property dropped", func(d *vendor) { delete(d.properties(), "trim_borders") },
			[]string{"breaking " + request + `properties/trim_borders: ours {"default":true,"type":"boolean"}, theirs nothing: requests with it may be refused, or it is ignored`}},
		{"property added", func(d *vendor) {
			d.properties()["mask_url"] = object{"type": "string", "format": "uri", "description": "The\n\x1bmask."}
		},
			[]string{"compatible " + request + `properties/mask_url: ours nothing, theirs {"format":"uri","type":"string"}: callers can't set it yet, but through Client.Submit, described as "The \u001bmask."`}},
		{"array added", func(d *vendor) {
			d.properties()["masks"] = object{"type": "array", "maxItems": 4, "items": object{"type": "array", "items": object{"type": "string", "format": "uri"}}}
		}, []string{"compatible " + request + `properties/masks: ours nothing, theirs {"items":{"items":{"format":"uri","type":"string"},"type":"array"},"maxItems":4,"type":"array"}: ` +
			"callers can't set it yet, but through Client.Submit"}},
		{"array of itself added", func(d *vendor) {
			d.doc["components"].(object)["schemas"] = object{"A": object{"type": "array", "items": object{"$ref": "#/components/schemas/A"}}}
			d.properties()["tree"] = object{"$ref": "#/components/schemas/A"}
		}, []string{"compatible " + request + `properties/tree: ours nothing, theirs {"items":{"items":{"items":{"type":"array"},"type":"array"},"type":"array"},"type":"array"}: ` +
			"callers can't set it yet, but through Client.Submit"}},
		{"property added, required", func(d *vendor) {
			d.properties()["mask_url"] = object{"type": "string"}
			d.request["required"] = []any{"model", "video_url", "mask_url"}
		}, []string{"breaking " + request + `properties/mask_url: ours nothing, theirs {"type":"string"}: requests without it are refused`}},
		{"required", func(d *vendor) { d.request["required"] = []any{"model", "prompt"} },
			[]string{"breaking " + request + `required: ours nothing, theirs "prompt": requests without it are refused`,
				"compatible " + request + `required: ours "video_url", theirs nothing: it may be left out`}},
		{"required, but not described", func(d *vendor) { d.request["required"] = []any{"model", "video_url", "mask_url"} },
			[]string{"breaking " + request + `required: ours nothing, theirs "mask_url": requests without it are refused`}},
		{"dropped, but required", func(d *vendor) {
			delete(d.properties(), "sync_mode")
			d.request["required"] = []any{"model", "video_url", "sync_mode"}
		}, []string{
			"breaking " + request + `properties/sync_mode: ours {"type":"boolean"}, theirs nothing: requests with it may be refused, or it is ignored`,
			"breaking " + request + `required: ours nothing, theirs "sync_mode": requests without it are refused`}},
		{"required in an answer, but not described", func(d *vendor) { d.answer["required"] = []any{"id", "status", "cost"} },
			[]string{"compatible " + answer + `required: ours nothing, theirs "cost": it always comes`}},
		{"property of an answer dropped", func(d *vendor) { delete(d.answer["properties"].(object), "video") },
			[]string{"breaking " + answer + `properties/video: ours {"nullable":true,"type":"object"}, theirs nothing: callers that read it find nothing`}},
		{"property of an answer added", func(d *vendor) { d.answer["properties"].(object)["duration"] = object{"type": "number"} },
			[]string{"compatible " + answer + `properties/duration: ours nothing, theirs {"type":"number"}: callers don't see it yet`}},
		{"required in an answer", func(d *vendor) { d.answer["required"] = []any{"id", "video"} },
			[]string{"breaking " + answer + `required: ours "status", theirs nothing: it may be missing from answers`,
				"compatible " + answer + `required: ours nothing, theirs "video": it always comes`}},

		// The operations.
		{"server", func(d *vendor) { d.doc["servers"] = []any{object{"url": "https://api2.aimlapi.com/"}} }, []string{
			`breaking dance dance.yaml#/paths/~1v2~1video~1generations: ours "https://api.aimlapi.com/v2/video/generations", theirs "https://api2.aimlapi.com/v2/video/generations": requests go to the wrong place`,
			`breaking generation generation.yaml#/paths/~1v2~1video~1generations: ours "https://api.aimlapi.com/v2/video/generations", theirs "https://api2.aimlapi.com/v2/video/generations": requests go to the wrong place`}},
		{"version in the server instead of the path", func(d *vendor) {
			paths := d.doc["paths"].(object)
			paths["/video/generations"] = paths["/v2/video/generations"]
			delete(paths, "/v2/video/generations")
			d.doc["servers"] = []any{object{"url": "https://api.aimlapi.com/v2"}}
		}, nil},
		{"another media type", func(d *vendor) {
			content := d.post["requestBody"].(object)["content"].(object)
			content["multipart/form-data"] = content["application/json"]
			delete(content, "application/json")
		}, []string{"breaking " + post + `requestBody/content: ours "application/json", theirs "multipart/form-data": requests in JSON are refused`}},
		{"security", func(d *vendor) {
			d.get["security"] = []any{object{"key": []any{}}}
			d.doc["components"].(object)["securitySchemes"].(object)["key"] = object{"type": "apiKey", "in": "header", "name": "X-Key"}
		}, []string{`breaking generation generation.yaml#/security: ours "http bearer", theirs "apiKey in header X-Key": requests aren't authorized`}},
		{"parameter renamed", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["name"] = "id" }, []string{
			`breaking generation generation.yaml#/components/parameters/GenerationID: ours "query generation_id", theirs nothing: requests with it may be refused, or it is ignored`,
			"breaking " + get + `parameters/-: ours nothing, theirs "query id": requests without it are refused`}},
		{"parameter optional", func(d *vendor) { delete(d.get["parameters"].([]any)[0].(object), "required") },
			[]string{"compatible generation generation.yaml#/components/parameters/GenerationID/required: ours true, theirs false: it may be left out"}},
		{"parameter of another type", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["schema"] = object{"type": "integer"} },
			[]string{`breaking generation generation.yaml#/components/parameters/GenerationID/schema/type: ours "string", theirs "integer": the API may reject or reinterpret requests that our spec allows`}},
		{"parameter added", func(d *vendor) {
			d.post["parameters"] = []any{object{"name": "dry_run", "in": "query", "schema": object{"type": "boolean"}}}
		}, []string{"compatible " + post + `parameters/-: ours nothing, theirs "query dry_run": callers can't set it yet, but through Client.Submit`}},
		{"a parameter of ours documented at last", func(d *vendor) {
			d.post["parameters"] = []any{object{"name": "x-client-request-id", "in": "header",
				"schema": object{"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"}}}
			d.get["parameters"] = append(d.get["parameters"].([]any), d.post["parameters"].([]any)...)
		}, []string{`gone compatible generation generation.yaml#/components/parameters/ClientRequestID: ours "header X-Client-Request-Id", theirs nothing: ` +
			"listed as known, but it isn't there: look what they say now, and edit known.yaml (Documented for the API as a whole.)"}},

		{"operation deprecated", func(d *vendor) { d.post["deprecated"], d.get["deprecated"] = true, true }, []string{
			"compatible dance dance.yaml#/paths/~1v2~1video~1generations/post/deprecated: ours false, theirs true: what is deprecated goes away some day",
			"compatible " + get + "deprecated: ours false, theirs true: what is deprecated goes away some day"}},
		{"parameter deprecated", func(d *vendor) { d.get["parameters"].([]any)[0].(object)["deprecated"] = true },
			[]string{"compatible generation generation.yaml#/components/parameters/GenerationID/deprecated: ours false, theirs true: what is deprecated goes away some day"}},
		{"body optional", func(d *vendor) { delete(at(d.post, "requestBody"), "required") },
			[]string{"compatible " + post + "requestBody/required: ours true, theirs false: it may be left out"}},
		{"media type with a parameter", func(d *vendor) {
			for _, content := range []object{at(d.post, "requestBody", "content"), at(d.post, "responses", "200", "content")} {
				content["application/json; charset=utf-8"] = content["application/json"]
				delete(content, "application/json")
			}
		}, nil},

		// Answers.
		{"no answers", func(d *vendor) { delete(d.post, "responses") },
			[]string{"breaking " + post + `responses: ours "a success", theirs nothing: there is no answer to read an id or a status from`}},
		{"no success", func(d *vendor) { d.get["responses"] = object{"400": object{}} },
			[]string{"breaking " + get + `responses: ours "a success", theirs nothing: there is no answer to read an id or a status from`}},
		{"a success in another type", func(d *vendor) { d.get["responses"] = object{"200": object{"content": object{"text/plain": object{}}}} },
			[]string{`breaking generation generation.yaml#/components/responses/Polled/content/application~1json: ours "application/json", theirs "text/plain": there is nothing to read an id or a status from`}},
		{"an error in another type", func(d *vendor) {
			at(d.post, "responses")["429"] = object{"content": object{"text/plain": object{}, "text/html": object{}}}
		}, []string{`breaking dance generation.yaml#/components/responses/TooManyRequests/content/application~1json: ours "application/json", theirs "text/html or text/plain": callers can't read what went wrong`}},
		{"an error without a word", func(d *vendor) { at(d.post, "responses")["429"] = object{} }, nil},
		{"a header of another type", func(d *vendor) {
			at(d.get, "responses", "200")["headers"] = object{"X-AIMLAPI-Credits-Used": object{"schema": object{"type": "string"}, "deprecated": true}}
		}, []string{
			`breaking generation generation.yaml#/components/headers/CreditsUsed/schema/type: ours "number", theirs "string"` + unexpected,
			"compatible generation generation.yaml#/components/headers/CreditsUsed/deprecated: ours false, theirs true: what is deprecated goes away some day"}},
		{"201", func(d *vendor) {
			responses := d.post["responses"].(object)
			responses["201"] = responses["200"]
			delete(responses, "200")
		}, nil},
		{"202", func(d *vendor) { d.post["responses"].(object)["202"] = object{} },
			[]string{"breaking " + post + `responses/202: ours nothing, theirs "202": the client takes it, but typed clients leave it undecoded`}},
		{"402", func(d *vendor) { d.post["responses"].(object)["402"] = object{} },
			[]string{"compatible " + post + `responses/402: ours nothing, theirs "402": an answer that nobody knew of`}},
		{"no body", func(d *vendor) { d.get["responses"] = object{"200": object{}} },
			[]string{`breaking generation generation.yaml#/components/responses/Polled/content/application~1json: ours "a body", theirs nothing: there is nothing to read an id or a status from`}},
		{"a header", func(d *vendor) {
			d.get["responses"].(object)["200"].(object)["headers"] = object{"X-Client-Request-ID": object{}, "x-cost": object{}}
		}, []string{`compatible generation generation.yaml#/components/responses/Polled/headers: ours nothing, theirs "x-cost": callers don't see it yet`}},
		{"an error's body", func(d *vendor) {
			d.post["responses"].(object)["400"] = object{"content": object{"application/json": object{"schema": object{
				"type": "object", "properties": object{"error": object{"type": "string"}}}}}}
		}, []string{
			"breaking dance generation.yaml#/components/schemas/Error/properties/message: ours {\"type\":\"string\"}, theirs nothing: callers that read it find nothing",
			"breaking dance generation.yaml#/components/schemas/Error/properties/path: ours {\"type\":\"string\"}, theirs nothing: callers that read it find nothing",
			"breaking dance generation.yaml#/components/schemas/Error/properties/requestId: ours {\"type\":\"string\"}, theirs nothing: callers that read it find nothing",
			"breaking dance generation.yaml#/components/schemas/Error/properties/statusCode: ours {\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}, theirs nothing: callers that read it find nothing",
			"breaking dance generation.yaml#/components/schemas/Error/properties/timestamp: ours {\"format\":\"date-time\",\"type\":\"string\"}, theirs nothing: callers that read it find nothing",
			"compatible dance generation.yaml#/components/schemas/Error/properties/error: ours nothing, theirs {\"type\":\"string\"}: callers don't see it yet",
		}},

		// Several models in one document.
		{"another model beside ours", func(d *vendor) {
			d.property("model")["enum"] = []any{"other/model", "example/dance"}
		}, nil},
		{"a schema for each model", func(d *vendor) {
			other := object{"type": "object", "properties": object{"model": object{"type": "string", "enum": []any{"other/model"}}}}
			content := d.post["requestBody"].(object)["content"].(object)["application/json"].(object)
			content["schema"] = object{"oneOf": []any{other, object{"$ref": "#/components/schemas/Dance"}}}
			d.doc["components"].(object)["schemas"] = object{"Dance": d.request}
			d.property("shift")["default"] = 4
		}, []string{"breaking " + request + "properties/shift/default: ours 5, theirs 4: requests that leave it out get something else, without an error"}},
		{"alternatives beside what they share", func(d *vendor) {
			model := d.property("model")
			delete(d.properties(), "model")
			d.request["oneOf"] = []any{
				object{"properties": object{"model": object{"type": "string", "enum": []any{"other/model"}}}},
				object{"properties": object{"model": model}},
			}
			d.property("shift")["default"] = 4
		}, []string{"breaking " + request + "properties/shift/default: ours 5, theirs 4: requests that leave it out get something else, without an error"}},
		{"models listed beside the alternatives", func(d *vendor) {
			d.property("model")["enum"] = []any{"other/model", "example/dance"}
			d.request["anyOf"] = []any{object{"properties": object{"model": object{"const": "example/dance"}, "mask": object{"type": "string"}}}}
		}, []string{"compatible " + request + `properties/mask: ours nothing, theirs {"type":"string"}: callers can't set it yet, but through Client.Submit`}},
		{"alternatives that say nothing of the model", func(d *vendor) {
			d.request["anyOf"] = []any{object{"required": []any{"prompt"}}, object{"required": []any{"shift"}}}
		}, []string{"breaking " + request + `anyOf: ours nothing, theirs [{"required":["prompt"]},{"required":["shift"]}]` + mayRefuse}},
		{"the model as a constant", func(d *vendor) {
			d.doc["openapi"] = "3.1.0"
			d.properties()["model"] = object{"const": "example/dance"}
		}, nil},
		{"another constant", func(d *vendor) { d.property("acceleration")["const"] = "none" },
			[]string{"breaking " + request + `properties/acceleration/enum: ours "regular", theirs nothing: requests with this value may be refused`}},

		// Schemas made of others.
		{"one member", func(d *vendor) {
			d.property("shift")["default"] = 4
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{"allOf": []any{d.request}}
		}, []string{"breaking " + request + "properties/shift/default: ours 5, theirs 4: requests that leave it out get something else, without an error"}},
		{"members", func(d *vendor) {
			d.property("shift")["default"] = 4
			model := d.property("model")
			delete(d.properties(), "model")
			d.request["required"] = []any{"video_url"}
			d.doc["components"].(object)["schemas"] = object{"Base": object{"type": "object", "required": []any{"model"},
				"properties": object{"model": model, "shift": object{"maximum": 9}}}}
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{
				"allOf": []any{object{"$ref": "#/components/schemas/Base"}, d.request}}
		}, []string{
			"breaking " + request + "properties/shift/default: ours 5, theirs 4: requests that leave it out get something else, without an error",
			"breaking " + request + "properties/shift/maximum: ours nothing, theirs 9" + mayRefuse}},
		{"members of a property", func(d *vendor) {
			d.properties()["prompt"] = object{"allOf": []any{object{"type": "string"}}, "description": "The scene."}
		}, nil},
		{"members that contradict each other", func(d *vendor) {
			d.properties()["sync_mode"] = object{"type": "boolean", "allOf": []any{object{"type": "string"}}}
		}, []string{"breaking " + request + `properties/sync_mode/allOf: ours nothing, theirs [{"type":"string"}]` + mayRefuse}},

		// Texts.
		{"a text that nobody has read", func(d *vendor) { d.property("zoom_factor")["description"] = "From 0 to 2." },
			[]string{`text ` + request + `properties/zoom_factor/description: ours "How far the video is zoomed in, in relation to the canvas; what then lies beyond the edges is cut off. 0 is no zoom. Neither an upper bound nor a default is d…, ` +
				`theirs "From 0 to 2.": a wording not read yet: look for facts in it, then note ` + fingerprint("From 0 to 2") + ` in known.yaml`}},
		{"a text that was read is gone", func(d *vendor) {
			delete(d.property("prompt"), "description")
			d.answered("id")["description"] = " "
		}, []string{
			`text ` + request + `properties/prompt/description: ours "What the video is to show.", theirs nothing` + goneText,
			`text ` + answer + `properties/id/description: ours "Names the generation.", theirs nothing` + goneText}},
		{"a long text that ends otherwise", func(d *vendor) {
			was := d.property("negative_prompt")["default"].(string)
			d.property("negative_prompt")["default"] = strings.TrimSuffix(was, "walking backwards") + "running"
		}, []string{"breaking " + request + `properties/negative_prompt/default: ours …, worst quality, low quality, walking backwards", theirs …, worst quality, low quality, running": requests that leave it out get something else, without an error`}},
		{"control characters", func(d *vendor) {
			d.properties()["a\x1b[2J\n\u202eb"] = object{"type": "string", "default": "\u009b\u2066"}
		},
			[]string{"compatible " + request + "properties/a\ufffd[2J\ufffd\ufffdb: ours nothing, theirs {\"default\":\"\ufffd\ufffd\",\"type\":\"string\"}: callers can't set it yet, but through Client.Submit"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newVendor(t)
			test.change(d)
			data, err := json.Marshal(d.doc)
			if err != nil {
				t.Fatal(err)
			}
			lines, stderr, code := drift(t, write(t, "vendor.json", data))
			if stderr != "" {
				t.Error(stderr)
			}
			if want := min(1, len(test.want)); code != want {
				t.Errorf("exit status %d, want %d", code, want)
			}
			lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "known ") })
			for i, line := range lines {
				lines[i] = strings.TrimPrefix(line, "new ")
			}
			equal(t, lines, test.want)
		})
	}
}

// A vendor is the document in testdata with its parts at hand.
type vendor struct{ doc, post, get, request, answer object }

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
	d.answer = at(d.post, "responses", "200", "content", "application/json", "schema")
	return d
}

func (d *vendor) properties() object { return at(d.request, "properties") }

func (d *vendor) property(name string) object { return at(d.request, "properties", name) }

// answered is a property of the answer to a submission.
func (d *vendor) answered(path ...string) object {
	o := d.answer
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
