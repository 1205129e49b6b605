package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aimlvideo/wan-go/spec"
)

// An operation is one of ours, found in another spec.
type operation struct {
	ours         *spec.Document
	own          object // our whole spec
	document     object // theirs
	path         string
	item, theirs object
	// request and mediaType are those of the body, if there is one.
	request   object
	mediaType string
	// unnamed are the alternatives of the body that name no model, and others are the models that we have no spec for.
	unnamed []object
	others  []string
}

// isCopy reports whether the spec is an edited copy of ours.
func (o *operation) isCopy() bool { return o.theirs["operationId"] == o.ours.Operation.OperationID }

// A foreign operation is not one of ours, or is no longer recognized as one.
type foreign struct{ method, path string }

func (f foreign) String() string { return f.method + " " + f.path }

// operations finds ours in a spec, in a fixed order, and all others.
func (c *contract) operations(document object) (found []*operation, others []foreign) {
	paths := in(document, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := objectOf(paths[path])
		for _, method := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"} {
			theirs, ok := item[strings.ToLower(method)].(object)
			if !ok {
				continue
			}
			o := operation{ours: c.generation, document: document, path: path, item: item, theirs: theirs}
			var ours []*operation
			switch method {
			case http.MethodGet:
				if path == o.ours.Path || parameters(item, theirs)["query generation_id"] != nil {
					ours = []*operation{&o}
				}
			case http.MethodPost:
				ours = o.submissions(c)
			}
			if ours == nil {
				others = append(others, foreign{method, path})
			}
			for _, o := range ours {
				o.own = c.expand(o.ours.OpenAPI)
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
	content := in(o.theirs, "requestBody", "content")
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		byModel, unnamed := forms(in(content, mediaType, "schema"))
		var others []string
		for _, id := range slices.Sorted(maps.Keys(byModel)) {
			i := slices.IndexFunc(c.models, func(d *spec.Document) bool { return d.Model == id })
			if i < 0 {
				others = append(others, id)
				continue
			}
			one := *o
			one.ours, one.mediaType, one.request = c.models[i], mediaType, byModel[id][0]
			if one.ours.Request().AnyOf != nil {
				one.request = lift(byModel[id])
			} else {
				one.unnamed = byModel[id][1:]
			}
			if !slices.ContainsFunc(all, func(o *operation) bool { return o.ours == one.ours }) {
				all = append(all, &one)
			}
		}
		if len(all) > 0 {
			all[0].unnamed = append(all[0].unnamed, unnamed...)
			all[0].others = slices.Compact(append(all[0].others, others...))
		}
	}
	return all
}

// urls returns where the operation is according to the spec.
func (o *operation) urls() []string {
	var urls []string
	for _, from := range []object{o.theirs, o.item, o.document} {
		for _, server := range list(from["servers"]) {
			urls = append(urls, strings.TrimSuffix(plain(objectOf(server)["url"]), "/")+o.path)
		}
		if urls != nil {
			return urls
		}
	}
	return []string{o.ours.OpenAPI.Servers[0].URL + o.path} // not documented
}

// security names the ways to authenticate, such as "http bearer".
func security(root, operation object) (ways []string) {
	requirements, ok := operation["security"]
	if !ok {
		requirements = root["security"]
	}
	for _, requirement := range list(requirements) {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(objectOf(requirement))) {
			scheme := in(root, "components", "securitySchemes", name)
			way := strings.TrimSpace(plain(scheme["type"]) + " " + strings.ToLower(plain(scheme["scheme"])))
			if scheme["type"] == "apiKey" {
				way += " in " + plain(scheme["in"]) + " " + plain(scheme["name"])
			}
			if scheme == nil {
				way = "an unknown scheme"
			}
			parts = append(parts, way)
		}
		ways = append(ways, strings.Join(parts, " and "))
	}
	return ways
}
