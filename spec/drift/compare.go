package main

import (
	"fmt"
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

func (c *comparison) compare() {
	root := place{document: c.ours.Slug + ".yaml"}
	path := root.down("paths", c.ours.Path)
	here := path.down(strings.ToLower(c.ours.Method))
	ours := c.ours.OpenAPI.Servers[0].URL + c.ours.Path
	if urls := c.urls(); !slices.Contains(urls, ours) {
		c.add(breaking, path, ours, urls[0], "requests go to the wrong place")
	}
	c.compareDeprecated(here, c.ours.Operation.Deprecated, c.theirs.Deprecated)
	c.compareSecurity(root.down("security"))
	c.compareParameters(here.down("parameters"))
	if body := c.ours.Operation.RequestBody; body != nil {
		if !isJSON(c.mediaType) {
			c.add(breaking, here.down("requestBody", "content"), "application/json", c.mediaType, "requests in JSON are refused")
		}
		if required := c.theirs.RequestBody.Value.Required; required != body.Value.Required {
			c.required(here.down("requestBody", "required"), inRequest, body.Value.Required, required)
		}
		c.compareSchema(here.down("requestBody"), "", inRequest, body.Value.Content["application/json"].Schema, c.request)
	}
	c.compareAnswers(here.down("responses"))
}

func (c *comparison) compareDeprecated(p place, ours, theirs bool) {
	if ours != theirs {
		c.add(compatible, p.down("deprecated"), ours, theirs, ofDeprecation)
	}
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
		c.compareDeprecated(here, ours.Deprecated, theirs.Deprecated)
		c.compareText(here, ours.Name, ours.Description, theirs.Description)
		c.compareSchema(here.down("schema"), "", inRequest, ours.Schema, theirs.Schema)
	}
	for _, theirs := range c.parameters() {
		declared := slices.ContainsFunc(c.ours.Operation.Parameters, func(ours *openapi3.ParameterRef) bool {
			return isParameter(theirs, ours.Value.In, ours.Value.Name)
		})
		if !declared {
			grade, means := added(inRequest, theirs.Required)
			c.add(grade, p.down("-"), nil, theirs.In+" "+theirs.Name, means)
		}
	}
}
