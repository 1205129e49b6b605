package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A direction says who writes a value. What a caller writes must not become narrower, what it reads not wider.
type direction bool

const (
	inRequest  direction = false
	inResponse direction = true
)

// compareSchema compares two schemas to the depth of ours. The name is the path of properties to it, if any.
func (c *comparison) compareSchema(p place, name string, d direction, ours, theirs *openapi3.SchemaRef) {
	p = p.follow(ours.Ref)
	c.visit(p)
	ourValue, theirValue := flatten(ours.Value), new(openapi3.Schema)
	if theirs != nil && theirs.Value != nil {
		theirValue = flatten(theirs.Value)
	}
	c.compareText(p.down("description"), textName(d, name), ourValue.Description, theirValue.Description)
	isModel := d == inRequest && name == "model" // its enum may list other models
	c.compareKeywords(p, d, isModel, keywords(ourValue), keywords(theirValue))
	if ourValue.Items != nil {
		c.compareSchema(p.down("items"), name+"[]", d, ourValue.Items, theirValue.Items)
	}
	for _, property := range union(ourValue.Properties, theirValue.Properties) {
		our, their := ourValue.Properties[property], theirValue.Properties[property]
		here := p.down("properties", property)
		required := slices.Contains(theirValue.Required, property)
		switch {
		case our == nil:
			grade, means := added(d, required)
			wording := ""
			if their != nil && their.Value != nil {
				wording = flatten(their.Value).Description
			}
			c.add(grade, here, nil, describe(their), withText(means, wording))
		case their == nil && d == inRequest:
			c.add(breaking, here, describe(our), nil, "the API may reject or ignore it")
		case their == nil:
			c.add(breaking, here, describe(our), nil, "callers that read it find nothing")
		default:
			if was := slices.Contains(ourValue.Required, property); was != required {
				c.required(p.down("required"), d, was, required, property)
			}
			c.compareSchema(here, strings.TrimPrefix(name+"."+property, "."), d, our, their)
		}
	}
	for _, property := range theirValue.Required {
		if theirValue.Properties[property] == nil && !slices.Contains(ourValue.Required, property) {
			c.required(p.down("required"), d, false, true, property) // and their spec does not describe it
		}
	}
}

// union returns the keys of both, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// required reports a change of what is required: a property of a schema, or a parameter or body itself.
func (c *comparison) required(p place, d direction, ours, theirs bool, property ...string) {
	value := func(is bool) any {
		switch {
		case len(property) == 0:
			return is
		case is:
			return property[0]
		}
		return nil
	}
	grade, means := compatible, "it may be omitted"
	switch {
	case d == inRequest && theirs:
		grade, means = breaking, "the API rejects requests without it"
	case d == inResponse && theirs:
		means = "it is always there"
	case d == inResponse:
		grade, means = breaking, "it may be missing from responses"
	}
	c.add(grade, p, value(ours), value(theirs), means)
}

// added grades what only their spec has.
func added(d direction, required bool) (grade, means string) {
	switch {
	case d == inResponse:
		return compatible, "callers don't see it yet"
	case required:
		return breaking, "the API rejects requests without it"
	}
	return compatible, "callers can't set it yet, except through Client.Submit"
}

func (c *comparison) compareKeywords(p place, d direction, isModel bool, ours, theirs map[string]any) {
	for _, keyword := range union(ours, theirs) {
		our, their := ours[keyword], theirs[keyword]
		here := p.down(keyword)
		switch {
		case reflect.DeepEqual(our, their):
		case keyword == "default":
			c.add(judgeDefault(our, their), here, our, their, meaningOfDefault(our, their))
		case keyword == "enum" && isModel:
		case keyword == "enum" && our != nil && their != nil:
			c.compareEnum(here, d, list(our), list(their))
		case keyword == "deprecated":
			c.add(compatible, here, our, their, deprecatedMeans)
		default:
			grade, means := judge(d, change(keyword, our, their))
			c.add(grade, here, our, their, means)
		}
	}
}

func (c *comparison) compareEnum(p place, d direction, ours, theirs []any) {
	for _, value := range ours {
		if !contains(theirs, value) {
			if d == inRequest {
				c.add(breaking, p, value, nil, "the API may reject requests with this value")
			} else {
				c.add(compatible, p, value, nil, "a value that no longer comes")
			}
		}
	}
	for _, value := range theirs {
		if !contains(ours, value) {
			if d == inRequest {
				c.add(compatible, p, nil, value, "a value that our types don't have")
			} else {
				c.add(breaking, p, nil, value, "a value that callers don't know")
			}
		}
	}
}

func contains(values []any, value any) bool {
	return slices.ContainsFunc(values, func(v any) bool { return reflect.DeepEqual(v, value) })
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

// withText appends the vendor's description of something new.
func withText(means, wording string) string {
	if wording = oneLine(wording); wording != "" {
		means += ", described as " + show(wording)
	}
	return means
}

// textName returns the name of a schema's description in texts.yaml.
func textName(d direction, name string) string {
	switch {
	case d == inRequest && name == "":
		return "request"
	case d == inRequest:
		return name
	case name == "":
		return "response"
	}
	return "response." + name
}

// compareText reports a text that differs from when it was last read. A copy of ours is compared with ours. texts.yaml
// holds fingerprints only, so that the vendor's sentences stay out of the repository.
func (c *comparison) compareText(p place, name, ours, theirs string) {
	ours, theirs = oneLine(ours), oneLine(theirs)
	if c.known == nil {
		if ours != theirs {
			c.add(text, p, ours, theirs, "worded differently")
		}
		return
	}
	if c.accept {
		c.known.record(c.ours.Slug, name, theirs)
	}
	if c.known.texts.isRead(c.ours.Slug, name, theirs) {
		return
	}
	if theirs == "" {
		c.add(text, p, orNil(ours), nil, "a text that was read is gone: check which facts it held, then run drift --accept")
		return
	}
	c.add(text, p, orNil(ours), theirs, "a text not read yet: check it for facts, then run drift --accept ("+name+" "+fingerprint(theirs)+")")
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
