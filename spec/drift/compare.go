package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A comparison holds one operation against ours.
type comparison struct {
	*operation

	source   string
	known    *known // nil for a copy of ours
	findings []finding
	visits   []visit
}

// maxValue is how many bytes of JSON a finding keeps of a value.
const maxValue = 2000

func (c *comparison) add(grade string, p place, ours, theirs any, means string) {
	if n := len(encode(theirs)); n > maxValue {
		theirs = fmt.Sprintf("%d bytes of JSON", n)
	}
	f := finding{stateNew, grade, c.ours.Slug, p.document, p.pointer, ours, theirs, means, "", c.source}
	if reason, ok := c.known.reason(f); ok {
		f.State, f.Reason = stateKnown, reason
	}
	c.findings = append(c.findings, f)
}

func (c *comparison) visit(p place) { c.visits = append(c.visits, visit{p, c.ours.Slug}) }

func (c *comparison) compare() {
	root := place{document: c.ours.Slug + ".yaml"}
	path := root.down("paths", c.ours.Path)
	here := path.down(strings.ToLower(c.ours.Method))
	ours := c.ours.OpenAPI.Servers[0].URL + c.ours.Path
	if urls := c.urls(); !slices.Contains(urls, ours) {
		c.add(breaking, path, ours, urls[0], "requests go to the wrong place")
	}
	c.compareSecurity(root.down("security"))
	c.compareParameters(here.down("parameters"))
	if body := c.ours.Operation.RequestBody; body != nil {
		if c.mediaType != "application/json" {
			c.add(breaking, here.down("requestBody", "content"), "application/json", c.mediaType, "requests in JSON are refused")
		}
		c.compareSchema(here.down("requestBody"), "", inRequest, body.Value.Content["application/json"].Schema, c.request)
	}
	c.compareAnswers(here.down("responses"))
}

func (c *comparison) compareSecurity(p place) {
	c.visit(p)
	ours, theirs := security(c.ours.OpenAPI, c.ours.Operation)[0], security(c.document, c.theirs)
	switch {
	case slices.Contains(theirs, ours):
	case len(theirs) == 0:
		c.add(compatible, p, ours, nil, "the document asks for no key")
	default:
		c.add(breaking, p, ours, strings.Join(theirs, " or "), "requests aren't authorized")
	}
}

func (c *comparison) compareParameters(p place) {
	for i, ref := range c.ours.Operation.Parameters {
		ours := ref.Value
		here := p.down(fmt.Sprint(i)).follow(ref.Ref)
		theirs := c.parameter(ours.In, ours.Name)
		if theirs == nil {
			c.add(breaking, here, ours.In+" "+ours.Name, nil, "requests with it may be refused, or it is ignored")
			continue
		}
		c.visit(here)
		if ours.Required != theirs.Required {
			c.required(here.down("required"), inRequest, ours.Required, theirs.Required)
		}
		c.compareText(here, ours.Name, ours.Description, theirs.Description)
		c.compareSchema(here.down("schema"), "", inRequest, ours.Schema, theirs.Schema)
	}
	for _, theirs := range c.parameters() {
		known := slices.ContainsFunc(c.ours.Operation.Parameters, func(ours *openapi3.ParameterRef) bool {
			return isParameter(theirs, ours.Value.In, ours.Value.Name)
		})
		if !known {
			grade, means := added(inRequest, theirs.Required)
			c.add(grade, p.down("-"), nil, theirs.In+" "+theirs.Name, means)
		}
	}
}

// compareAnswers leaves alone what only ours declares: a document that is silent about an answer, as the vendor's are
// about all errors, doesn't promise that it won't come.
func (c *comparison) compareAnswers(p place) {
	responses := c.theirs.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(responses)) {
		theirs, ours := responses[code], c.ours.Operation.Responses.Value(code)
		success := strings.HasPrefix(code, "2")
		switch {
		case theirs == nil || theirs.Value == nil:
		case ours == nil && success:
			c.add(breaking, p.down(code), nil, code, "the client takes it, but typed clients leave it undecoded")
		case ours == nil:
			c.add(compatible, p.down(code), nil, code, "an answer that nobody knew of")
		default:
			c.compareAnswer(p.down(code), success, ours, theirs.Value)
		}
	}
}

func (c *comparison) compareAnswer(p place, success bool, ours *openapi3.ResponseRef, theirs *openapi3.Response) {
	p = p.follow(ours.Ref)
	c.visit(p)
	for _, name := range slices.Sorted(maps.Keys(theirs.Headers)) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(ours.Value.Headers)), func(n string) bool { return strings.EqualFold(n, name) }) {
			c.add(compatible, p.down("headers"), nil, name, "callers don't see it yet")
		}
	}
	here := p.down("content", "application/json")
	content := theirs.Content.Get("application/json")
	switch {
	case content != nil && content.Schema != nil:
		c.compareSchema(here.down("schema"), "", inAnswer, ours.Value.Content["application/json"].Schema, content.Schema)
	case success:
		c.add(breaking, here, "a body", nil, "there is nothing to read an id or a status from")
	}
}
