package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// An operation is one of ours, found in another document.
type operation struct {
	ours     *spec.Document
	document *openapi3.T
	path     string
	item     *openapi3.PathItem
	theirs   *openapi3.Operation
	flat     *flattener
	// request and mediaType are those of the body, if there is one.
	request   *openapi3.SchemaRef
	mediaType string
}

// isCopy reports whether the document is a copy of ours, made to try something.
func (o *operation) isCopy() bool { return o.theirs.OperationID == o.ours.Operation.OperationID }

// A stranger is an operation that isn't one of ours, or isn't recognised as one any more.
type stranger struct{ method, path string }

// operations finds ours in a document, in a fixed order, and all others.
func (c *contract) operations(document *openapi3.T, flat *flattener) (all []*operation, strangers []stranger) {
	paths := document.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		if item == nil {
			continue
		}
		theirs := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(theirs)) {
			o := &operation{ours: c.generation, document: document, path: path, item: item, theirs: theirs[method], flat: flat}
			var found []*operation
			switch method {
			case http.MethodGet:
				if path == o.ours.Path || o.parameter("query", "generation_id") != nil {
					found = []*operation{o}
				}
			case http.MethodPost:
				found = o.submissions(c)
			}
			if found == nil {
				strangers = append(strangers, stranger{method, path})
			}
			all = append(all, found...)
		}
	}
	return all, strangers
}

// lost picks the strangers that may be what became of an operation which the document lacks: those that stand at our
// path or below it, and read if the polling is missing, or write if no submission is there.
func (c *contract) lost(found []*operation, strangers []stranger) []stranger {
	missing := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch}
	for _, o := range found {
		missing = slices.DeleteFunc(missing, func(method string) bool {
			return (method == http.MethodGet) == (o.ours.Method == http.MethodGet)
		})
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(c.generation.Path, "/"), "/") // the version may be the server's
	return slices.DeleteFunc(slices.Clone(strangers), func(s stranger) bool {
		return !strings.Contains(s.path, "/"+path) || !slices.Contains(missing, s.method)
	})
}

// submissions makes one operation of o for each of our models that its body names.
func (o *operation) submissions(c *contract) []*operation {
	var all []*operation
	if o.theirs.RequestBody == nil || o.theirs.RequestBody.Value == nil {
		return nil
	}
	content := o.theirs.RequestBody.Value.Content
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if content[mediaType] == nil {
			continue
		}
		for _, v := range o.flat.variants(content[mediaType].Schema) {
			for _, id := range v.models {
				ours := c.byModel(id)
				if ours != nil && !slices.ContainsFunc(all, func(o *operation) bool { return o.ours == ours }) {
					found := *o
					found.ours, found.mediaType = ours, mediaType
					found.request = &openapi3.SchemaRef{Value: o.flat.whole(v)}
					all = append(all, &found)
				}
			}
		}
	}
	return all
}

// parameters are those of the operation and of its path.
func (o *operation) parameters() []*openapi3.Parameter {
	var all []*openapi3.Parameter
	for _, p := range append(slices.Clip(o.theirs.Parameters), o.item.Parameters...) {
		if p != nil && p.Value != nil {
			all = append(all, p.Value)
		}
	}
	return all
}

func (o *operation) parameter(in, name string) *openapi3.Parameter {
	for _, p := range o.parameters() {
		if isParameter(p, in, name) {
			return p
		}
	}
	return nil
}

// isParameter goes by the name, which has no capitals of its own in a header.
func isParameter(p *openapi3.Parameter, in, name string) bool {
	return p.In == in && (p.Name == name || in == openapi3.ParameterInHeader && strings.EqualFold(p.Name, name))
}

// urls are where the document says the operation is reached.
func (o *operation) urls() []string {
	servers := o.document.Servers
	if o.item.Servers != nil {
		servers = o.item.Servers
	}
	if o.theirs.Servers != nil {
		servers = *o.theirs.Servers
	}
	var urls []string
	for _, server := range servers {
		if server != nil {
			urls = append(urls, strings.TrimSuffix(server.URL, "/")+o.path)
		}
	}
	if urls == nil { // it doesn't say
		urls = []string{o.ours.OpenAPI.Servers[0].URL + o.path}
	}
	return urls
}

// security names the ways to authenticate, such as "http bearer".
func security(document *openapi3.T, operation *openapi3.Operation) []string {
	requirements := document.Security
	if operation.Security != nil {
		requirements = *operation.Security
	}
	var ways []string
	for _, requirement := range requirements {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(requirement)) {
			way := "an unknown scheme"
			if document.Components != nil {
				if ref := document.Components.SecuritySchemes[name]; ref != nil && ref.Value != nil {
					way = strings.TrimSpace(ref.Value.Type + " " + strings.ToLower(ref.Value.Scheme))
					if ref.Value.Type == "apiKey" {
						way += " in " + ref.Value.In + " " + ref.Value.Name
					}
				}
			}
			parts = append(parts, way)
		}
		ways = append(ways, strings.Join(parts, " and "))
	}
	return ways
}
