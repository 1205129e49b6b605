package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// page returns a page with a spec for each operation, as the vendor writes it.
func (d *vendor) page() string {
	page := "# A model\n"
	for _, text := range d.specs() {
		page += "\n## Operation\n\n```json\n" + text + "\n```\n\n```json\n{\"id\":1}\n```\n"
	}
	return page
}

// specs returns a spec for each operation, that of the submission first.
func (d *vendor) specs() []string {
	var all []string
	paths := at(d.doc, "paths")
	for path, item := range paths {
		for method, operation := range item.(object) {
			document := maps.Clone(d.doc)
			document["paths"] = object{path: object{method: operation}}
			all = append(all, encode(document))
		}
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Index(b, `"requestBody"`) - strings.Index(a, `"requestBody"`) })
	return all
}

// Specs are found in every form of a code block.
func TestBlocks(t *testing.T) {
	const plain, end = "```json\n", "\n```\n"
	same := func(text string) string { return text }
	pretty := func(text string) string {
		var b bytes.Buffer
		_ = json.Indent(&b, []byte(text), "", "  ")
		return b.String()
	}
	tests := []struct {
		name, before string
		form         func(text string) string
		after        string
	}{
		{"plain", plain, same, end},
		{"indented", "* A tab\n\n    ```json\n    ", same, "\n    ```\n"},
		{"indented by a tab", "\t```json\n\t", same, "\n\t```\n"},
		{"blanks behind", "```json \t\n", same, "\n``` \n"},
		{"attributes", "```json overflow=\"wrap\" lineNumbers\n", same, end},
		{"attributes in braces", "```json{1,2}\n", same, end},
		{"capitals", "```JSON\n", same, end},
		{"more marks", "`````json\n", same, "\n`````\n"},
		{"other marks", "~~~json\n", same, "\n~~~\n"},
		{"not closed", plain, same, "\n"},
		{"after a block in another language", "```python\nprint()\n```\n```json\n", same, end},
		{"info first", plain, func(text string) string {
			return `{"info":{},` + strings.Replace(text[1:], `"info":`, `"x-info":`, 1)
		}, end},
		{"pretty", plain, pretty, end},
		{"CRLF", "```json\r\n", func(text string) string { return strings.ReplaceAll(pretty(text), "\n", "\r\n") }, "\r\n```\r\n"},
		{"YAML", "```yaml\n", inYAML, end},
		{"YML", "```yml title=x\n", inYAML, end},
		{"indented YAML", "  ```yaml\n  ", func(text string) string { return strings.ReplaceAll(inYAML(text), "\n", "\n  ") }, "\n  ```\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newVendor(t)
			d.property("num_frames")["maximum"] = 161
			documents := d.specs()
			block := test.before + test.form(documents[0]) + test.after
			for name, page := range map[string]string{
				"after one in the usual form": plain + documents[1] + end + block, // to find that one isn't enough
				"before it":                   block + "\n" + plain + documents[1] + end,
				"after front matter":          "---\ntitle: A model\nopenapi: post /v2/video/generations\n---\n\n" + block,
			} {
				if test.name == "not closed" && name == "before it" {
					continue // that one would be part of it
				}
				lines, stderr, code := drift(t, write(t, "page.md", []byte(page)))
				if stderr != "" || code != 1 || len(lines) == 0 || !strings.Contains(lines[0], "num_frames/maximum: ours 241, theirs 161") {
					t.Errorf("%s: exit status %d, stderr %q, lines\n%s", name, code, stderr, strings.Join(lines, "\n"))
				}
			}
		})
	}
}

func inYAML(text string) string {
	var document object
	_ = json.Unmarshal([]byte(text), &document)
	data, _ := yaml.Marshal(document)
	return string(data)
}

// Code blocks that only resemble specs are ignored; a spec that can't be parsed is an error.
func TestOtherBlocks(t *testing.T) {
	tests := []struct{ name, block, stderr string }{
		{"a sample", "```json\n{\"x\": {\"openapi\"", ""},
		{"a text about it", "```yaml\ntext: the openapi spec\n```", ""},
		{"further down", "```json\n{\"a\":{\"openapi\":\"3.0.0\"}}\n```", ""},
		{"cut off", "```json\n{\"openapi\":\"3.0.0\",\n```", "spec 3 of 3: invalid OpenAPI"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := write(t, "page.md", []byte(newVendor(t).page()+"\n"+test.block+"\n"))
			lines, stderr, code := drift(t, file)
			status := 1 // the page's text wasn't read
			if test.stderr != "" {
				status = 2
			}
			if len(lines) != 13 || !strings.Contains(stderr, test.stderr) || code != status {
				t.Errorf("%d lines, exit status %d, stderr %q, want 13, %d, %q", len(lines), code, stderr, status, test.stderr)
			}
		})
	}
}
