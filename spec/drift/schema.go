package main

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A direction tells who writes the value. What a caller writes may not become narrower, what it reads not wider.
type direction bool

const (
	inRequest direction = false
	inAnswer  direction = true
)

// compareSchema holds their schema against ours, however deep ours goes. The name is the path of properties to it.
func (c *comparison) compareSchema(p place, name string, d direction, ours, theirs *openapi3.SchemaRef) {
	p = p.follow(ours.Ref)
	c.visit(p)
	ourValue, theirValue := c.flat.flatten(ours.Value), new(openapi3.Schema)
	if theirs != nil && theirs.Value != nil {
		theirValue = c.flat.flatten(theirs.Value)
	}
	if name != "" {
		c.compareText(p, name, ourValue.Description, theirValue.Description)
	}
	isModel := d == inRequest && name == "model" // recognised by its enum, which may list others
	c.compareKeywords(p, d, isModel, keywords(ourValue), keywords(theirValue))
	if ourValue.Items != nil {
		c.compareSchema(p.down("items"), "", d, ourValue.Items, theirValue.Items)
	}
	for _, property := range union(ourValue.Properties, theirValue.Properties) {
		our, their := ourValue.Properties[property], theirValue.Properties[property]
		here := p.down("properties", property)
		required := slices.Contains(theirValue.Required, property)
		switch {
		case our == nil:
			grade, means := added(d, required)
			if wording := c.flat.wordingOf(their); wording != "" { // beside the value, as known.yaml has none of their sentences
				means += ", described as " + show(wording)
			}
			c.add(grade, here, nil, c.flat.describe(their), means)
		case their == nil && d == inRequest:
			c.add(breaking, here, c.flat.describe(our), nil, "requests with it may be refused, or it is ignored")
		case their == nil:
			c.add(breaking, here, c.flat.describe(our), nil, "callers that read it find nothing")
		default:
			if was := slices.Contains(ourValue.Required, property); was != required {
				c.required(p.down("required"), d, was, required, property)
			}
			c.compareSchema(here, strings.TrimPrefix(name+"."+property, "."), d, our, their)
		}
	}
	for _, property := range theirValue.Required {
		if theirValue.Properties[property] == nil && !slices.Contains(ourValue.Required, property) {
			c.required(p.down("required"), d, false, true, property) // and they don't say what it is
		}
	}
}

// union returns the keys of both, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// required reports a change of what is required: of the property in a list, or of a parameter as such.
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
	grade, means := compatible, "it may be left out"
	switch {
	case d == inRequest && theirs:
		grade, means = breaking, "requests without it are refused"
	case d == inAnswer && theirs:
		means = "it always comes"
	case d == inAnswer:
		grade, means = breaking, "it may be missing from answers"
	}
	c.add(grade, p, value(ours), value(theirs), means)
}

// added judges what only they have.
func added(d direction, required bool) (grade, means string) {
	switch {
	case d == inAnswer:
		return compatible, "callers don't see it yet"
	case required:
		return breaking, "requests without it are refused"
	}
	return compatible, "callers can't set it yet, but through Client.Submit"
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
			c.add(compatible, here, our, their, ofDeprecation)
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
				c.add(breaking, p, value, nil, "requests with this value may be refused")
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

// compareText tells whether the vendor still words a thing as when it was last read; a copy of ours is read against
// ours. The vendor's sentences stay out of the repository: known.yaml holds fingerprints of them.
func (c *comparison) compareText(p place, name, ours, theirs string) {
	here := p.down("description")
	ours, theirs = strings.Join(strings.Fields(ours), " "), strings.Join(strings.Fields(theirs), " ")
	switch {
	case c.known == nil:
		if ours != theirs {
			c.add(text, here, ours, theirs, "another wording")
		}
	case theirs == "" && c.known.hasText(p.document, name):
		c.add(text, here, ours, nil, "a wording that was read is gone, and with it what facts it held: look, then take its fingerprint out of known.yaml")
	case theirs != "" && !c.known.hasRead(p.document, name, theirs):
		c.add(text, here, ours, theirs, "a wording not read yet: look for facts in it, then note "+fingerprint(theirs)+" in known.yaml")
	}
}
