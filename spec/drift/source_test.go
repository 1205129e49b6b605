package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
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
	tests := []struct{ name, document, want string }{
		{"nothing", "", "no OpenAPI spec in it"},
		{"a text-only page", "POST /v2/video/generations\nBody\nmodel undefined required\n", "pass the page in its Markdown form (the page's URL with .md appended)"},
		{"a list", "- openapi: 3.0.0\n", "no OpenAPI spec in it"},
		{"HTML", "<!DOCTYPE html>\n<html><body>404</body></html>\n", "no OpenAPI spec in it"},
		{"an array", `[1]`, "no OpenAPI spec in it"},
		{"a string", `"openapi: 3.0.0"`, "no OpenAPI spec in it"},
		{"null", `null`, "no OpenAPI spec in it"},
		{"something else", `{"name":"wan"}`, "no OpenAPI spec in it"},
		{"two YAML documents", "openapi: 3.0.0\n---\nopenapi: 3.0.0\n", "it has no operations"},
		{"JSON cut off", `{"openapi":`, "invalid OpenAPI"},
		{"another API", `{"openapi":"3.0.0","paths":{"/x":null,"/y":{"get":{}}}}`, "neither a submission for one of our models nor the polling"},
		{"no operation", `{"openapi":"3.0.0","paths":{}}`, "it has no operations"},
		{"a bound as a string", withSchema(`{"maximum":"241"}`), "maximum"},
		{"a bound as a string in YAML", "openapi: 3.0.0\ncomponents: {schemas: {A: {maxItems: four}}}\n", "maxItems"},
		{"an array for an operation", `{"openapi":"3.0.0","paths":{"/x":{"get":[]}}}`, "invalid OpenAPI"},
		{"a key twice", "openapi: 3.0.0\nopenapi: 3.0.0\n", "openapi"},
		{"a circular $ref", withComponents(`"A":{"allOf":[{"$ref":"#/components/schemas/B"}]},"B":{"allOf":[{"$ref":"#/components/schemas/A"}]}`), "neither a submission"},
		{"a remote $ref", withRef(server.URL + "/schema.json"), "only generation.yaml is read"},
		{"a $ref to a file", withRef("file://" + secret), "only generation.yaml is read"},
		{"a $ref to a path", withRef(secret), "only generation.yaml is read"},
		{"a $ref up", withRef("../generation.yaml"), "only generation.yaml is read"},
		{"a $ref to nowhere", withRef("#/components/schemas/Nowhere"), "Nowhere"},
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
		{"help", []string{"--help"}, 0, "Exit status: 0 nothing is new", 0},
		{"no such file", []string{"testdata/nothing.json"}, 0, "drift: testdata/nothing.json: no such file or directory", 2},
		{"directory", []string{"testdata"}, 0, "drift: testdata: read testdata: is a directory", 2},
		{"URL", []string{server.URL + "/vendor.json"}, 12, "", 0},
		{"moved URL", []string{server.URL + "/moved"}, 12, "", 0},
		{"moved to a file", []string{server.URL + "/file"}, 0, "unsupported protocol scheme", 2},
		{"no such URL", []string{server.URL + "/nothing"}, 0, "the server responded 404 Not Found", 2},
		{"endless URL", []string{server.URL + "/endless"}, 0, "it has more than 8 MB", 2},
		{"silent URL", []string{server.URL + "/silent"}, 0, "context deadline exceeded", 2},
		{"no URL", []string{"http://[::1"}, 0, "it is not a URL", 2},
		{"one of two", []string{"testdata/nothing.json", "testdata/vendor.json"}, 12, "no such file", 2},
		{"the same twice", []string{"testdata/vendor.json", "testdata/vendor.json"}, 12, "", 0},
		{"no such list", []string{"--known", "nothing.yaml", "testdata/vendor.json"}, 0, "nothing.yaml: no such file", 2},
		{"a list of something else", []string{"--known", "testdata/vendor.json", "testdata/vendor.json"}, 0, "field openapi not found", 2},
		{"a list without reasons", []string{"--known", write(t, "known.yaml", []byte("differences: [{pointer: /a}]")), "testdata/vendor.json"}, 0, "a pointer and a reason", 2},
		{"numeric status codes in YAML", []string{write(t, "d.yaml", []byte(`
openapi: 3.0.0
paths:
  /v2/video/generations:
    get: {parameters: [{name: generation_id, in: query, required: true, schema: {type: string}}], responses: {200: {}}}
`))}, 4, "", 1},
		{"a page with both specs", []string{write(t, "page.md", []byte(newVendor(t).page()))}, 13, "", 1}, // one for the page's text
		{"standard input", []string{"-"}, 12, "", 0},
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
			o := &options{ours: frozen(t), stdin: bytes.NewReader(vendor), stdout: &stdout, stderr: &stderr}
			code := o.run(ctx, append([]string{"--known", "testdata/known.yaml", "--texts", "testdata/texts.yaml"}, test.args...))
			lines := strings.Count(stdout.String(), "\n")
			if lines != test.lines || code != test.code || !strings.Contains(stderr.String(), test.stderr) || test.stderr == "" && stderr.Len() > 0 {
				t.Errorf("%d lines, exit status %d, stderr %q, want %d, %d, %q\n%s", lines, code, &stderr, test.lines, test.code, test.stderr, &stdout)
			}
		})
	}
}

// A page's links lead to specs beside it, in its checkout and on its server.
func TestLinks(t *testing.T) {
	d := newVendor(t)
	d.property("num_frames")["maximum"] = 161
	root := t.TempDir()
	pages := filepath.Join(root, "docs", "models")
	if err := os.MkdirAll(pages, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"dance.json": encode(d.doc),
		"beside.md":  "# Dance\n\n[OpenAPI dance](dance.json)\n",
		"rooted.md":  "# Dance\n\n[OpenAPI dance](/docs/models/dance.json)\n",
		"absolute.md": "# Dance\n\n{% openapi-operation spec=\"dance\" %}\n[OpenAPI dance](https://raw.example.com/o/r/refs/heads/main/docs/models/dance.json)\n" +
			"{% endopenapi-operation %}\n\n[OpenAPI dance](https://raw.example.com/o/r/refs/heads/main/docs/models/dance.json)\n",
		"broken.md": "# Dance\n\n[OpenAPI dance](nothing.json)\n",
		"sample.md": "# Dance\n\n[OpenAPI dance](beside.md)\n",
		"local.md":  "# Dance\n\n[OpenAPI dance](file:///etc/passwd)\n",
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(pages, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.FileServer(http.Dir(root)))
	defer server.Close()
	tests := []struct{ name, source, stderr string }{
		{"beside the page", filepath.Join(pages, "beside.md"), ""},
		{"from the root of a checkout", filepath.Join(pages, "rooted.md"), ""},
		{"absolute, from a checkout", filepath.Join(pages, "absolute.md"), ""},
		{"beside a page on a server", server.URL + "/docs/models/beside.md", ""},
		{"from the root of a server", server.URL + "/docs/models/rooted.md", ""},
		{"to nothing", filepath.Join(pages, "broken.md"), "link to nothing.json: no such file"},
		{"to no spec", filepath.Join(pages, "sample.md"), "link to beside.md: it is not an OpenAPI spec"},
		{"from a server to a file", server.URL + "/docs/models/local.md", "link to file:///etc/passwd: it is neither http nor https"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			lines, stderr, code := drift(t, test.source)
			found := strings.Contains(strings.Join(lines, "\n"), "num_frames/maximum: ours 241, theirs 161")
			if test.stderr == "" && (code != 1 || stderr != "" || !found) {
				t.Errorf("exit status %d, stderr %q, lines\n%s", code, stderr, strings.Join(lines, "\n"))
			}
			if test.stderr != "" && (code != 2 || !strings.Contains(stderr, test.stderr)) {
				t.Errorf("exit status %d, stderr %q, want 2 and %q", code, stderr, test.stderr)
			}
		})
	}
}

func TestLive(t *testing.T) {
	d := newVendor(t)
	d.property("num_frames")["maximum"] = 161
	var query url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.Query()
		if r.URL.Path != "/docs-json" || r.Header.Get("Authorization") != "" {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(encode(d.doc)))
	}))
	defer server.Close()
	lines, stderr, code := drift(t, "--live", "--base-url", server.URL+"/v2")
	if code != 1 || stderr != "" || !strings.Contains(lines[0], "num_frames/maximum: ours 241, theirs 161") {
		t.Errorf("exit status %d, stderr %q, lines %q", code, stderr, lines)
	}
	if query.Get("model") != "example/dance" || query.Get("endpoint") != "internal/video-generations/submit" {
		t.Errorf("query %v", query)
	}
	if _, stderr, code := drift(t, "--live", "--base-url", server.URL+"/elsewhere"); code != 2 || !strings.Contains(stderr, "404") {
		t.Errorf("from another path: exit status %d, stderr %q", code, stderr)
	}
}
