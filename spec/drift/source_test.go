package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/aimlvideo/wan-go/spec"
)

func TestUnreadable(t *testing.T) {
	var fetched atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		w.Write([]byte(`{"type":"string"}`))
	}))
	defer server.Close()
	secret := write(t, "secret.yaml", []byte("type: string\n"))
	withSchema := func(schema string) string {
		return `{"openapi":"3.0.0","paths":{"/x":{"post":{"requestBody":{"content":{"application/json":{"schema":` + schema + `}}}}}}}`
	}
	withRef := func(ref string) string { return withSchema(`{"$ref":"` + ref + `"}`) }
	withComponents := func(schemas string) string {
		return strings.TrimSuffix(withRef("#/components/schemas/A"), "}") + `,"components":{"schemas":{` + schemas + `}}}`
	}
	var multiplied string
	for c := 'A'; c < 'Z'; c++ {
		multiplied += fmt.Sprintf(`"%c":{"allOf":[{"$ref":"#/components/schemas/%[2]c"},{"$ref":"#/components/schemas/%[2]c"}]},`, c, c+1)
	}
	multiplied += `"Z":{}`
	bomb := "openapi: 3.0.0\na: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+string(c-1)+", ", 9) + "x]\n"
	}
	tests := []struct{ name, document, want string }{
		{"nothing", "", "it is neither JSON nor YAML with an OpenAPI document"},
		{"a text", "Hello\n", "it is neither JSON nor YAML with an OpenAPI document"},
		{"a list", "- openapi: 3.0.0\n", "it is neither JSON nor YAML with an OpenAPI document"},
		{"JSON cut off", `{"openapi":`, "it is neither JSON nor YAML with an OpenAPI document"},
		{"a page", "<!DOCTYPE html>\n<html><body>404</body></html>\n", "it is neither JSON nor YAML with an OpenAPI document"},
		{"an array", `[1]`, "it is neither JSON nor YAML with an OpenAPI document"},
		{"something else", `{"name":"wan"}`, "none of our models is in it, nor the polling of a generation"},
		{"another API", `{"openapi":"3.0.0","paths":{"/x":null,"/y":{"get":{}}}}`, "none of our models is in it"},
		{"a text in JSON", `"openapi: 3.0.0"`, "it is neither JSON nor YAML with an OpenAPI document\n"},
		{"null", `null`, "it is neither JSON nor YAML with an OpenAPI document\n"},
		{"several documents in YAML", "openapi: 3.0.0\n---\nopenapi: 3.0.0\n", "it is neither JSON nor YAML with an OpenAPI document\n"},
		{"a bound as a text", withSchema(`{"maximum":"241"}`), "maximum"},
		{"a bound as a text in YAML", "openapi: 3.0.0\ncomponents: {schemas: {A: {maxItems: four}}}\n", "maxItems"},
		{"an operation that is none", `{"openapi":"3.0.0","paths":{"/x":{"get":[]}}}`, "Operation"},
		{"a key twice", "openapi: 3.0.0\nopenapi: 3.0.0\n", "openapi"},
		{"a $ref in circles", withComponents(`"A":{"allOf":[{"$ref":"#/components/schemas/B"}]},"B":{"allOf":[{"$ref":"#/components/schemas/A"}]}`), "none of our models"},
		{"parts that multiply", withComponents(multiplied), "its schemas refer to each other too often to be put together\n"},
		{"too many documents", strings.Repeat("```json\n{\"openapi\":\"3.0.0\"}\n```\n", maxDocuments+1), "it has more than 100 documents"},
		{"paths of another type", `{"openapi":"3.0.0","paths":[]}`, ""},
		{"a remote $ref", withRef(server.URL + "/schema.json"), "other documents aren't read"},
		{"a $ref to a file", withRef("file://" + secret), "other documents aren't read"},
		{"a $ref to a path", withRef(secret), "other documents aren't read"},
		{"a $ref up", withRef("../generation.yaml"), "other documents aren't read"},
		{"a $ref to nowhere", withRef("#/components/schemas/Nowhere"), "Nowhere"},
		{"a $ref to itself", `{"openapi":"3.0.0","paths":{},"components":{"schemas":{"A":{"$ref":"#/components/schemas/A"}}}}`, "none of our models"},
		{"aliases", bomb, "it has YAML aliases"},
		{"deep JSON", `{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}", "it is nested deeper than 50"},
		{"deep YAML", "a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n", "it is nested deeper than 50"},
		{"deeper YAML", "a: " + strings.Repeat("[", 1e6), "it is neither JSON nor YAML"},
		{"long JSON", `{"a":[` + strings.Repeat("1,", maxLength) + "1]}", "it has a value with more than 10000 parts"},
		{"long YAML", "a:\n" + strings.Repeat("- 1\n", maxLength+1), "it has a value with more than 10000 parts"},
		{"too large", strings.Repeat(" ", maxSize+1), "it has more than 8 MB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := write(t, "document", []byte(test.document))
			lines, stderr, code := drift(t, file)
			if len(lines) != 0 || code != 2 || !strings.HasPrefix(stderr, "drift: "+file[:20]) || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%d lines, exit status %d, stderr %q, want 2 and %q", len(lines), code, stderr, test.want)
			}
		})
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("%d $refs were followed", n)
	}
}

func TestArguments(t *testing.T) {
	vendor, err := os.ReadFile("testdata/vendor.json")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/vendor.json":
			w.Write(vendor)
		case "/moved":
			http.Redirect(w, r, "/vendor.json", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/endless":
			for w.Header().Set("Content-Type", "application/json"); ; {
				if _, err := w.Write(bytes.Repeat([]byte(" "), 1<<20)); err != nil {
					return
				}
			}
		case "/silent":
			<-r.Context().Done()
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	tests := []struct {
		name   string
		args   []string
		lines  int
		stderr string
		code   int
	}{
		{"no arguments", nil, 0, "usage: drift", 2},
		{"unknown flag", []string{"--html", "x"}, 0, "flag provided but not defined", 2},
		{"help", []string{"--help"}, 0, "usage: drift", 2},
		{"no such file", []string{"testdata/nothing.json"}, 0, "drift: testdata/nothing.json: no such file or directory", 2},
		{"directory", []string{"testdata"}, 0, "drift: testdata: read testdata: is a directory", 2},
		{"URL", []string{server.URL + "/vendor.json"}, 12, "", 0},
		{"moved URL", []string{server.URL + "/moved"}, 12, "", 0},
		{"moved to a file", []string{server.URL + "/file"}, 0, "unsupported protocol scheme", 2},
		{"no such URL", []string{server.URL + "/nothing"}, 0, "the server answers 404 Not Found", 2},
		{"endless URL", []string{server.URL + "/endless"}, 0, "it has more than 8 MB", 2},
		{"silent URL", []string{server.URL + "/silent"}, 0, "context deadline exceeded", 2},
		{"no URL", []string{"http://[::1"}, 0, "it isn't a URL", 2},
		{"one of two", []string{"testdata/nothing.json", "testdata/vendor.json"}, 12, "no such file", 2},
		{"the same twice", []string{"testdata/vendor.json", "testdata/vendor.json"}, 12, "", 0},
		{"no such list", []string{"--known", "nothing.yaml", "testdata/vendor.json"}, 0, "nothing.yaml: no such file", 2},
		{"a list of something else", []string{"--known", "testdata/vendor.json", "testdata/vendor.json"}, 0, "field openapi not found", 2},
		{"a list without reasons", []string{"--known", write(t, "known.yaml", []byte("differences: [{pointer: /a}]")), "testdata/vendor.json"}, 0, "a pointer and a reason", 2},
		{"YAML with numbers for statuses", []string{write(t, "d.yaml", []byte(`
openapi: 3.0.0
paths:
  /v2/video/generations:
    get: {parameters: [{name: generation_id, in: query, required: true, schema: {type: string}}], responses: {200: {}}}
`))}, 4, "", 1},
		{"a page with both documents", []string{write(t, "page.md", []byte(newVendor(t).page()))}, 12, "", 0},
		{"a URL in capitals", []string{strings.Replace(server.URL, "http", "HTTP", 1) + "/vendor.json"}, 12, "", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			if test.name == "silent URL" {
				ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
			}
			defer cancel()
			var stdout, stderr bytes.Buffer
			code := run(ctx, frozen(t), append([]string{"--known", "testdata/known.yaml"}, test.args...), &stdout, &stderr)
			lines := strings.Count(stdout.String(), "\n")
			if lines != test.lines || code != test.code || !strings.Contains(stderr.String(), test.stderr) || test.stderr == "" && stderr.Len() > 0 {
				t.Errorf("%d lines, exit status %d, stderr %q, want %d, %d, %q\n%s", lines, code, &stderr, test.lines, test.code, test.stderr, &stdout)
			}
		})
	}
}

// Whatever a document holds, reading it doesn't panic, and each finding is one harmless line.
func FuzzDocument(f *testing.F) {
	for _, pattern := range []string{"testdata/vendor.json", "testdata/ours/*.yaml", "../*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	ours := current()
	const path = `{"openapi":"3.0.0","paths":{"/v2/video/generations":`
	for _, seed := range []string{
		"", "{}", "[]", "null", "openapi: 3.0.0", "a: &a [*a]", `{"paths":{"/":null}}`,
		path + `{"get":{}}}}`, path + `{"get":{"responses":{"200":null,"default":{}}}}}}`,
		path + `{"get":{"parameters":[null,{},{"$ref":"#/components/parameters/A"}],"security":[null,{"a":[]}]}}}}`,
		path + `{"post":{"requestBody":{"content":{"application/json":null,"a":{},"b":{"schema":{}}}}}}}}`,
		path + `{"post":{"requestBody":{"content":{"application/json":{"schema":{"oneOf":[null,{"properties":{"model":{"const":"MODEL"}}}]}}}}}}}`,
		path + `{"post":{"requestBody":{"content":{"application/json":{"schema":{"properties":{"model":{"enum":["MODEL"]},` +
			`"shift":null,"video_url":{"type":["string","null"],"not":{}},"resolution":{"enum":[null,1,{}],"default":[]}}}}}}}}}}`,
		path + `{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}}}},` +
			`"components":{"schemas":{"A":{"properties":{"model":{"enum":["MODEL"]},"image_url":{"$ref":"#/components/schemas/A"}}}}}}`,
		path + `{"post":{"requestBody":{"content":{"application/json":{"schema":{"allOf":[{"properties":{"model":{"enum":["MODEL"]},"shift":{"minimum":1}}},` +
			`{"$ref":"#/components/schemas/A"}],"anyOf":[{"properties":{"model":{"const":"MODEL"}}},{}]}}}}}}},"components":{"schemas":{"A":` +
			`{"required":["b"],"properties":{"shift":{"maximum":2},"mask":{"type":"array","items":{"$ref":"#/components/schemas/A"}}},"allOf":[{"$ref":"#/components/schemas/A"}]}}}}`,
		path + `{"get":{"responses":{"200":{"headers":{"x-client-request-id":{},"X-CLIENT-REQUEST-ID":{"schema":{}}}},"429":{"content":{"text/plain":{}}}}}}}}`,
		"# Page\n\n  ```json a\r\n{\"openapi\":\"3.0.0\"}\r\n  ```\n~~~yaml\nopenapi: 3.0.0\n",
		"openapi: 3.1.0\npaths: {/v2/video/generations: {get: {responses: {200: {content: {application/json: {schema: true}}}}}}}",
	} {
		f.Add([]byte(strings.ReplaceAll(seed, "MODEL", ours.models[0].Model)))
	}
	list, err := readKnown("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := report{ours: ours, known: list}
		for _, text := range extract(data) {
			document, err := ours.load(text)
			if err != nil {
				continue
			}
			operations, strangers := ours.operations(document, &flattener{left: maxParts})
			ours.lost(operations, strangers)
			for _, o := range operations {
				for _, of := range []*known{list, nil} {
					c := &comparison{operation: o, known: of}
					c.compare()
					r.findings = append(r.findings, c.findings...)
					r.visits = append(r.visits, c.visits...)
				}
			}
		}
		for _, finding := range r.finish() {
			line := finding.String()
			if strings.ContainsFunc(line, func(c rune) bool { return !unicode.IsPrint(c) }) || len(line) > 5000 {
				t.Errorf("not a harmless line: %q", line)
			}
			if _, ok := spec.BySlug(finding.Model); !ok && finding.Model != "generation" {
				t.Errorf("no model of ours: %s", line)
			}
			if !strings.HasPrefix(finding.Pointer, "/") || finding.Grade == "" || finding.Means == "" {
				t.Errorf("half a finding: %s", line)
			}
		}
	})
}
