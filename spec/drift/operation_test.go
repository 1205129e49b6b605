package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// An operation that has changed beyond recognition is an error, on a page as in a document with the other operation.
func TestUnrecognised(t *testing.T) {
	rename := func(o object, from, to string) {
		o[to] = o[from]
		delete(o, from)
	}
	item := func(d *vendor) object { return at(d.doc, "paths", "/v2/video/generations") }
	const (
		none    = "none of our models is in it, nor the polling of a generation: it has "
		neither = ", which is neither a request for one of our models nor the polling of a generation"
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
		{"more members than anybody writes", "1 of 2", "POST " + path, func(d *vendor) {
			at(d.post, "requestBody", "content", "application/json")["schema"] = object{
				"allOf": append(slices.Repeat([]any{object{}}, maxMembers), d.request)}
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
				write(t, "page.md", []byte(d.page())): "document " + test.block + ": " + none + test.operation,
				write(t, "vendor.json", data):         "it has " + test.operation + neither,
			} {
				lines, stderr, code := drift(t, file)
				if code != 2 || !strings.HasSuffix(stderr, ": "+want+"\n") || strings.Count(stderr, "\n") != 1 {
					t.Errorf("exit status %d, stderr %q, want 2 and %q", code, stderr, want)
				}
				if len(lines) == 0 { // the other operation is compared all the same
					t.Error("no findings")
				}
			}
		})
	}
}

// Operations of other models and endpoints belong to a larger document and are left aside.
func TestStrangers(t *testing.T) {
	d := newVendor(t)
	paths := at(d.doc, "paths")
	paths["/v1/models"] = object{"get": object{}}
	paths["/v2/video/generations/cancel"] = object{"post": object{}}
	at(paths, "/v2/video/generations")["delete"] = object{}
	data, _ := json.Marshal(d.doc)
	if _, stderr, code := drift(t, write(t, "vendor.json", data)); stderr != "" || code != 0 {
		t.Errorf("exit status %d, stderr %q, want 0 and nothing", code, stderr)
	}
	delete(at(paths, "/v2/video/generations"), "post") // nobody promised one, and DELETE won't be it
	delete(paths, "/v2/video/generations/cancel")
	data, _ = json.Marshal(d.doc)
	if _, stderr, code := drift(t, write(t, "vendor.json", data)); stderr != "" || code != 0 {
		t.Errorf("without a submission: exit status %d, stderr %q, want 0 and nothing", code, stderr)
	}
	delete(paths, "/v2/video/generations")
	paths["/v2/video/generations/cancel"] = object{"post": object{}}
	paths["/a"], paths["/b"] = object{"get": object{}, "post": object{}}, object{"get": object{}}
	data, _ = json.Marshal(d.doc)
	_, stderr, code := drift(t, write(t, "vendor.json", data))
	if want := "it has GET /a, POST /a, GET /b, 2 more\n"; code != 2 || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit status %d, stderr %q, want 2 and %q", code, stderr, want)
	}
}
