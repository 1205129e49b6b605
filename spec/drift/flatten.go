package main

import (
	"maps"
	"reflect"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// A flattener puts together the schemas that a document has in parts. By $refs to each other few parts make many, which
// is why it stops some day.
type flattener struct{ left int }

// How many properties and schemas a flattener puts together. The vendor's documents have some dozens.
const (
	maxParts   = 100_000
	maxMembers = 50 // of one allOf
)

func (f *flattener) spend(parts int) bool {
	f.left -= parts
	return f.left >= 0
}

func (f *flattener) exhausted() bool { return f.left < 0 }

// flatten makes one schema of an allOf and what stands beside it. One whose members contradict each other stays.
func (f *flattener) flatten(schema *openapi3.Schema) *openapi3.Schema {
	if flat, ok := f.flattened(schema, 0); ok {
		return flat
	}
	return schema
}

func (f *flattener) flattened(schema *openapi3.Schema, depth int) (flat *openapi3.Schema, ok bool) {
	if len(schema.AllOf) == 0 {
		return schema, true
	}
	if depth > maxDepth || len(schema.AllOf) > maxMembers || !f.spend(1+len(schema.Properties)) {
		return nil, false
	}
	flat = new(*schema)
	flat.AllOf, flat.Properties, flat.Required = nil, maps.Clone(schema.Properties), slices.Clone(schema.Required)
	for _, member := range schema.AllOf {
		if member == nil || member.Value == nil {
			return nil, false
		}
		value, ok := f.flattened(member.Value, depth+1)
		if !ok || !f.spend(1+len(value.Properties)+len(value.Required)) || !join(flat, value) {
			return nil, false
		}
	}
	return flat, true
}

// join adds what a schema says to another, unless that one says something else.
func join(into, from *openapi3.Schema) bool {
	if into.Properties == nil {
		into.Properties = openapi3.Schemas{}
	}
	for name, property := range from.Properties {
		if before := into.Properties[name]; before != nil && before != property {
			property = &openapi3.SchemaRef{Value: &openapi3.Schema{AllOf: openapi3.SchemaRefs{before, property}}}
		}
		into.Properties[name] = property
	}
	for _, name := range from.Required {
		if !slices.Contains(into.Required, name) {
			into.Required = append(into.Required, name)
		}
	}
	intoValue, fromValue := reflect.ValueOf(into).Elem(), reflect.ValueOf(from).Elem()
	for field, value := range fromValue.Fields() {
		target := intoValue.FieldByIndex(field.Index)
		switch {
		case value.IsZero(), field.Name == "Properties", field.Name == "Required":
		case target.IsZero():
			target.Set(value)
		case texts[field.Name], reflect.DeepEqual(target.Interface(), value.Interface()):
		default:
			return false
		}
	}
	return true
}

// texts may differ: the first is taken.
var texts = map[string]bool{
	"Title": true, "Description": true, "Example": true, "Examples": true, "ExternalDocs": true, "Comment": true,
	"Extensions": true, "Origin": true,
}
