package spec

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// IsMedia reports whether a property takes the URL or the data of a media file, or a list of them.
func IsMedia(schema *openapi3.Schema) bool {
	return slices.ContainsFunc(choices(schema), func(s *openapi3.Schema) bool {
		return s.Format == "uri" || s.Items != nil && IsMedia(s.Items.Value)
	})
}

// MapMedia returns a copy of a value in which replace has replaced each media value that the schema describes, at any
// depth. The property is the nearest one with a name. MapMedia returns the first error of replace.
func MapMedia(schema *openapi3.Schema, property string, value any, replace func(property string, value any) (any, error)) (any, error) {
	var err error
	switch v := value.(type) {
	case map[string]any:
		v = maps.Clone(v)
		for _, s := range choices(schema) {
			for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
				if member, ok := v[name]; ok && err == nil {
					v[name], err = MapMedia(s.Properties[name].Value, name, member, replace)
				}
			}
		}
		return v, err
	case []any:
		v = slices.Clone(v)
		for _, s := range choices(schema) {
			for i := range v {
				if s.Items != nil && err == nil {
					v[i], err = MapMedia(s.Items.Value, property, v[i], replace)
				}
			}
		}
		return v, err
	}
	if slices.ContainsFunc(choices(schema), func(s *openapi3.Schema) bool { return s.Format == "uri" }) {
		return replace(property, value)
	}
	return value, nil
}

// choices returns the schema and those of its oneOf and anyOf.
func choices(schema *openapi3.Schema) []*openapi3.Schema {
	all := []*openapi3.Schema{schema}
	for _, ref := range slices.Concat(schema.OneOf, schema.AnyOf) {
		all = append(all, choices(ref.Value)...)
	}
	return all
}
