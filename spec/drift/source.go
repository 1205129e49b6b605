package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

const (
	maxSize   = 8 << 20 // the vendor's documents have some kilobytes,
	maxDepth  = 50      // are 20 deep
	maxLength = 10_000  // and have 30 properties
)

var client = &http.Client{Timeout: 30 * time.Second}

// read fetches an argument.
func read(ctx context.Context, name string) ([]byte, error) {
	if !strings.HasPrefix(name, "https://") && !strings.HasPrefix(name, "http://") {
		file, err := os.Open(name)
		if err != nil {
			return nil, errors.Unwrap(err) // the name stands before it already
		}
		defer file.Close()
		return readAll(file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, errors.New("it isn't a URL")
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", response.Status)
	}
	return readAll(response.Body)
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("it has more than %d MB", maxSize>>20)
	}
	return data, err
}

// extract finds the documents in a Markdown page: the vendor publishes them as code blocks of a line each. Anything else
// is a document itself.
func extract(data []byte) [][]byte {
	var documents [][]byte
	for rest := data; ; {
		_, block, ok := bytes.Cut(rest, []byte("\n```json\n"))
		if !ok {
			break
		}
		block, rest, _ = bytes.Cut(block, []byte("\n```"))
		if bytes.HasPrefix(block, []byte(`{"openapi"`)) {
			documents = append(documents, block)
		}
	}
	if documents == nil {
		return [][]byte{data}
	}
	return documents
}

// load reads a document that nobody vouches for. It follows no $ref but those into generation.yaml, which copies of our
// own documents have, and takes that one from this program.
func (c *contract) load(data []byte) (document *openapi3.T, err error) {
	if err := checkShape(data); err != nil {
		return nil, err
	}
	loader := openapi3.NewLoader()
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		if location.String() != "generation.yaml" {
			return nil, fmt.Errorf("it refers to %s, and other documents aren't read", location)
		}
		return fs.ReadFile(c.files, "generation.yaml")
	}
	return loader.LoadFromData(data)
}

// checkShape refuses what would cost a parser more than the size says: deep nesting, long lists and mappings, and YAML's
// aliases, which multiply.
func checkShape(data []byte) error {
	if json.Valid(data) {
		return checkJSON(json.NewDecoder(bytes.NewReader(data)))
	}
	var root yaml.Node
	if yaml.Unmarshal(data, &root) != nil || len(root.Content) == 0 || root.Content[0].Kind != yaml.MappingNode {
		return errors.New("it is neither JSON nor YAML with an OpenAPI document")
	}
	return checkNode(&root, 0)
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
