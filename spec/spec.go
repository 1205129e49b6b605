// Package spec holds the contract: the OpenAPI documents of the four models and of what they share, curated by hand
// from the vendor's pages. It loads them as kin-openapi documents, each under the slug that names its model everywhere.
//
// The documents are read-only and safe for concurrent use.
package spec

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// Files holds the documents as they were written: one YAML file for each model, named by its slug, and generation.yaml.
//
//go:embed *.yaml
var Files embed.FS

// shared is the name of the document that the others refer to.
const shared = "generation"

// A Document is one loaded OpenAPI document with exactly one operation.
type Document struct {
	// Slug is the name of the file without its extension, such as "animate-move".
	Slug string
	// Model is the id that a request carries in its model property. Empty in the shared document.
	Model string
	// OpenAPI is the document itself, with all references resolved.
	OpenAPI *openapi3.T
	// Method and Path are where the document's operation is reached.
	Method, Path string
	// Operation is the document's only operation.
	Operation *openapi3.Operation
}

// Request returns the schema of the request body, or nil in the shared document.
func (d *Document) Request() *openapi3.Schema {
	if d.Operation.RequestBody == nil {
		return nil
	}
	return d.Operation.RequestBody.Value.Content["application/json"].Schema.Value
}

// A Property is one property of a model's request.
type Property struct {
	Name     string
	Required bool
	Schema   *openapi3.Schema
}

// Properties returns the properties of the request in the order in which the document lists them.
func (d *Document) Properties() []Property {
	schema := d.Request()
	if schema == nil {
		return nil
	}
	properties := make([]Property, 0, len(schema.Properties))
	for name, ref := range schema.Properties {
		properties = append(properties, Property{name, slices.Contains(schema.Required, name), ref.Value})
	}
	slices.SortFunc(properties, func(a, b Property) int {
		return cmp.Compare(a.Schema.Origin.Key.Line, b.Schema.Origin.Key.Line)
	})
	return properties
}

// Models returns the documents of the models, ordered by slug.
func Models() []*Document { return slices.Clone(documents().models) }

// Generation returns the shared document: the poll operation and the parts that all documents use.
func Generation() *Document { return documents().generation }

// BySlug returns the document of the model with the slug, such as "vace-fun-pose".
func BySlug(slug string) (*Document, bool) {
	return find(func(d *Document) bool { return d.Slug == slug })
}

// ByModel returns the document of the model with the id, such as "alibaba/wan2.2-vace-fun-a14b-pose".
func ByModel(id string) (*Document, bool) {
	return find(func(d *Document) bool { return d.Model == id })
}

func find(match func(*Document) bool) (*Document, bool) {
	models := documents().models
	if i := slices.IndexFunc(models, match); i >= 0 {
		return models[i], true
	}
	return nil, false
}

type set struct {
	models     []*Document
	generation *Document
}

// documents panics on a document that doesn't load: they are part of the program, and a test loads them all.
var documents = sync.OnceValue(func() set {
	s, err := load(Files)
	if err != nil {
		panic(err)
	}
	return s
})

func load(files fs.FS) (set, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return set{}, err
	}
	var s set
	for _, name := range names { // in lexical order
		d, err := loadDocument(files, name)
		if err != nil {
			return set{}, fmt.Errorf("spec: %s: %w", name, err)
		}
		if d.Slug == shared {
			s.generation = d
		} else {
			s.models = append(s.models, d)
		}
	}
	return s, nil
}

func loadDocument(files fs.FS, name string) (*Document, error) {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true // the order of the properties
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
		return fs.ReadFile(files, location.Path)
	}
	doc, err := loader.LoadFromURI(&url.URL{Path: name})
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	d := &Document{Slug: strings.TrimSuffix(name, ".yaml"), OpenAPI: doc}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if d.Operation != nil {
				return nil, fmt.Errorf("more than one operation: %s %s and %s %s", d.Method, d.Path, method, path)
			}
			d.Method, d.Path, d.Operation = method, path, operation
		}
	}
	switch {
	case d.Operation == nil:
		return nil, fmt.Errorf("no operation")
	case d.Slug == shared:
		return d, nil
	case d.Method != http.MethodPost || d.Request() == nil:
		return nil, fmt.Errorf("a model's document has a POST operation with a JSON body")
	}
	model := d.Request().Properties["model"]
	if model == nil || len(model.Value.Enum) != 1 {
		return nil, fmt.Errorf("the model property names exactly one model")
	}
	d.Model, _ = model.Value.Enum[0].(string)
	return d, nil
}
