package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"regexp"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// load parses a spec. The only $ref to another file that it follows is generation.yaml, which copies of our own specs
// have; it takes that one from this program.
func (c *contract) load(data []byte) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		if location.String() != "generation.yaml" {
			return nil, fmt.Errorf("it refers to %s, and only generation.yaml is read", location)
		}
		return fs.ReadFile(c.files, "generation.yaml")
	}
	document, err := loader.LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("invalid OpenAPI: %s", strings.TrimPrefix(err.Error(), "failed to unmarshal data: "))
	}
	return document, nil
}

// isSpec reports whether data is an OpenAPI spec in JSON or YAML.
func isSpec(data []byte) bool {
	keys, err := topLevel(data)
	_, ok := keys["openapi"]
	return err == nil && ok
}

var openAPIKey = regexp.MustCompile(`^\s*(?:\{\s*["']?)?openapi["']?\s*:`)

// isSpecBlock reports whether a code block is a spec, or looks like one that can't be parsed: load then says why.
func isSpecBlock(block []byte) bool {
	keys, err := topLevel(block)
	if err != nil {
		return openAPIKey.Match(block)
	}
	_, ok := keys["openapi"]
	return ok
}

func topLevel(data []byte) (keys map[string]any, err error) {
	if json.Valid(data) {
		err = json.Unmarshal(data, &keys)
		return keys, err
	}
	var node, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&node); err != nil {
		return nil, err
	}
	if node.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("not a mapping")
	}
	if !errors.Is(decoder.Decode(&next), io.EOF) { // a page with front matter
		return nil, errors.New("more than one YAML document")
	}
	keys = map[string]any{}
	for i := 0; i+1 < len(node.Content[0].Content); i += 2 {
		keys[node.Content[0].Content[i].Value] = nil
	}
	return keys, nil
}
