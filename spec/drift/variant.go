package main

import (
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// A variant is a schema of a request for the models that it names.
type variant struct {
	models []string
	// own is the schema, or what it has beside the one that it shares with other variants.
	own, shared *openapi3.Schema
}

// variants returns the alternatives of a schema that name a model, as one document may serve several, and the schema
// itself.
func (f *flattener) variants(schema *openapi3.SchemaRef) []variant {
	if schema == nil || schema.Value == nil {
		return nil
	}
	whole := f.flatten(schema.Value)
	shared := *whole
	shared.OneOf, shared.AnyOf, shared.Discriminator = nil, nil, nil
	var all []variant
	for _, ref := range slices.Concat(whole.OneOf, whole.AnyOf) {
		if !f.spend(1) || ref == nil || ref.Value == nil {
			continue
		}
		own := f.flatten(ref.Value)
		if models := f.modelIDs(own); models != nil {
			all = append(all, variant{models, own, &shared})
		}
	}
	return append(all, variant{models: f.modelIDs(whole), own: whole})
}

// whole returns the schema with what the variants share.
func (f *flattener) whole(v variant) *openapi3.Schema {
	if v.shared == nil {
		return v.own
	}
	both := f.flatten(&openapi3.Schema{AllOf: openapi3.SchemaRefs{{Value: v.shared}, {Value: v.own}}})
	if len(both.AllOf) > 0 { // they contradict each other
		return v.own
	}
	both.Properties["model"] = v.own.Properties["model"]
	return both
}

func (f *flattener) modelIDs(schema *openapi3.Schema) []string {
	model := schema.Properties["model"]
	if model == nil || model.Value == nil {
		return nil
	}
	flat := f.flatten(model.Value)
	var ids []string
	for _, value := range append([]any{flat.Const}, flat.Enum...) {
		if id, ok := value.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
