package main

import (
	"encoding/json"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

const maxDescribed = 3 // arrays in arrays; a schema may contain itself

// describe returns the keywords of a property, and of the elements of an array.
func describe(schema *openapi3.SchemaRef) any { return describeTo(maxDescribed, schema) }

func describeTo(depth int, schema *openapi3.SchemaRef) map[string]any {
	if schema == nil || schema.Value == nil {
		return map[string]any{}
	}
	value := flatten(schema.Value)
	all := keywords(value)
	if value.Items != nil && depth > 0 {
		all["items"] = describeTo(depth-1, value.Items)
	}
	return all
}

// whole returns the keywords of a schema with those of its properties.
func whole(depth int, schema *openapi3.SchemaRef) map[string]any {
	all := describeTo(depth, schema)
	if schema == nil || schema.Value == nil || depth == 0 {
		return all
	}
	flat := flatten(schema.Value)
	if len(flat.Properties) > 0 {
		properties := map[string]any{}
		for name, property := range flat.Properties {
			properties[name] = whole(depth-1, property)
		}
		all["properties"] = properties
	}
	if flat.Required != nil {
		all["required"] = asJSON(flat.Required)
	}
	return all
}

// keywords returns the keywords of a schema that restrict a value by themselves, as JSON. The others are compared
// elsewhere or do not matter to a caller.
func keywords(schema *openapi3.Schema) map[string]any {
	flat := *schema
	flat.Properties, flat.Required, flat.Items, flat.Extensions = nil, nil, nil, nil
	flat.Description, flat.Title, flat.Example, flat.Examples = "", "", nil, nil
	flat.ExternalDocs, flat.XML, flat.Discriminator, flat.Comment = nil, nil, nil, ""
	if has := flat.AdditionalProperties.Has; has != nil && *has {
		flat.AdditionalProperties.Has = nil // the default
	}
	if flat.Type != nil && flat.Type.Includes(openapi3.TypeNull) { // OpenAPI 3.1's nullable
		types := slices.DeleteFunc(slices.Clone(*flat.Type), func(t string) bool { return t == openapi3.TypeNull })
		flat.Type, flat.Nullable = &types, true
	}
	var all map[string]any
	data, err := json.Marshal(&flat)
	if err != nil || json.Unmarshal(data, &all) != nil {
		all = map[string]any{"schema": "unreadable"}
	}
	for keyword, refs := range map[string]openapi3.SchemaRefs{"allOf": flat.AllOf, "oneOf": flat.OneOf, "anyOf": flat.AnyOf} {
		var alternatives []any
		for _, ref := range refs {
			alternatives = append(alternatives, whole(maxDescribed, ref))
		}
		if alternatives != nil {
			all[keyword] = alternatives
		}
	}
	if text, ok := all["default"].(string); ok && all["type"] != openapi3.TypeString { // "5" for an integer
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			all["default"] = value
		}
	}
	if value, ok := all["const"]; ok { // OpenAPI 3.1's enum of one value
		delete(all, "const")
		all["enum"] = []any{value}
	}
	if values, _ := all["enum"].([]any); len(values) > 0 && (all["type"] == nil || all["type"] == "undefined") && allStrings(values) {
		all["type"] = openapi3.TypeString // an enum of strings needs no type
	}
	return all
}

func allStrings(values []any) bool {
	return !slices.ContainsFunc(values, func(v any) bool { _, ok := v.(string); return !ok })
}
