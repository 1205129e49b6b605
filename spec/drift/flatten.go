package main

import (
	"maps"
	"reflect"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// flatten merges an allOf into the schema around it. It returns the schema unchanged if the members contradict each other.
func flatten(schema *openapi3.Schema) *openapi3.Schema {
	if flat, ok := merge(schema, 0); ok {
		return flat
	}
	return schema
}

func merge(schema *openapi3.Schema, depth int) (flat *openapi3.Schema, ok bool) {
	if len(schema.AllOf) == 0 {
		return schema, true
	}
	if depth > 4*maxDepth {
		return nil, false
	}
	flat = new(*schema)
	flat.AllOf, flat.Properties, flat.Required = nil, maps.Clone(schema.Properties), slices.Clone(schema.Required)
	for _, member := range schema.AllOf {
		if member == nil || member.Value == nil {
			return nil, false
		}
		value, ok := merge(member.Value, depth+1)
		if !ok || !join(flat, value) {
			return nil, false
		}
	}
	return flat, true
}

// join adds the keywords of one schema to another. It returns false if they contradict each other.
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
		case annotations[field.Name], reflect.DeepEqual(target.Interface(), value.Interface()):
		default:
			return false
		}
	}
	return true
}

// annotations may differ between the members of an allOf: the first one wins.
var annotations = map[string]bool{
	"Title": true, "Description": true, "Example": true, "Examples": true, "ExternalDocs": true, "Comment": true,
	"Extensions": true, "Origin": true,
}

// A variant is a request schema for the models that it names.
type variant struct {
	models []string
	schema *openapi3.Schema
}

// variants returns the alternatives of a request schema that name a model, since one spec may serve several models, then
// the schema itself. The alternatives that name none are returned separately.
func variants(ref *openapi3.SchemaRef) (all []variant, unnamed []*openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return nil, nil
	}
	whole := flatten(ref.Value)
	shared := *whole
	shared.OneOf, shared.AnyOf, shared.Discriminator = nil, nil, nil
	for _, alternative := range slices.Concat(whole.OneOf, whole.AnyOf) {
		if alternative == nil || alternative.Value == nil {
			continue
		}
		own := flatten(alternative.Value)
		models := modelIDs(own)
		if models == nil {
			unnamed = append(unnamed, alternative)
			continue
		}
		both := flatten(&openapi3.Schema{AllOf: openapi3.SchemaRefs{{Value: &shared}, {Value: own}}})
		if len(both.AllOf) > 0 { // they contradict each other
			both = own
		}
		both.Properties["model"] = own.Properties["model"]
		all = append(all, variant{models, both})
	}
	if len(all) == 0 {
		unnamed = nil // compared as oneOf and anyOf of the whole
	}
	return append(all, variant{modelIDs(whole), whole}), unnamed
}

// lift returns a choice in the form of our specs: the properties of all alternatives, and beside them what each requires.
func lift(alternatives []*openapi3.Schema) *openapi3.Schema {
	lifted := new(*alternatives[0])
	lifted.Properties, lifted.Required = maps.Clone(lifted.Properties), slices.Clone(lifted.Required)
	for _, alternative := range alternatives[1:] {
		for name, property := range alternative.Properties {
			if before := lifted.Properties[name]; before != nil && !reflect.DeepEqual(whole(maxDescribed, before), whole(maxDescribed, property)) {
				property = &openapi3.SchemaRef{Value: &openapi3.Schema{AnyOf: openapi3.SchemaRefs{before, property}}}
			}
			lifted.Properties[name] = property
		}
		lifted.Required = slices.DeleteFunc(lifted.Required, func(name string) bool { return !slices.Contains(alternative.Required, name) })
	}
	for _, alternative := range alternatives {
		own := slices.DeleteFunc(slices.Clone(alternative.Required), func(name string) bool { return slices.Contains(lifted.Required, name) })
		lifted.AnyOf = append(lifted.AnyOf, &openapi3.SchemaRef{Value: &openapi3.Schema{Required: own}})
	}
	return lifted
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
