package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// An operation is one of ours, found in another spec.
type operation struct {
	ours     *spec.Document
	document *openapi3.T
	path     string
	item     *openapi3.PathItem
	theirs   *openapi3.Operation
	// request and mediaType are those of the body, if there is one.
	request   *openapi3.Schema
	mediaType string
	// alternatives are the schemas of the body that name our model, if ours is a choice too.
	alternatives []*openapi3.Schema
	// unnamed are the alternatives of the body that name no model, and others are the models that we have no spec for.
	unnamed []*openapi3.SchemaRef
	others  []string
}

// isCopy reports whether the spec is an edited copy of ours.
func (o *operation) isCopy() bool { return o.theirs.OperationID == o.ours.Operation.OperationID }

// A foreign operation is not one of ours, or is no longer recognized as one.
type foreign struct{ method, path string }

func (f foreign) String() string { return f.method + " " + f.path }

// operations finds ours in a spec, in a fixed order, and all others.
func (c *contract) operations(document *openapi3.T) (found []*operation, others []foreign) {
	paths := document.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		if item == nil {
			continue
		}
		theirs := item.Operations()
		for _, method := range slices.Sorted(maps.Keys(theirs)) {
			o := operation{ours: c.generation, document: document, path: path, item: item, theirs: theirs[method]}
			var ours []*operation
			switch method {
			case http.MethodGet:
				if path == o.ours.Path || o.parameter("query", "generation_id") != nil {
					ours = []*operation{&o}
				}
			case http.MethodPost:
				ours = o.submissions(c)
			}
			if ours == nil {
				others = append(others, foreign{method, path})
			}
			found = append(found, ours...)
		}
	}
	return found, others
}

// unrecognized returns the foreign operations that may be ours after a change: those at our path or below it that read if
// the polling is missing, or write if the submission is.
func (c *contract) unrecognized(found []*operation, others []foreign) []foreign {
	missing := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch}
	for _, o := range found {
		missing = slices.DeleteFunc(missing, func(method string) bool {
			return (method == http.MethodGet) == (o.ours.Method == http.MethodGet)
		})
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(c.generation.Path, "/"), "/") // the server's URL may have the version
	return slices.DeleteFunc(slices.Clone(others), func(f foreign) bool {
		return !strings.Contains(f.path, "/"+path) || !slices.Contains(missing, f.method)
	})
}

// submissions returns one operation for each of our models that the body names.
func (o *operation) submissions(c *contract) (all []*operation) {
	if o.theirs.RequestBody == nil || o.theirs.RequestBody.Value == nil {
		return nil
	}
	content := o.theirs.RequestBody.Value.Content
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if content[mediaType] == nil {
			continue
		}
		found, unnamed := variants(content[mediaType].Schema)
		var others []string
		for _, v := range found {
			for _, id := range v.models {
				ours := c.byModel(id)
				if ours == nil {
					others = append(others, id)
					continue
				}
				if i := slices.IndexFunc(all, func(o *operation) bool { return o.ours == ours }); i >= 0 {
					isWhole := v.schema.OneOf != nil || v.schema.AnyOf != nil
					switch first := all[i]; {
					case first.request == v.schema || isWhole:
					case ours.Request().AnyOf != nil:
						first.alternatives = append(first.alternatives, v.schema)
						first.request = lift(first.alternatives)
					default:
						first.unnamed = append(first.unnamed, &openapi3.SchemaRef{Value: v.schema})
					}
					continue
				}
				one := *o
				one.ours, one.mediaType, one.request = ours, mediaType, v.schema
				one.alternatives = []*openapi3.Schema{v.schema}
				all = append(all, &one)
			}
		}
		if len(all) > 0 {
			all[0].unnamed = append(all[0].unnamed, unnamed...)
			slices.Sort(others)
			all[0].others = slices.Compact(append(all[0].others, others...))
		}
	}
	return all
}

// parameters returns those of the operation and of its path.
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

// isParameter compares names, those of headers without regard to case.
func isParameter(p *openapi3.Parameter, in, name string) bool {
	return p.In == in && (p.Name == name || in == openapi3.ParameterInHeader && strings.EqualFold(p.Name, name))
}

// urls returns where the operation is according to the spec.
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
	if urls == nil { // not documented
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
