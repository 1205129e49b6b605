package main

import (
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
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
	item := in(c.own, "paths", c.ours.Path)
	operation := in(item, strings.ToLower(c.ours.Method))
	c.compareSecurity(c.root().down("security"), operation)
	for _, name := range slices.Sorted(maps.Keys(in(c.document, "webhooks"))) {
		c.add(verdict{compatible, callbackMeans}, c.root().down("webhooks", name), nil, name)
	}
	ourRoot, theirRoot := c.own, c.document
	if c.isCopy() { // it may be one of several in a spec, as those of the simulator are
		ourRoot, theirRoot = nil, nil
	}
	ours, theirs := whole(ourRoot, nil, operation), whole(theirRoot, c.item, c.theirs)
	if c.request != nil {
		theirs["requestBody"] = c.body(operation)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(in(theirs, "responses"))), isSuccess) {
		c.add(verdict{breaking, "no response has an id or a status"}, c.here().down("responses"), "a success", nil)
	}
	c.walk(step{"operation", "operation", inRequest, c.here()}, ours, theirs)
}

// whole returns an operation with what stands around it.
func whole(root, item, operation object) object {
	all := maps.Clone(operation)
	all["description"], all["parameters"] = operationWords(root, item, operation), parameters(item, operation)
	var samples []string // in an extension of one of several names
	for _, name := range slices.Sorted(maps.Keys(operation)) {
		if strings.HasPrefix(name, "x-") && strings.Contains(strings.ToLower(name), "sample") {
			samples = append(samples, encode(operation[name]))
			delete(all, name)
		}
	}
	all["x-codeSamples"] = strings.Join(samples, " ")
	return all
}

// body returns their body with the schema of our model, and reports what else it may be.
func (c *comparison) body(operation object) object {
	here := c.here().down("requestBody")
	request := here.follow(plain(in(operation, "requestBody", "content", "application/json", "schema")["$ref"]))
	for _, alternative := range c.unnamed {
		c.add(verdict{compatible, "another form of the request that callers can't use yet, except through Client.Submit"},
			request.down("oneOf"), nil, describe(alternative, true))
	}
	if len(c.others) > 0 {
		c.add(verdict{compatible, "models that we have no spec for"}, request.down("properties", "model", "enum"), nil, enumerate(c.others))
	}
	body := maps.Clone(in(c.theirs, "requestBody"))
	content := jsonContent(objectOf(body["content"]))
	if content["application/json"] == nil {
		c.add(verdict{breaking, "the API rejects requests in JSON"}, here.down("content"), "application/json", c.mediaType)
		content = object{}
	}
	content["application/json"] = object{"schema": c.request}
	body["content"] = content
	return body
}

func (c *comparison) compareKeyword(s step, keyword string, ours, theirs any) {
	at := s.at.down(keyword)
	_, isFlag := ours.(bool)
	switch {
	case reflect.DeepEqual(ours, theirs):
	case keyword == "enum" && s.direction == inRequest && s.name == "model": // it may list other models
	case keyword == "enum" && ours != nil && theirs != nil:
		c.compareEnum(s.direction, at, list(ours), list(theirs))
	case keyword == "required" && isFlag:
		c.add(required(s.direction, theirs == true), at, ours, theirs)
	default:
		c.add(judge(s.direction, keyword, ours, theirs), at, ours, theirs)
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

// union returns the keys of both, sorted.
func union[M ~map[string]V, V any](a, b M) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
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

func (c *comparison) compareSecurity(p place, operation object) {
	c.visits = append(c.visits, visit{p, c.ours.Slug})
	ours, theirs := security(c.own, operation)[0], security(c.document, c.theirs)
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
