package main

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
)

// A member of an object in a spec is compared as a keyword, as a text, or as an object of some kind, or objects by name.
type member struct {
	as   string
	each bool
}

// members has the members of each kind of object. Those that aren't listed are ignored, except for keywords of a schema.
var members = map[string]map[string]member{
	"operation": {
		"deprecated": {as: "keyword"}, "description": {as: "text"}, "parameters": {"parameter", true},
		"requestBody": {as: "body"}, "responses": {"response", true}, "callbacks": {"callback", true},
	},
	"parameter": {"required": {as: "keyword"}, "deprecated": {as: "keyword"}, "description": {as: "text"}, "schema": {as: "schema"}},
	"body":      {"required": {as: "keyword"}, "description": {as: "text"}, "content": {"media", true}},
	"response":  {"description": {as: "text"}, "headers": {"header", true}, "links": {"link", true}, "content": {"media", true}},
	"header":    {"deprecated": {as: "keyword"}, "schema": {as: "schema"}},
	"media":     {"schema": {as: "schema"}},
	"schema": {
		"description": {as: "text"}, "title": {as: "text"}, "example": {as: "text"},
		"properties": {"schema", true}, "items": {as: "schema"}, "required": {as: "names"},
		"$ref": {as: "ignored"}, "discriminator": {as: "ignored"}, "xml": {as: "ignored"}, "externalDocs": {as: "ignored"}, "examples": {as: "ignored"}, "$comment": {as: "ignored"},
	},
}

// isText reports whether a member is an extension whose text may hold facts. The others arrange the vendor's pages, or are
// ours for generators.
func isText(name string) bool {
	return strings.HasPrefix(name, "x-") && !slices.Contains([]string{"x-hideTryItPanel", "x-order", "x-media"}, name)
}

// A step is an object that is compared: its kind, its name in texts.yaml, and its place in ours.
type step struct {
	kind, name string
	direction  direction
	at         place
}

// A direction says who writes a value. What a caller writes must not become narrower, what it reads not wider.
type direction bool

const (
	inRequest  direction = false
	inResponse direction = true
)

// walk compares two objects and what is below them.
func (c *comparison) walk(s step, ours, theirs object) {
	c.visits = append(c.visits, visit{s.at, c.ours.Slug})
	ours, theirs = normal(s.kind, ours), normal(s.kind, theirs)
	for _, key := range union(ours, theirs) {
		m := members[s.kind][key]
		if m.as == "" && s.kind == "schema" {
			m.as = "keyword"
		}
		our, their, here := ours[key], theirs[key], s.at.down(key)
		switch {
		case isText(key), m.as == "text":
			c.compareText(here, textName(s.name, key), plain(our), plain(their))
		case strings.HasPrefix(key, "x-"), m.as == "", m.as == "ignored":
		case m.as == "keyword":
			if isChoice(key) {
				c.compareText(here, textName(s.name, key), words(our), words(their))
				our, their = describeAll(our), describeAll(their)
			}
			c.compareKeyword(s, key, our, their)
		case m.as == "names":
			c.compareRequired(s, ours, theirs)
		case m.each:
			for _, name := range union(objectOf(our), objectOf(their)) {
				c.child(s, m.as, key, name, objectOf(our)[name], objectOf(their)[name], theirs)
			}
		default:
			c.child(s, m.as, key, "", our, their, theirs)
		}
	}
}

// textName returns the name of a text in texts.yaml.
func textName(name, key string) string {
	switch key {
	case "description":
		return name
	case "x-codeSamples":
		return "samples"
	}
	return name + " " + key
}

// below returns the step to an object below another one, named if it is one of several.
func (s step) below(kind, key, name string, our any) step {
	next := step{kind, s.name, s.direction, s.at.down(key)}
	if name != "" {
		next.at = next.at.down(name)
	}
	switch kind {
	case "parameter":
		_, parameter, _ := strings.Cut(name, " ")
		next.name = "parameter " + parameter
		next.at = s.at.down(key, plain(objectOf(our)["index"]))
	case "body":
		next.name = "body"
	case "response":
		next.name, next.direction = "response "+name, inResponse
	case "header":
		next.name = "header " + strings.ToLower(name)
	case "media":
		next.name = map[direction]string{inRequest: "request", inResponse: "response"}[s.direction]
	case "schema":
		switch {
		case key == "items":
			next.name += "[]"
		case key == "properties" && s.name == "request":
			next.name = name
		case key == "properties":
			next.name += "." + name
		case s.kind == "parameter":
			next.name += " schema"
		}
	}
	return next
}

// child compares an object below another one. What only ours or only theirs has is reported as its kind demands.
func (c *comparison) child(parent step, kind, key, name string, our, their any, theirs object) {
	s := parent.below(kind, key, name, our)
	ourValue, theirValue, followed := objectOf(our), objectOf(their), s
	followed.at = s.at.follow(plain(ourValue["$ref"]))
	isSilent := !c.isCopy() // the vendor's specs omit much
	switch {
	case our == nil:
		c.extra(parent, s, key, name, theirValue, theirs)
	case their != nil:
		c.walk(followed, ourValue, theirValue)
	case kind == "parameter":
		c.add(verdict{breaking, "the API may reject or ignore it"}, followed.at, shownParameter(ourValue), nil)
	case kind == "header" && !isSilent:
		c.add(verdict{breaking, "callers that read it find nothing"}, followed.at, name, nil)
	case kind == "response" && !isSilent:
		c.add(verdict{compatible, "a response that no longer comes"}, s.at, name, nil)
	case kind == "media":
		c.noBody(parent, s.at, theirs)
	case key == "properties":
		means := map[direction]string{inRequest: "the API may reject or ignore it", inResponse: "callers that read it find nothing"}[s.direction]
		c.add(verdict{breaking, means}, s.at, describe(our, false), nil)
	case kind == "schema" && (parent.kind != "header" || !isSilent):
		c.walk(followed, ourValue, nil)
	}
}

// noBody reports a body without JSON.
func (c *comparison) noBody(parent step, at place, theirs object) {
	v, isError := verdict{breaking, "the response has no id and no status"}, !isSuccess(strings.TrimPrefix(parent.name, "response "))
	if isError {
		v.means = "callers can't read the error"
	}
	if others := slices.Sorted(maps.Keys(objectOf(theirs["content"]))); len(others) > 0 {
		c.add(v, at, "application/json", strings.Join(others, " or "))
	} else if !isError || c.isCopy() {
		c.add(v, at, "a body", nil)
	}
}

// extra reports what only theirs has.
func (c *comparison) extra(parent, s step, key, name string, value, theirs object) {
	at, shown := s.at, any(name)
	var v verdict
	switch s.kind {
	case "parameter":
		v, at, shown = added(inRequest, value["required"] == true), parent.at.down(key, "-"), shownParameter(value)
	case "response":
		v = verdict{compatible, "a response that callers do not know"}
		if isSuccess(name) {
			v = verdict{breaking, "the client accepts it, but the generated clients do not decode it"}
		}
		value = nil
	case "header":
		v, at = verdict{compatible, "callers don't see it yet"}, parent.at.down(key)
	case "media":
		if objectOf(theirs["content"])["application/json"] == nil {
			return
		}
		v, at = verdict{compatible, "a form of the body that the client does not use"}, parent.at.down(key)
	case "link":
		v = verdict{compatible, "callers don't use it yet"}
	case "callback":
		v = verdict{compatible, callbackMeans}
	default:
		if key != "properties" {
			return
		}
		v = added(s.direction, slices.Contains(list(theirs["required"]), any(name)))
		shown = describe(value, false)
	}
	if wording := oneLine(plain(value["description"])); wording != "" {
		v.means += ", described as " + show(wording)
	}
	c.add(v, at, nil, shown)
}

const callbackMeans = "the API may call back, and the client does not listen"

func shownParameter(p object) string { return plain(p["in"]) + " " + plain(p["name"]) }

// compareRequired compares the names of required properties.
func (c *comparison) compareRequired(s step, ours, theirs object) {
	describes := func(o object, name any) bool { return in(o, "properties")[plain(name)] != nil }
	at := s.at.down("required")
	for _, name := range list(ours["required"]) {
		if !slices.Contains(list(theirs["required"]), name) && describes(theirs, name) {
			c.add(required(s.direction, false), at, name, nil)
		}
	}
	for _, name := range list(theirs["required"]) {
		if !slices.Contains(list(ours["required"]), name) && (describes(ours, name) || !describes(theirs, name)) { // else it is new
			c.add(required(s.direction, true), at, nil, name)
		}
	}
}

// normal returns an object in one of several forms that mean the same.
func normal(kind string, o object) object {
	if o = maps.Clone(o); o == nil {
		o = object{}
	}
	for key, m := range members[kind] {
		if m.as == "keyword" && o[key] == nil {
			o[key] = false
		}
	}
	if content := objectOf(o["content"]); content != nil {
		o["content"] = jsonContent(content)
	}
	if headers := objectOf(o["headers"]); headers != nil {
		lower := object{}
		for name, header := range headers {
			lower[strings.ToLower(name)] = header
		}
		o["headers"] = lower
	}
	return o
}

// jsonContent names the JSON body application/json, if it has a schema.
func jsonContent(content object) object {
	all, body := object{}, any(nil)
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		name, _, err := mime.ParseMediaType(mediaType)
		if err == nil && slices.Contains([]string{"application/json", "application/*", "*/*"}, name) {
			body = content[mediaType]
		} else {
			all[mediaType] = content[mediaType]
		}
	}
	if objectOf(body)["schema"] != nil {
		all["application/json"] = body
	}
	return all
}

func isSuccess(code string) bool { return strings.HasPrefix(code, "2") }

// parameters returns those of an operation and of its path by place and name; the name of a header has no case.
func parameters(item, operation object) object {
	all := object{}
	for i, value := range slices.Concat(list(operation["parameters"]), list(item["parameters"])) {
		key := shownParameter(objectOf(value))
		if objectOf(value)["in"] == "header" {
			key = strings.ToLower(key)
		}
		all[key] = objectWith(value, "index", fmt.Sprint(i))
	}
	return all
}

// operationWords joins the texts about an operation.
func operationWords(root, item, operation object) string {
	all := []string{plain(operation["summary"]), plain(operation["description"]), plain(item["summary"]), plain(item["description"]),
		plain(in(root, "info")["description"])}
	for _, described := range slices.Concat(list(root["servers"]), list(root["tags"]), []any{root["externalDocs"], operation["externalDocs"]}) {
		all = append(all, plain(objectOf(described)["description"]))
	}
	return strings.Join(append(all, plain(in(root, "externalDocs")["url"]), plain(in(operation, "externalDocs")["url"])), " ")
}
