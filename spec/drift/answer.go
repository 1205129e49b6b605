package main

import (
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// compareAnswers leaves alone what only ours declares: a document that is silent about an answer, as the vendor's are
// about all errors, doesn't promise that it won't come. A copy of ours isn't silent, it says less.
func (c *comparison) compareAnswers(p place) {
	responses := c.theirs.Responses.Map()
	maps.DeleteFunc(responses, func(_ string, r *openapi3.ResponseRef) bool { return r == nil || r.Value == nil })
	isSuccess := func(code string) bool { return strings.HasPrefix(code, "2") }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(responses)), isSuccess) {
		c.add(breaking, p, "a success", nil, "there is no answer to read an id or a status from")
	}
	ours := c.ours.Operation.Responses.Map()
	for _, code := range union(ours, responses) {
		theirs := responses[code]
		switch {
		case theirs == nil && c.isCopy():
			c.add(compatible, p.down(code), code, nil, "an answer that no longer comes")
		case theirs == nil:
		case ours[code] == nil && isSuccess(code):
			c.add(breaking, p.down(code), nil, code, "the client takes it, but typed clients leave it undecoded")
		case ours[code] == nil:
			c.add(compatible, p.down(code), nil, code, "an answer that nobody knew of")
		default:
			c.compareAnswer(p.down(code), isSuccess(code), ours[code], theirs.Value)
		}
	}
}

func (c *comparison) compareAnswer(p place, success bool, ours *openapi3.ResponseRef, theirs *openapi3.Response) {
	p = p.follow(ours.Ref)
	c.visit(p)
	c.compareHeaders(p.down("headers"), ours.Value.Headers, theirs.Headers)
	here := p.down("content", "application/json")
	body := jsonOf(theirs.Content)
	means := "callers can't read what went wrong"
	if success {
		means = "there is nothing to read an id or a status from"
	}
	switch {
	case body != nil && body.Schema != nil:
		c.compareSchema(here.down("schema"), "", inAnswer, ours.Value.Content["application/json"].Schema, body.Schema)
	case body == nil && len(theirs.Content) > 0:
		mediaTypes := slices.Sorted(maps.Keys(theirs.Content))
		c.add(breaking, here, "application/json", strings.Join(mediaTypes, " or "), means)
	case success || c.isCopy():
		c.add(breaking, here, "a body", nil, means)
	}
}

// compareHeaders leaves alone, as compareAnswers does, what isn't said of a header.
func (c *comparison) compareHeaders(p place, ours, theirs openapi3.Headers) {
	named := func(headers openapi3.Headers, name string) *openapi3.HeaderRef {
		for key, header := range headers {
			if strings.EqualFold(key, name) && header != nil && header.Value != nil {
				return header
			}
		}
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		if named(ours, name) == nil {
			c.add(compatible, p, nil, name, "callers don't see it yet")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		our, their := ours[name], named(theirs, name)
		here := p.down(name).follow(our.Ref)
		switch {
		case their == nil && c.isCopy():
			c.add(breaking, here, name, nil, "callers that read it find nothing")
		case their == nil:
		default:
			c.compareDeprecated(here, our.Value.Deprecated, their.Value.Deprecated)
			if their.Value.Schema != nil || c.isCopy() {
				c.compareSchema(here.down("schema"), "", inAnswer, our.Value.Schema, their.Value.Schema)
			}
		}
	}
}

// jsonOf returns what a body in JSON looks like, or nil without one.
func jsonOf(content openapi3.Content) *openapi3.MediaType {
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if isJSON(mediaType) && content[mediaType] != nil {
			return content[mediaType]
		}
	}
	return content.Get("application/json") // a range
}

// isJSON goes by the name, not by its parameters.
func isJSON(mediaType string) bool {
	name, _, err := mime.ParseMediaType(mediaType)
	return err == nil && name == "application/json"
}
