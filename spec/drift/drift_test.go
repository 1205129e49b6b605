package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// drift runs the command with the specs and lists in testdata and returns the lines that it prints.
func drift(t *testing.T, args ...string) (lines []string, stderr string, code int) {
	t.Helper()
	return driftFrom(t, frozen(t), append([]string{"--known", "testdata/known.yaml", "--texts", "testdata/texts.yaml"}, args...)...)
}

func driftFrom(t *testing.T, ours *contract, args ...string) (lines []string, stderr string, code int) {
	t.Helper()
	var stdout, errors bytes.Buffer
	o := &options{ours: ours, stdin: strings.NewReader(""), stdout: &stdout, stderr: &errors}
	code = o.run(context.Background(), args)
	for line := range strings.Lines(stdout.String()) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines, errors.String(), code
}

// write creates a file for the command to read.
func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestOwnSpecs(t *testing.T) {
	var files []string
	for _, d := range append(spec.Models(), spec.Generation()) {
		files = append(files, filepath.Join("..", d.Slug+".yaml"))
	}
	lines, stderr, code := driftFrom(t, current(), files...)
	if len(lines) != 0 || stderr != "" || code != 0 {
		t.Errorf("lines %q, stderr %q, exit status %d, want nothing and 0", lines, stderr, code)
	}
}

// The simulator serves our specs as one.
func TestSimulator(t *testing.T) {
	srv := simulator.Start(t)
	lines, stderr, code := driftFrom(t, current(), "--live", "--base-url", srv.URL)
	if len(lines) != 0 || stderr != "" || code != 0 {
		t.Errorf("lines %q, stderr %q, exit status %d, want nothing and 0", lines, stderr, code)
	}
}

// In a copy of ours, exactly the four changes are reported.
func TestFourChanges(t *testing.T) {
	data, err := os.ReadFile("testdata/ours/dance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document := string(data)
	for _, change := range [][2]string{
		{"maximum: 241", "maximum: 161"},
		{"        sync_mode:\n          type: boolean\n", ""},
		{"enum: [none, regular]", "enum: [none, regular, high]"},
		{"default: 30", "default: 25"},
	} {
		if strings.Count(document, change[0]) != 1 {
			t.Fatalf("%q isn't there once", change[0])
		}
		document = strings.Replace(document, change[0], change[1], 1)
	}
	lines, _, code := drift(t, write(t, "dance.yaml", []byte(document)))
	const p = "dance dance.yaml#/components/schemas/Request/properties/"
	equal(t, lines, []string{
		"new breaking " + p + "num_frames/maximum: ours 241, theirs 161: the API may reject requests that our spec allows",
		"new breaking " + p + "num_inference_steps/default: ours 30, theirs 25: requests that omit it get something else, without an error",
		"new breaking " + p + `sync_mode: ours {"type":"boolean"}, theirs nothing: the API may reject or ignore it`,
		"new compatible " + p + `acceleration/enum: ours nothing, theirs "high": a value that our types don't have`,
	})
	if code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
}

// An omission is reported in a copy of ours, even where the vendor's specs always omit it.
func TestCopies(t *testing.T) {
	const (
		ref       = "          $ref: '#/components/responses/"
		responses = "#/paths/~1v2~1video~1generations/"
	)
	tests := []struct{ name, file, cut, put, want string }{
		{"a success", "dance.yaml", "        '201':\n" + ref + "Submitted'\n", "",
			"compatible dance dance.yaml" + responses + `post/responses/201: ours "201", theirs nothing: a response that no longer comes`},
		{"an error", "generation.yaml", "        '429':\n" + ref + "TooManyRequests'\n", "",
			"compatible generation generation.yaml" + responses + `get/responses/429: ours "429", theirs nothing: a response that no longer comes`},
		{"a header", "generation.yaml", "        x-client-request-id:\n          $ref: '#/components/headers/ClientRequestID'\n", "",
			`breaking generation generation.yaml#/components/headers/ClientRequestID: ours "x-client-request-id", theirs nothing: callers that read it find nothing`},
		{"a header's schema", "generation.yaml", "    CreditsUsed:\n      schema:\n        type: number\n", "    CreditsUsed: {}\n",
			`breaking generation generation.yaml#/components/headers/CreditsUsed/schema/type: ours "number", theirs nothing: responses may contain what callers do not expect`},
		{"an error's body", "generation.yaml", "      content: # of 429\n        application/json:\n          schema:\n            $ref: '#/components/schemas/Error'\n", "",
			`breaking generation generation.yaml#/components/responses/TooManyRequests/content/application~1json: ours "a body", theirs nothing: callers can't read the error`},
		{"the body's required", "dance.yaml", "        required: true\n", "",
			"compatible dance dance.yaml" + responses + "post/requestBody/required: ours true, theirs false: it may be omitted"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/ours/" + test.file)
			if err != nil || strings.Count(string(data), test.cut) != 1 {
				t.Fatalf("%q isn't there once, %v", test.cut, err)
			}
			lines, stderr, code := drift(t, write(t, test.file, []byte(strings.Replace(string(data), test.cut, test.put, 1))))
			equal(t, lines, []string{"new " + test.want})
			if stderr != "" || code != 1 {
				t.Errorf("stderr %q, exit status %d, want nothing and 1", stderr, code)
			}
		})
	}
}

// The vendor's dialect with our facts has known differences only.
func TestVendorsDialect(t *testing.T) {
	lines, stderr, code := drift(t, "testdata/vendor.json")
	if stderr != "" || code != 0 || len(lines) != 12 {
		t.Errorf("%d lines, stderr %q, exit status %d, want 12, nothing and 0", len(lines), stderr, code)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "known ") {
			t.Error(line)
		}
	}
	// Without the list all of them are new.
	lines, _, code = drift(t, "--known", os.DevNull, "testdata/vendor.json")
	if code != 1 || len(lines) != 12 {
		t.Errorf("%d lines, exit status %d, want 12 and 1", len(lines), code)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "new ") {
			t.Error(line)
		}
	}
}

func TestJSON(t *testing.T) {
	output := func(args ...string) []byte {
		var stdout, stderr bytes.Buffer
		o := &options{ours: frozen(t), stdout: &stdout, stderr: &stderr}
		if code := o.run(context.Background(), append([]string{"--json", "--known", "testdata/known.yaml", "--texts", "testdata/texts.yaml"}, args...)); code != 0 {
			t.Fatalf("exit status %d: %s", code, &stderr)
		}
		return stdout.Bytes()
	}
	var findings []map[string]any
	if err := json.Unmarshal(output("testdata/vendor.json"), &findings); err != nil || len(findings) != 12 {
		t.Fatalf("%d findings, %v", len(findings), err)
	}
	want := map[string]any{
		"state": "known", "grade": "breaking", "model": "dance", "document": "generation.yaml",
		"pointer": "/components/parameters/ClientRequestID", "ours": "header X-Client-Request-Id", "theirs": nil,
		"means": "the API may reject or ignore it", "reason": "Documented for the API as a whole.", "source": "testdata/vendor.json",
	}
	if !reflect.DeepEqual(findings[0], want) {
		t.Errorf("got %v\nwant %v", findings[0], want)
	}
	if got := output("testdata/ours/generation.yaml"); string(got) != "[]\n" {
		t.Errorf("no findings are printed as %q, want an empty array", got)
	}
}
