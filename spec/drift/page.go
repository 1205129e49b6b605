package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
)

var (
	// fence opens a code block. It may be indented, as in lists and tabs, and may have attributes.
	fence = regexp.MustCompile("^(`{3,}|~{3,})[ \t]*([A-Za-z0-9]*)")
	// link is how the vendor's repository refers to a spec.
	link = regexp.MustCompile(`(?i)\[OpenAPI [^\]]*\]\(<?([^\s)>]+)`)
	// openAPIKey begins a spec, also one that can't be parsed.
	openAPIKey = regexp.MustCompile(`^\s*(?:\{\s*["']?)?openapi["']?\s*:`)
)

// parsePage returns the specs in the code blocks of a Markdown page, the text around them, code samples included, and the
// specs that the page links to.
func parsePage(data []byte) (specs [][]byte, text string, links []string) {
	var rest []byte
	for _, part := range split(data) {
		if part.isBlock && isSpecBlock(part.text) {
			specs = append(specs, part.text)
		} else {
			rest = append(rest, part.text...)
		}
	}
	for _, match := range link.FindAllSubmatch(rest, -1) {
		if target := string(match[1]); !slices.Contains(links, target) {
			links = append(links, target)
		}
	}
	return specs, string(rest), links
}

// A part is a code block of a page, or what is between two of them.
type part struct {
	isBlock bool
	text    []byte
}

func split(page []byte) []part {
	parts := []part{{}}
	var mark []byte // what opened the current block
	for line := range bytes.Lines(page) {
		trimmed := bytes.TrimSpace(line)
		opening := fence.FindSubmatch(trimmed)
		switch {
		case mark == nil && opening != nil:
			mark = opening[1]
			parts = append(parts, part{isBlock: true})
		case mark != nil && bytes.HasPrefix(trimmed, mark) && len(bytes.Trim(trimmed, string(mark[:1]))) == 0:
			mark = nil
			parts = append(parts, part{})
		default:
			last := &parts[len(parts)-1]
			last.text = append(last.text, line...)
		}
	}
	return parts
}

// isSpec reports whether data is an OpenAPI spec in JSON or YAML.
func isSpec(data []byte) bool {
	var head struct {
		OpenAPI any `json:"openapi" yaml:"openapi"`
	}
	if json.Valid(data) {
		return json.Unmarshal(data, &head) == nil && head.OpenAPI != nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	return decoder.Decode(&head) == nil && head.OpenAPI != nil && errors.Is(decoder.Decode(new(any)), io.EOF) // a page may have front matter
}

// isSpecBlock reports whether a code block is a spec, or looks like one that can't be parsed: load then says why.
func isSpecBlock(block []byte) bool { return isSpec(block) || openAPIKey.Match(block) }
