package main

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A comparison compares one operation with ours.
type comparison struct {
	*operation

	source   string
	known    *known // nil for a copy of ours
	accept   bool
	findings []finding
	visits   []visit
}

func (c *comparison) add(grade string, p place, ours, theirs any, means string) {
	f := finding{
		State: stateNew, Grade: grade, Model: c.ours.Slug, Document: p.document, Pointer: p.pointer,
		Ours: ours, Theirs: theirs, Means: means, Source: c.source,
	}
	if reason, ok := c.known.reason(f); ok {
		f.State, f.Reason = stateKnown, reason
	}
	c.findings = append(c.findings, f)
}

func (c *comparison) visit(p place) { c.visits = append(c.visits, visit{p, c.ours.Slug}) }

func (c *comparison) root() place { return place{document: c.ours.Slug + ".yaml"} }

// here is the place of our operation.
func (c *comparison) here() place {
	return c.root().down("paths", c.ours.Path, strings.ToLower(c.ours.Method))
}

func (c *comparison) compare() {
	here := c.here()
	ours := c.ours.OpenAPI.Servers[0].URL + c.ours.Path
	if urls := c.urls(); !slices.Contains(urls, ours) {
		c.add(breaking, c.root().down("paths", c.ours.Path), ours, urls[0], "requests go to the wrong URL")
	} else if len(urls) > 1 && !c.isCopy() {
		c.add(compatible, c.root().down("servers"), ours, strings.Join(urls, " or "), "the API has other servers too")
	}
	c.compareDeprecated(here, c.ours.Operation.Deprecated, c.theirs.Deprecated)
	c.compareSecurity(c.root().down("security"))
	c.compareParameters(here.down("parameters"))
	c.compareCallbacks(here.down("callbacks"))
	c.compareText(here.down("description"), "operation", words(c.ours.OpenAPI, c.ours.Operation), words(c.document, c.theirs, c.item))
	c.compareText(here.down("x-codeSamples"), "samples", "", c.samples())
	if body := c.ours.Operation.RequestBody; body != nil {
		c.compareBody(here.down("requestBody"), body.Value)
	}
	c.compareResponses(here.down("responses"))
}

// words joins the texts about an operation.
func words(document *openapi3.T, operation *openapi3.Operation, items ...*openapi3.PathItem) string {
	all := []string{operation.Summary, operation.Description}
	for _, item := range items {
		all = append(all, item.Summary, item.Description)
	}
	if document.Info != nil {
		all = append(all, document.Info.Description)
	}
	for _, server := range document.Servers {
		all = append(all, server.Description)
	}
	for _, tag := range document.Tags {
		all = append(all, tag.Description)
	}
	for _, docs := range []*openapi3.ExternalDocs{document.ExternalDocs, operation.ExternalDocs} {
		if docs != nil {
			all = append(all, docs.Description, docs.URL)
		}
	}
	return strings.Join(all, " ")
}

func (c *comparison) compareBody(p place, ours *openapi3.RequestBody) {
	theirs := c.theirs.RequestBody.Value
	if !isJSON(c.mediaType) {
		c.add(breaking, p.down("content"), "application/json", c.mediaType, "the API rejects requests in JSON")
	}
	c.compareMediaTypes(p.down("content"), ours.Content, theirs.Content)
	if theirs.Required != ours.Required {
		c.required(p.down("required"), inRequest, ours.Required, theirs.Required)
	}
	c.compareText(p.down("description"), "body", ours.Description, theirs.Description)
	schema := ours.Content["application/json"].Schema
	c.compareSchema(p, "", inRequest, schema, &openapi3.SchemaRef{Value: c.request})
	request := p.follow(schema.Ref)
	for _, alternative := range c.unnamed {
		c.add(compatible, request.down("oneOf"), nil, asJSON(flatten(alternative.Value)), "another form of the request that callers can't use yet, except through Client.Submit")
	}
	if len(c.others) > 0 {
		c.add(compatible, request.down("properties", "model", "enum"), nil, enumerate(c.others), "models that we have no spec for")
	}
}

// compareMediaTypes reports further types of a body that has one in JSON.
func (c *comparison) compareMediaTypes(p place, ours, theirs openapi3.Content) {
	if jsonOf(theirs) == nil {
		return
	}
	for _, mediaType := range slices.Sorted(maps.Keys(theirs)) {
		if !isJSON(mediaType) && ours[mediaType] == nil {
			c.add(compatible, p, nil, mediaType, "a form of the body that the client does not use")
		}
	}
}

// compareForeign reports operations that our specs do not have: one finding for each beside ours, one for all the rest.
func (c *comparison) compareForeign(others []foreign) {
	var rest []foreign
	for _, f := range others {
		if f.path == c.path || strings.HasPrefix(f.path, strings.TrimSuffix(path.Dir(c.path), "/")+"/") {
			c.add(compatible, c.root().down("paths", f.path, strings.ToLower(f.method)), nil, f.String(), "an operation that the client does not have")
		} else {
			rest = append(rest, f)
		}
	}
	if len(rest) > 0 {
		c.add(compatible, c.root().down("paths"), nil, enumerate(rest), "operations that the client does not have")
	}
}

func (c *comparison) compareCallbacks(p place) {
	const means = "the API may call back, and the client does not listen"
	for _, name := range slices.Sorted(maps.Keys(c.theirs.Callbacks)) {
		if c.ours.Operation.Callbacks[name] == nil {
			c.add(compatible, p.down(name), nil, name, means)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.document.Webhooks)) {
		c.add(compatible, c.root().down("webhooks", name), nil, name, means)
	}
}

const deprecatedMeans = "deprecated features disappear some day"

func (c *comparison) compareDeprecated(p place, ours, theirs bool) {
	if ours != theirs {
		c.add(compatible, p.down("deprecated"), ours, theirs, deprecatedMeans)
	}
}

func (c *comparison) compareSecurity(p place) {
	c.visit(p)
	ours, theirs := security(c.ours.OpenAPI, c.ours.Operation)[0], security(c.document, c.theirs)
	switch {
	case slices.Contains(theirs, ours):
	case len(theirs) == 0:
		c.add(compatible, p, ours, nil, "the spec requires no key")
	default:
		c.add(breaking, p, ours, strings.Join(theirs, " or "), "requests are not authorized")
	}
}

func (c *comparison) compareParameters(p place) {
	for i, ref := range c.ours.Operation.Parameters {
		ours := ref.Value
		here := p.down(fmt.Sprint(i)).follow(ref.Ref)
		theirs := c.parameter(ours.In, ours.Name)
		if theirs == nil {
			c.add(breaking, here, ours.In+" "+ours.Name, nil, "the API may reject or ignore it")
			continue
		}
		c.visit(here)
		if ours.Required != theirs.Required {
			c.required(here.down("required"), inRequest, ours.Required, theirs.Required)
		}
		c.compareDeprecated(here, ours.Deprecated, theirs.Deprecated)
		c.compareText(here.down("description"), "parameter "+ours.Name, ours.Description, theirs.Description)
		c.compareSchema(here.down("schema"), "", inRequest, ours.Schema, theirs.Schema)
	}
	for _, theirs := range c.parameters() {
		declared := slices.ContainsFunc(c.ours.Operation.Parameters, func(ours *openapi3.ParameterRef) bool {
			return isParameter(theirs, ours.Value.In, ours.Value.Name)
		})
		if !declared {
			grade, means := added(inRequest, theirs.Required)
			c.add(grade, p.down("-"), nil, theirs.In+" "+theirs.Name, withText(means, theirs.Description))
		}
	}
}
