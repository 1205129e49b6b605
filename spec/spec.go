// Package spec holds the OpenAPI specs of the models, curated by hand from the vendor's docs, and loads them with
// kin-openapi. A slug, such as "animate-move", names each model.
//
// The specs are read-only and safe for concurrent use.
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

// Files holds the specs: one YAML file per model, named by its slug, generation.yaml and account.yaml.
//
//go:embed *.yaml
var Files embed.FS

const (
	// shared is the slug of the spec that the others refer to.
	shared = "generation"
	// account is the slug of the spec of the account, which has several operations.
	account = "account"
)

// A Document is an operation and its spec. The spec of a model has exactly one.
type Document struct {
	// Slug is the name of the file without its extension, such as "animate-move".
	Slug string
	// Model is the value of the model property of a request. It is empty in the shared spec.
	Model string
	// OpenAPI is the spec with all references resolved.
	OpenAPI *openapi3.T
	// Method and Path belong to the operation.
	Method, Path string
	// Operation is the operation itself.
	Operation *openapi3.Operation
}

// Request returns the schema of the request body, or nil for the shared spec.
func (d *Document) Request() *openapi3.Schema {
	if d.Operation.RequestBody == nil {
		return nil
	}
	return d.Operation.RequestBody.Value.Content["application/json"].Schema.Value
}

// A Property is a property of a request.
type Property struct {
	Name     string
	Required bool
	Schema   *openapi3.Schema
}

// Properties returns the properties of the request in the order of the file.
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

// Models returns the specs of the models, ordered by slug.
func Models() []*Document { return slices.Clone(documents().models) }

// Generation returns the shared spec: the poll operation and the parts that all specs use.
func Generation() *Document { return documents().generation }

// Account returns the operations of the account, ordered by path: logs, balance, transactions and the list of models.
func Account() []*Document { return slices.Clone(accountDocuments()) }

// BySlug returns the spec of the model with the slug, such as "vace-fun-pose".
func BySlug(slug string) (*Document, bool) {
	return find(func(d *Document) bool { return d.Slug == slug })
}

// ByModel returns the spec of the model with the ID, such as "alibaba/wan2.2-vace-fun-a14b-pose".
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

// documents panics if a spec is invalid. The specs are embedded, and tests load them all.
var documents = sync.OnceValue(func() set {
	s, err := load(Files)
	if err != nil {
		panic(err)
	}
	return s
})

// accountDocuments is apart from documents, so that programs that don't need it don't parse it.
var accountDocuments = sync.OnceValue(func() []*Document {
	operations, err := loadOperations(Files, account+".yaml")
	if err != nil {
		panic(err)
	}
	return operations
})

func load(files fs.FS) (set, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return set{}, err
	}
	var s set
	for _, name := range names { // in lexical order
		if name == account+".yaml" {
			continue
		}
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

// loadOperations loads a spec and returns its operations, ordered by path and method.
func loadOperations(files fs.FS, name string) ([]*Document, error) {
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
	var all []*Document
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			all = append(all, &Document{
				Slug: strings.TrimSuffix(name, ".yaml"), OpenAPI: doc, Method: method, Path: path, Operation: operation,
			})
		}
	}
	slices.SortFunc(all, func(a, b *Document) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return all, nil
}

func loadDocument(files fs.FS, name string) (*Document, error) {
	operations, err := loadOperations(files, name)
	switch {
	case err != nil:
		return nil, err
	case len(operations) == 0:
		return nil, fmt.Errorf("no operation")
	case len(operations) > 1:
		a, b := operations[0], operations[1]
		return nil, fmt.Errorf("more than one operation: %s %s and %s %s", a.Method, a.Path, b.Method, b.Path)
	}
	d := operations[0]
	switch {
	case d.Slug == shared:
		return d, nil
	case d.Method != http.MethodPost || d.Request() == nil:
		return nil, fmt.Errorf("the spec of a model needs a POST operation with a JSON body")
	}
	model := d.Request().Properties["model"]
	if model == nil || len(model.Value.Enum) != 1 {
		return nil, fmt.Errorf("the model property must have exactly one enum value")
	}
	d.Model, _ = model.Value.Enum[0].(string)
	return d, nil
}
