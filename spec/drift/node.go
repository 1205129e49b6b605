package main

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A node is a part of an operation: a parameter, a body, a response, a header or a schema. Nodes are made alike from our
// spec and from the vendor's, so that one function compares them.
type node struct {
	steps     []string // from the parent's place to its own, or through a $ref of ours
	ref       string
	name      string // in texts.yaml
	shown     any    // in a finding about the whole node
	direction direction
	// missing and extra say what it means if only ours or only theirs has the node. Nothing means that its keywords are
	// compared with none, and that it is ignored. A silent node is missing in many specs of the vendor: it counts in a copy
	// of ours only.
	missing, extra verdict
	extraSteps     []string // to the place of an extra node; its own if nil
	silent         bool
	isComponent    bool // the place of the whole node is what its $ref leads to
	keywords       map[string]any
	texts          map[string]string // by keyword
	required       []string
	instead        string // the media types of a body without JSON
	children       map[string]*node
}

// A verdict says what a difference means for a caller.
type verdict struct{ grade, means string }

// A direction says who writes a value. What a caller writes must not become narrower, what it reads not wider.
type direction bool

const (
	inRequest  direction = false
	inResponse direction = true
)

// operationNode makes the node of an operation of ours or, if the request is given, of theirs.
func operationNode(document *openapi3.T, item *openapi3.PathItem, o *openapi3.Operation, request *openapi3.SchemaRef, mediaType string) *node {
	n := &node{
		name:     "operation",
		keywords: map[string]any{"deprecated": o.Deprecated},
		texts:    map[string]string{"description": words(document, item, o), "x-codeSamples": samples(o)},
		children: map[string]*node{},
	}
	addExtensions(n.texts, o.Extensions)
	for i, ref := range append(slices.Clip(o.Parameters), item.Parameters...) {
		if ref == nil || ref.Value == nil {
			continue
		}
		p := ref.Value
		key := p.In + " " + p.Name
		if p.In == openapi3.ParameterInHeader {
			key = strings.ToLower(key)
		}
		schema := schemaNode(inRequest, "", p.Schema, "schema")
		schema.name = "parameter " + p.Name + " schema"
		n.children[key] = &node{
			steps: []string{"parameters", fmt.Sprint(i)}, ref: ref.Ref, name: "parameter " + p.Name, shown: p.In + " " + p.Name,
			missing: verdict{breaking, "the API may reject or ignore it"}, extra: added(inRequest, p.Required), extraSteps: []string{"parameters", "-"}, isComponent: true,
			keywords: map[string]any{"required": p.Required, "deprecated": p.Deprecated},
			texts:    map[string]string{"description": p.Description},
			children: map[string]*node{"schema": schema},
		}
	}
	if o.RequestBody != nil && o.RequestBody.Value != nil && request != nil {
		body := o.RequestBody.Value
		b := &node{
			steps: []string{"requestBody"}, name: "body",
			keywords: map[string]any{"required": body.Required, "content": "application/json"},
			texts:    map[string]string{"description": body.Description},
			children: map[string]*node{"schema": schemaNode(inRequest, "", request, "content", "application/json", "schema")},
		}
		if !isJSON(mediaType) {
			b.keywords["content"] = mediaType
		}
		b.addMedia(body.Content)
		n.children["body"] = b
	}
	for name := range o.Callbacks {
		n.children["callback "+name] = &node{extra: verdict{compatible, callbackMeans}, shown: name, extraSteps: []string{"callbacks", name}}
	}
	for code, ref := range o.Responses.Map() {
		if ref != nil && ref.Value != nil {
			n.children["response "+code] = responseNode(code, ref)
		}
	}
	return n
}

const callbackMeans = "the API may call back, and the client does not listen"

func responseNode(code string, ref *openapi3.ResponseRef) *node {
	r := ref.Value
	n := &node{
		steps: []string{"responses", code}, ref: ref.Ref, name: "response " + code, shown: code, silent: true,
		missing:  verdict{compatible, "a response that no longer comes"},
		extra:    verdict{compatible, "a response that callers do not know"},
		texts:    map[string]string{},
		children: map[string]*node{},
	}
	if r.Description != nil {
		n.texts["description"] = *r.Description
	}
	content := &node{
		steps: []string{"content", "application/json"}, shown: "a body", missing: verdict{breaking, "callers can't read the error"}, silent: true,
	}
	if isSuccess(code) {
		n.extra = verdict{breaking, "the client accepts it, but the generated clients do not decode it"}
		content.missing.means, content.silent = "the response has no id and no status", false
	}
	if body := jsonOf(r.Content); body == nil {
		n.instead = strings.Join(slices.Sorted(maps.Keys(r.Content)), " or ")
	} else if body.Schema != nil {
		content.children = map[string]*node{"schema": schemaNode(inResponse, "", body.Schema, "schema")}
		n.children["content"] = content
	}
	n.addMedia(r.Content)
	for name := range r.Links {
		n.children["link "+name] = &node{extra: verdict{compatible, "callers don't use it yet"}, shown: name, extraSteps: []string{"links", name}, silent: true}
	}
	for name, ref := range r.Headers {
		if ref == nil || ref.Value == nil {
			continue
		}
		h := &node{
			steps: []string{"headers", name}, ref: ref.Ref, shown: name, direction: inResponse, silent: true,
			missing: verdict{breaking, "callers that read it find nothing"},
			extra:   verdict{compatible, "callers don't see it yet"}, extraSteps: []string{"headers"}, isComponent: true,
			keywords: map[string]any{"deprecated": ref.Value.Deprecated},
			children: map[string]*node{},
		}
		if ref.Value.Schema != nil {
			schema := schemaNode(inResponse, "", ref.Value.Schema, "schema")
			schema.name, schema.silent, schema.missing = "header "+strings.ToLower(name), true, verdict{}
			h.children["schema"] = schema
		}
		n.children["header "+strings.ToLower(name)] = h
	}
	return n
}

// addMedia adds further types of a body that has one in JSON.
func (n *node) addMedia(content openapi3.Content) {
	for mediaType := range content {
		if jsonOf(content) != nil && !isJSON(mediaType) {
			n.children["media "+mediaType] = &node{
				extra: verdict{compatible, "a form of the body that the client does not use"}, shown: mediaType, extraSteps: []string{"content"}, silent: true,
			}
		}
	}
}

// maxDepth limits properties in properties: a schema may contain itself.
const maxDepth = 12

// schemaNode makes the node of a schema. The name is the path of properties to it, if any.
func schemaNode(d direction, name string, ref *openapi3.SchemaRef, steps ...string) *node {
	n := &node{steps: steps, name: textName(d, name), direction: d, keywords: map[string]any{}, texts: map[string]string{}, children: map[string]*node{}}
	if ref == nil || ref.Value == nil || strings.Count(name, ".") > maxDepth || strings.Count(name, "[]") > maxDepth {
		return n
	}
	s := flatten(ref.Value)
	n.ref, n.shown, n.keywords, n.required = ref.Ref, describe(ref), keywords(s), s.Required
	n.missing = verdict{breaking, "the API may reject or ignore it"}
	if d == inResponse {
		n.missing.means = "callers that read it find nothing"
	}
	n.texts["description"], n.texts["title"] = s.Description, s.Title
	if s.Example != nil {
		n.texts["example"] = encode(s.Example)
	}
	addExtensions(n.texts, s.Extensions)
	for keyword, refs := range map[string]openapi3.SchemaRefs{"allOf": s.AllOf, "oneOf": s.OneOf, "anyOf": s.AnyOf} {
		for _, ref := range refs {
			n.texts[keyword] += " " + schemaNode(d, name+"[]", ref).words()
		}
	}
	if s.Items != nil {
		n.children["items"] = schemaNode(d, name+"[]", s.Items, "items")
		n.children["items"].missing = verdict{}
	}
	for property, ref := range s.Properties {
		child := schemaNode(d, strings.TrimPrefix(name+"."+property, "."), ref, "properties", property)
		child.extra = added(d, slices.Contains(s.Required, property))
		n.children["property "+property] = child
	}
	return n
}

// words joins all texts of a schema.
func (n *node) words() string {
	var all []string
	for _, keyword := range slices.Sorted(maps.Keys(n.texts)) {
		all = append(all, n.texts[keyword])
	}
	for _, key := range slices.Sorted(maps.Keys(n.children)) {
		all = append(all, n.children[key].words())
	}
	return strings.Join(all, " ")
}

// arranging are extensions that only arrange the vendor's pages, and ours for generators.
var arranging = []string{"x-hideTryItPanel", "x-order", "x-media"}

// addExtensions adds extensions, since facts may stand there. Code samples are a text of their own.
func addExtensions(texts map[string]string, extensions map[string]any) {
	for name, value := range extensions {
		if !slices.Contains(arranging, name) && !isSample(name) {
			texts[name] = encode(value)
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

// words joins the texts about an operation.
func words(document *openapi3.T, item *openapi3.PathItem, o *openapi3.Operation) string {
	all := []string{o.Summary, o.Description, item.Summary, item.Description}
	if document.Info != nil {
		all = append(all, document.Info.Description)
	}
	for _, server := range document.Servers {
		all = append(all, server.Description)
	}
	for _, tag := range document.Tags {
		all = append(all, tag.Description)
	}
	for _, docs := range []*openapi3.ExternalDocs{document.ExternalDocs, o.ExternalDocs} {
		if docs != nil {
			all = append(all, docs.Description, docs.URL)
		}
	}
	return strings.Join(all, " ")
}

func isSample(extension string) bool { return strings.Contains(strings.ToLower(extension), "sample") }

// samples returns the code samples of an operation, which are in an extension of one of several names.
func samples(o *openapi3.Operation) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(o.Extensions)) {
		if isSample(name) {
			all = append(all, encode(o.Extensions[name]))
		}
	}
	return strings.Join(all, " ")
}

// textName returns the name of a schema's texts in texts.yaml.
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
