package main

import (
	"net/url"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// frozen returns the specs in testdata, which stay as they are when ours follow a change of the vendor's.
func frozen(t testing.TB) *contract {
	t.Helper()
	root := os.DirFS("testdata/ours")
	read := func(slug, model string) *spec.Document {
		loader := openapi3.NewLoader()
		loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) {
			return os.ReadFile("testdata/ours/" + location.Path)
		}
		document, err := loader.LoadFromURI(&url.URL{Path: slug + ".yaml"})
		if err != nil {
			t.Fatal(err)
		}
		d := &spec.Document{Slug: slug, Model: model, OpenAPI: document}
		for path, item := range document.Paths.Map() {
			for method, operation := range item.Operations() {
				d.Method, d.Path, d.Operation = method, path, operation
			}
		}
		return d
	}
	return &contract{root, []*spec.Document{read("dance", "example/dance")}, read("generation", "")}
}
