package main

import (
	"maps"
	"slices"
)

// A variant is a request schema for the models that it names.
type variant struct {
	models []string
	schema object
}

// variants returns the alternatives of a request schema that name a model, since one spec may serve several models, then
// the schema itself. The alternatives that name none are returned separately.
func variants(value any) (all []variant, unnamed []any) {
	whole := objectOf(value)
	shared := maps.Clone(whole)
	delete(shared, "oneOf")
	delete(shared, "anyOf")
	for _, alternative := range slices.Concat(list(whole["oneOf"]), list(whole["anyOf"])) {
		own := objectOf(alternative)
		models := modelIDs(own)
		if models == nil {
			unnamed = append(unnamed, alternative)
			continue
		}
		both := merge(object{"allOf": []any{shared, own}})
		if both["allOf"] != nil { // they contradict each other
			both = own
		}
		both["properties"] = objectWith(both["properties"], "model", in(own, "properties")["model"])
		all = append(all, variant{models, both})
	}
	if len(all) == 0 {
		unnamed = nil // compared as oneOf and anyOf of the whole
	}
	return append(all, variant{modelIDs(whole), whole}), unnamed
}

func modelIDs(schema object) (ids []string) {
	for _, value := range list(in(schema, "properties", "model")["enum"]) {
		if id, ok := value.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// lift returns a choice in the form of our specs: the properties of all alternatives, and beside them what each requires.
func lift(alternatives []object) object {
	lifted := maps.Clone(alternatives[0])
	for _, a := range alternatives[1:] {
		lifted["properties"] = mergeProperties(lifted["properties"].(object), a["properties"].(object), func(a, b any) object { return object{"anyOf": []any{a, b}} })
		lifted["required"] = without(list(lifted["required"]), func(name any) bool { return !slices.Contains(list(a["required"]), name) })
	}
	var choice []any
	for _, a := range alternatives {
		choice = append(choice, object{"required": without(list(a["required"]), func(name any) bool { return slices.Contains(list(lifted["required"]), name) })})
	}
	lifted["anyOf"] = choice
	return lifted
}

func without(names []any, drop func(any) bool) []any {
	return slices.DeleteFunc(slices.Clone(names), drop)
}
