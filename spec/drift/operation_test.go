package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// An operation that changed beyond recognition is an error, on a page and in a spec with the other operation.
func TestUnrecognised(t *testing.T) {
	rename := func(o object, from, to string) {
		o[to] = o[from]
		delete(o, from)
	}
	item := func(d *vendor) object { return at(d.doc, "paths", "/v2/video/generations") }
	const (
		none    = "it has neither a submission for one of our models nor the polling of a generation: it has "
		neither = ", which is neither a submission for one of our models nor the polling of a generation"
		path    = "/v2/video/generations"
	)
	tests := []struct {
		name, block, operation string
		change                 func(d *vendor)
	}{
		{"another model", "1 of 2", "POST " + path, func(d *vendor) { d.property("model")["enum"] = []any{"example/dance-2"} }},
		{"no model", "1 of 2", "POST " + path, func(d *vendor) { delete(d.property("model"), "enum") }},
		{"no body", "1 of 2", "POST " + path, func(d *vendor) { d.post["requestBody"] = object{} }},
		{"PUT", "1 of 2", "PUT " + path, func(d *vendor) { rename(item(d), "post", "put") }},
		{"members that contradict each other", "1 of 2", "POST " + path, func(d *vendor) {
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{
				"allOf": []any{d.request, object{"type": "string"}}}
		}},
		{"the id in the path", "2 of 2", "GET " + path + "/{id}", func(d *vendor) {
			d.get["parameters"] = []any{object{"name": "id", "in": "path", "required": true, "schema": object{"type": "string"}}}
			at(d.doc, "paths")[path+"/{id}"] = object{"get": d.get}
			delete(item(d), "get")
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newVendor(t)
			test.change(d)
			data, err := json.Marshal(d.doc)
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range map[string]string{
				write(t, "page.md", []byte(d.page())): "spec " + test.block + ": " + none + test.operation,
				write(t, "vendor.json", data):         "it has " + test.operation + neither,
			} {
				lines, stderr, code := drift(t, file)
				if code != 2 || !strings.HasSuffix(stderr, ": "+want+"\n") || strings.Count(stderr, "\n") != 1 {
					t.Errorf("exit status %d, stderr %q, want 2 and %q", code, stderr, want)
				}
				if len(lines) == 0 { // the other operation is still compared
					t.Error("no findings")
				}
			}
		})
	}
}

// Operations that ours lack are reported, those beside ours one by one.
func TestForeignOperations(t *testing.T) {
	const vendorPath = "/v2/video/generations"
	d := newVendor(t)
	paths := at(d.doc, "paths")
	paths["/v1/models"], paths["/v1/logs"] = object{"get": object{}}, object{"get": object{}}
	paths[vendorPath+"/cancel"] = object{"post": object{}}
	at(paths, vendorPath)["delete"] = object{}
	run := func() (lines []string, stderr string, code int) {
		data, _ := json.Marshal(d.doc)
		lines, stderr, code = drift(t, write(t, "vendor.json", data))
		return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "known ") }), stderr, code
	}
	const p = "new compatible generation generation.yaml#/paths"
	lines, stderr, code := run()
	equal(t, lines, []string{
		p + `/~1v2~1video~1generations/delete: ours nothing, theirs "DELETE /v2/video/generations": an operation that the client does not have`,
		p + `/~1v2~1video~1generations~1cancel/post: ours nothing, theirs "POST /v2/video/generations/cancel": an operation that the client does not have`,
		p + `: ours nothing, theirs "GET /v1/logs, GET /v1/models": operations that the client does not have`,
	})
	if stderr != "" || code != 1 {
		t.Errorf("exit status %d, stderr %q, want 1 and nothing", code, stderr)
	}
	delete(paths, vendorPath)
	paths["/a"], paths["/b"] = object{"get": object{}, "post": object{}}, object{"get": object{}}
	_, stderr, code = run()
	if want := "it has GET /a, POST /a, GET /b, 3 more\n"; code != 2 || !strings.HasSuffix(stderr, want) {
		t.Errorf("without ours: exit status %d, stderr %q, want 2 and %q", code, stderr, want)
	}
}
