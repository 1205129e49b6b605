package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// describe shows a property by its keywords, and an array by those of its elements too.
func (f *flattener) describe(schema *openapi3.SchemaRef) any {
	return f.describeTo(maxDescribed, schema)
}

const maxDescribed = 3 // arrays in arrays; a schema may hold itself

func (f *flattener) describeTo(depth int, schema *openapi3.SchemaRef) map[string]any {
	if schema == nil || schema.Value == nil {
		return map[string]any{}
	}
	value := f.flatten(schema.Value)
	all := keywords(value)
	if value.Items != nil && depth > 0 {
		all["items"] = f.describeTo(depth-1, value.Items)
	}
	return all
}

func (f *flattener) wordingOf(schema *openapi3.SchemaRef) string {
	if schema == nil || schema.Value == nil {
		return ""
	}
	return strings.Join(strings.Fields(f.flatten(schema.Value).Description), " ")
}

// keywords are what a schema says about a value by itself, as JSON. All others are compared elsewhere, or don't matter
// to a caller.
func keywords(schema *openapi3.Schema) map[string]any {
	flat := *schema
	flat.Properties, flat.Required, flat.Items, flat.Extensions = nil, nil, nil, nil
	flat.Description, flat.Title, flat.Example, flat.Examples = "", "", nil, nil
	flat.ExternalDocs, flat.XML, flat.Discriminator, flat.Comment = nil, nil, nil, ""
	if has := flat.AdditionalProperties.Has; has != nil && *has {
		flat.AdditionalProperties.Has = nil // as if it weren't there
	}
	if flat.Type != nil && flat.Type.Includes(openapi3.TypeNull) { // OpenAPI 3.1 says it this way
		types := slices.DeleteFunc(slices.Clone(*flat.Type), func(t string) bool { return t == openapi3.TypeNull })
		flat.Type, flat.Nullable = &types, true
	}
	var all map[string]any
	data, err := json.Marshal(&flat)
	if err != nil || json.Unmarshal(data, &all) != nil {
		all = map[string]any{"schema": "unreadable"}
	}
	if value, ok := all["const"]; ok { // OpenAPI 3.1's enum of one, which needs no type
		delete(all, "const")
		all["enum"] = []any{value}
		if _, ok := value.(string); ok && all["type"] == nil {
			all["type"] = openapi3.TypeString
		}
	}
	return all
}
