package main

import (
	"maps"
	"path"
	"reflect"
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

func (c *comparison) add(v verdict, p place, ours, theirs any) {
	f := finding{
		State: stateNew, Grade: v.grade, Model: c.ours.Slug, Document: p.document, Pointer: p.pointer,
		Ours: ours, Theirs: theirs, Means: v.means, Source: c.source,
	}
	if reason, ok := c.known.reason(f); ok {
		f.State, f.Reason = stateKnown, reason
	}
	c.findings = append(c.findings, f)
}

func (c *comparison) root() place { return place{document: c.ours.Slug + ".yaml"} }

// here is the place of our operation.
func (c *comparison) here() place {
	return c.root().down("paths", c.ours.Path, strings.ToLower(c.ours.Method))
}

func (c *comparison) compare() {
	url := c.ours.OpenAPI.Servers[0].URL + c.ours.Path
	if urls := c.urls(); !slices.Contains(urls, url) {
		c.add(verdict{breaking, "requests go to the wrong URL"}, c.root().down("paths", c.ours.Path), url, urls[0])
	} else if len(urls) > 1 && !c.isCopy() {
		c.add(verdict{compatible, "the API has other servers too"}, c.root().down("servers"), url, strings.Join(urls, " or "))
	}
	c.compareSecurity(c.root().down("security"))
	for _, name := range slices.Sorted(maps.Keys(c.document.Webhooks)) {
		c.add(verdict{compatible, callbackMeans}, c.root().down("webhooks", name), nil, name)
	}
	var schema *openapi3.SchemaRef
	if body := c.ours.Operation.RequestBody; body != nil {
		schema = body.Value.Content["application/json"].Schema
		request := c.here().down("requestBody").follow(schema.Ref)
		for _, alternative := range c.unnamed {
			c.add(verdict{compatible, "another form of the request that callers can't use yet, except through Client.Submit"},
				request.down("oneOf"), nil, asJSON(flatten(alternative.Value)))
		}
		if len(c.others) > 0 {
			c.add(verdict{compatible, "models that we have no spec for"}, request.down("properties", "model", "enum"), nil, enumerate(c.others))
		}
	}
	ours := operationNode(c.ours.OpenAPI, new(openapi3.PathItem), c.ours.Operation, schema, "application/json")
	theirs := operationNode(c.document, c.item, c.theirs, &openapi3.SchemaRef{Value: c.request}, c.mediaType)
	if !slices.ContainsFunc(slices.Collect(maps.Keys(theirs.children)), func(key string) bool { return strings.HasPrefix(key, "response 2") }) {
		c.add(verdict{breaking, "no response has an id or a status"}, c.here().down("responses"), "a success", nil)
	}
	c.walk(ours, theirs, c.here())
}

// walk compares two nodes and what is below them. The place is that of ours.
func (c *comparison) walk(ours, theirs *node, at place) {
	c.visits = append(c.visits, visit{at, c.ours.Slug})
	for _, keyword := range union(ours.keywords, theirs.keywords) {
		c.compareKeyword(ours, keyword, at.down(keyword), ours.keywords[keyword], theirs.keywords[keyword])
	}
	for _, keyword := range union(ours.texts, theirs.texts) {
		name := map[string]string{"description": ours.name, "x-codeSamples": "samples"}[keyword]
		if name == "" {
			name = ours.name + " " + keyword
		}
		c.compareText(at.down(keyword), name, ours.texts[keyword], theirs.texts[keyword])
	}
	for _, name := range union(set(ours.required), set(theirs.required)) {
		was, is := slices.Contains(ours.required, name), slices.Contains(theirs.required, name)
		described := theirs.children["property "+name] != nil
		if was != is && (is && !described || described && ours.children["property "+name] != nil) {
			c.add(required(ours.direction, is), at.down("required"), valueIf(was, name), valueIf(is, name))
		}
	}
	for _, key := range union(ours.children, theirs.children) {
		our, their := ours.children[key], theirs.children[key]
		if our == nil {
			c.extra(their, at)
			continue
		}
		whole := at.down(our.steps...)
		here := whole.follow(our.ref)
		if our.isComponent {
			whole = here
		}
		switch {
		case their != nil:
			c.walk(our, their, here)
		case key == "content" && theirs.instead != "":
			c.add(our.missing, here, "application/json", theirs.instead)
		case our.silent && !c.isCopy():
		case our.missing.grade != "":
			c.add(our.missing, whole, our.shown, nil)
		default:
			c.walk(our, new(node), here)
		}
	}
}

func (c *comparison) extra(n *node, parent place) {
	v, steps := n.extra, n.extraSteps
	if v.grade == "" {
		return
	}
	if steps == nil {
		steps = n.steps
	}
	if wording := oneLine(n.texts["description"]); wording != "" && !strings.HasPrefix(n.name, "response ") {
		v.means += ", described as " + show(wording)
	}
	c.add(v, parent.down(steps...), nil, n.shown)
}

func (c *comparison) compareKeyword(n *node, keyword string, at place, ours, theirs any) {
	_, isFlag := ours.(bool)
	switch {
	case reflect.DeepEqual(ours, theirs):
	case keyword == "enum" && n.direction == inRequest && n.name == "model": // it may list other models
	case keyword == "enum" && ours != nil && theirs != nil:
		c.compareEnum(n.direction, at, list(ours), list(theirs))
	case keyword == "content":
		c.add(verdict{breaking, "the API rejects requests in JSON"}, at, ours, theirs)
	case keyword == "required" && isFlag:
		c.add(required(n.direction, theirs == true), at, ours, theirs)
	default:
		c.add(judge(n.direction, keyword, ours, theirs), at, ours, theirs)
	}
}

func (c *comparison) compareEnum(d direction, p place, ours, theirs []any) {
	gone, fresh := verdict{breaking, "the API may reject requests with this value"}, verdict{compatible, "a value that our types don't have"}
	if d == inResponse {
		gone, fresh = verdict{compatible, "a value that no longer comes"}, verdict{breaking, "a value that callers don't know"}
	}
	for _, value := range ours {
		if !contains(theirs, value) {
			c.add(gone, p, value, nil)
		}
	}
	for _, value := range theirs {
		if !contains(ours, value) {
			c.add(fresh, p, nil, value)
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

// union returns the keys of both, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func set(names []string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

func valueIf(is bool, value string) any {
	if is {
		return value
	}
	return nil
}

// compareForeign reports operations that our specs do not have: one finding for each beside ours, one for all the rest.
func (c *comparison) compareForeign(others []foreign) {
	var rest []foreign
	for _, f := range others {
		if f.path == c.path || strings.HasPrefix(f.path, strings.TrimSuffix(path.Dir(c.path), "/")+"/") {
			c.add(verdict{compatible, "an operation that the client does not have"}, c.root().down("paths", f.path, strings.ToLower(f.method)), nil, f.String())
		} else {
			rest = append(rest, f)
		}
	}
	if len(rest) > 0 {
		c.add(verdict{compatible, "operations that the client does not have"}, c.root().down("paths"), nil, enumerate(rest))
	}
}

func (c *comparison) compareSecurity(p place) {
	c.visits = append(c.visits, visit{p, c.ours.Slug})
	ours, theirs := security(c.ours.OpenAPI, c.ours.Operation)[0], security(c.document, c.theirs)
	switch {
	case slices.Contains(theirs, ours):
	case len(theirs) == 0:
		c.add(verdict{compatible, "the spec requires no key"}, p, ours, nil)
	default:
		c.add(verdict{breaking, "requests are not authorized"}, p, ours, strings.Join(theirs, " or "))
	}
}

// compareText reports a text that differs from when it was last read. A copy of ours is compared with ours. texts.yaml
// holds fingerprints only, so that the vendor's sentences stay out of the repository.
func (c *comparison) compareText(p place, name, ours, theirs string) {
	ours, theirs = oneLine(ours), oneLine(theirs)
	means := "a text not read yet: check it for facts, then run drift --accept (" + name + " " + fingerprint(theirs) + ")"
	switch {
	case c.known == nil && ours == theirs:
		return
	case c.known == nil:
		c.add(verdict{text, "worded differently"}, p, ours, theirs)
		return
	case c.accept:
		c.known.record(c.ours.Slug, name, theirs)
	}
	if c.known.texts.isRead(c.ours.Slug, name, theirs) {
		return
	}
	if theirs == "" {
		means = "a text that was read is gone: check which facts it held, then run drift --accept"
	}
	c.add(verdict{text, means}, p, valueIf(ours != "", ours), valueIf(theirs != "", theirs))
}
