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

const (
	maxDepth  = 50     // the vendor's documents are 20 deep
	maxLength = 10_000 // and have 30 properties
)

var errNoDocument = errors.New("it is neither JSON nor YAML with an OpenAPI document")

// load reads a document that nobody vouches for. It follows no $ref but those into generation.yaml, which copies of our
// own documents have, and takes that one from this program.
func (c *contract) load(data []byte) (document *openapi3.T, err error) {
	if _, err := topLevel(data); err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		if location.String() != "generation.yaml" {
			return nil, fmt.Errorf("it refers to %s, and other documents aren't read", location)
		}
		return fs.ReadFile(c.files, "generation.yaml")
	}
	document, err = loader.LoadFromData(data)
	return document, plain(err)
}

// mistyped is how the parser says that a value is of another type than OpenAPI has there. It says it twice, for JSON
// and for YAML, and hands out no typed error.
var mistyped = regexp.MustCompile(`(?s).*cannot unmarshal (\w+) into (?:field (\S+)|value) of type (.+)$`)

// kinds are the parser's types, for people.
var kinds = strings.NewReplacer("float64", "number", "uint64", "whole number", "bool", "boolean",
	"map[string]interface {}", "object", "openapi3.", "", "[]", "list of ")

// plain says in a line what the parser says in many words.
func plain(err error) error {
	if err == nil {
		return nil
	}
	if m := mistyped.FindStringSubmatch(err.Error()); m != nil && m[2] != "" {
		return fmt.Errorf("it isn't OpenAPI: %s is of type %s, not %s", m[2], m[1], kinds.Replace(m[3]))
	} else if m != nil {
		return fmt.Errorf("it isn't OpenAPI: the type %s stands where there has to be %s", m[1], kinds.Replace(m[3]))
	}
	if _, reason, ok := strings.Cut(err.Error(), ", yaml error: "); ok { // JSON is YAML too
		return fmt.Errorf("it isn't OpenAPI: %s", strings.Join(strings.Fields(reason), " "))
	}
	return err
}

// openAPIKey is where a text may have the key that makes it an OpenAPI document.
var openAPIKey = regexp.MustCompile(`(?:^|["'{,\s])openapi["']?\s*:`)

// isDocument reports whether the text is an OpenAPI document. With an error it may be one, but can't be read.
func isDocument(data []byte) (bool, error) {
	if !openAPIKey.Match(data) { // most blocks are samples
		return false, nil
	}
	keys, err := topLevel(data)
	return err != nil || keys["openapi"], err
}

// topLevel returns the keys of an object in JSON or YAML. It refuses what would cost a parser more than the size says:
// deep nesting, long lists and mappings, and YAML's aliases, which multiply.
func topLevel(data []byte) (map[string]bool, error) {
	keys := map[string]bool{}
	if json.Valid(data) {
		if err := checkJSON(json.NewDecoder(bytes.NewReader(data))); err != nil {
			return nil, err
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(data, &members) != nil || members == nil {
			return nil, errNoDocument
		}
		for name := range members {
			keys[name] = true
		}
		return keys, nil
	}
	var root, next yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(&root) != nil || len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return nil, errNoDocument
	}
	if !errors.Is(decoder.Decode(&next), io.EOF) { // such as a page after its front matter
		return nil, errNoDocument
	}
	for i := 0; i < len(root.Content[0].Content); i += 2 {
		keys[root.Content[0].Content[i].Value] = true
	}
	return keys, checkNode(&root, 0)
}

func checkJSON(decoder *json.Decoder) error {
	lengths := []int{0} // how many tokens each open value holds
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil //nolint:nilerr // the end
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			lengths[len(lengths)-1]++
			lengths = append(lengths, 0)
		case json.Delim('}'), json.Delim(']'):
			lengths = lengths[:len(lengths)-1]
		default:
			lengths[len(lengths)-1]++
		}
		if err := checkLimits(len(lengths)-1, lengths[len(lengths)-1]); err != nil {
			return err
		}
	}
}

func checkNode(node *yaml.Node, depth int) error {
	if node.Kind == yaml.AliasNode {
		return errors.New("it has YAML aliases")
	}
	if err := checkLimits(depth, len(node.Content)); err != nil {
		return err
	}
	for _, child := range node.Content {
		if err := checkNode(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkLimits(depth, length int) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("it is nested deeper than %d", maxDepth)
	case length > maxLength:
		return fmt.Errorf("it has a value with more than %d parts", maxLength)
	}
	return nil
}
