package main

import (
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// compareResponses ignores what only ours declares: a spec that omits a response, as the vendor's omit all errors, does not
// rule it out. In a copy of ours, an omission is a change.
func (c *comparison) compareResponses(p place) {
	responses := c.theirs.Responses.Map()
	maps.DeleteFunc(responses, func(_ string, r *openapi3.ResponseRef) bool { return r == nil || r.Value == nil })
	if !slices.ContainsFunc(slices.Collect(maps.Keys(responses)), isSuccess) {
		c.add(breaking, p, "a success", nil, "no response has an id or a status")
	}
	ours := c.ours.Operation.Responses.Map()
	for _, code := range union(ours, responses) {
		theirs := responses[code]
		switch {
		case theirs == nil && c.isCopy():
			c.add(compatible, p.down(code), code, nil, "a response that no longer comes")
		case theirs == nil:
		case ours[code] == nil && isSuccess(code):
			c.add(breaking, p.down(code), nil, code, "the client accepts it, but the generated clients do not decode it")
		case ours[code] == nil:
			c.add(compatible, p.down(code), nil, code, "a response that callers do not know")
		default:
			c.compareResponse(p.down(code), code, ours[code], theirs.Value)
		}
	}
}

func (c *comparison) compareResponse(p place, code string, ours *openapi3.ResponseRef, theirs *openapi3.Response) {
	success := isSuccess(code)
	p = p.follow(ours.Ref)
	c.visit(p)
	c.compareText(p.down("description"), "response "+code, deref(ours.Value.Description), deref(theirs.Description))
	c.compareHeaders(p.down("headers"), ours.Value.Headers, theirs.Headers)
	for _, name := range union(ours.Value.Links, theirs.Links) {
		if ours.Value.Links[name] == nil {
			c.add(compatible, p.down("links", name), nil, name, "callers don't use it yet")
		}
	}
	c.compareMediaTypes(p.down("content"), ours.Value.Content, theirs.Content)
	here := p.down("content", "application/json")
	body := jsonOf(theirs.Content)
	means := "callers can't read the error"
	if success {
		means = "the response has no id and no status"
	}
	switch {
	case body != nil && body.Schema != nil:
		c.compareSchema(here.down("schema"), "", inResponse, ours.Value.Content["application/json"].Schema, body.Schema)
	case body == nil && len(theirs.Content) > 0:
		mediaTypes := slices.Sorted(maps.Keys(theirs.Content))
		c.add(breaking, here, "application/json", strings.Join(mediaTypes, " or "), means)
	case success || c.isCopy():
		c.add(breaking, here, "a body", nil, means)
	}
}

// compareHeaders ignores omissions as compareResponses does.
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
				c.compareSchema(here.down("schema"), "", inResponse, our.Value.Schema, their.Value.Schema)
			}
		}
	}
}

// jsonOf returns the JSON body, or nil if there is none.
func jsonOf(content openapi3.Content) *openapi3.MediaType {
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		if isJSON(mediaType) && content[mediaType] != nil {
			return content[mediaType]
		}
	}
	return content.Get("application/json") // may be a range
}

// isJSON ignores the parameters of a media type.
func isJSON(mediaType string) bool {
	name, _, err := mime.ParseMediaType(mediaType)
	return err == nil && name == "application/json"
}

func isSuccess(code string) bool { return strings.HasPrefix(code, "2") }

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
