package main

import (
	"maps"
	"reflect"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// A variant is a schema of a request for the models that it names.
type variant struct {
	schema *openapi3.Schema
	models []string
}

// variants returns the alternatives of a schema that name a model, as one document may serve several, and the schema
// itself. What stands beside the alternatives belongs to each.
func variants(schema *openapi3.SchemaRef) []variant {
	if schema == nil || schema.Value == nil {
		return nil
	}
	whole := flatten(schema.Value)
	shared := *whole
	shared.OneOf, shared.AnyOf, shared.Discriminator = nil, nil, nil
	var all []variant
	for _, ref := range slices.Concat(whole.OneOf, whole.AnyOf) {
		if ref == nil || ref.Value == nil {
			continue
		}
		own := flatten(ref.Value)
		models := modelIDs(own)
		if models == nil {
			continue
		}
		both := flatten(&openapi3.Schema{AllOf: openapi3.SchemaRefs{{Value: &shared}, {Value: own}}})
		if len(both.AllOf) > 0 { // they contradict each other
			both = own
		}
		both.Properties["model"] = own.Properties["model"]
		all = append(all, variant{both, models})
	}
	return append(all, variant{whole, modelIDs(whole)})
}

func modelIDs(schema *openapi3.Schema) []string {
	model := schema.Properties["model"]
	if model == nil || model.Value == nil {
		return nil
	}
	flat := flatten(model.Value)
	var ids []string
	for _, value := range append([]any{flat.Const}, flat.Enum...) {
		if id, ok := value.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// maxMembers is how many members of an allOf are put together: by $refs to each other, few make many.
const maxMembers = 20

// flatten makes one schema of an allOf and what stands beside it. One whose members contradict each other stays.
func flatten(schema *openapi3.Schema) *openapi3.Schema {
	left := maxMembers
	if flat, ok := flattened(schema, &left); ok {
		return flat
	}
	return schema
}

func flattened(schema *openapi3.Schema, left *int) (flat *openapi3.Schema, ok bool) {
	if len(schema.AllOf) == 0 {
		return schema, true
	}
	flat = new(*schema)
	flat.AllOf, flat.Properties, flat.Required = nil, maps.Clone(schema.Properties), slices.Clone(schema.Required)
	for _, member := range schema.AllOf {
		*left--
		if *left < 0 || member == nil || member.Value == nil {
			return nil, false
		}
		if value, ok := flattened(member.Value, left); !ok || !join(flat, value) {
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
