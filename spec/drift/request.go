package main

import (
	"maps"
	"slices"
)

// forms returns the schemas that a request may have, by the models that they name, since one spec may serve several models.
// The alternatives that name none are returned separately.
func forms(whole object) (byModel map[string][]object, unnamed []object) {
	byModel = map[string][]object{}
	shared := maps.Clone(whole)
	delete(shared, "oneOf")
	delete(shared, "anyOf")
	for _, alternative := range slices.Concat(list(whole["oneOf"]), list(whole["anyOf"])) {
		own := objectOf(alternative)
		models := modelIDs(own)
		if models == nil {
			unnamed = append(unnamed, own)
			continue
		}
		both := merge(object{"allOf": []any{shared, own}})
		if both["allOf"] != nil { // they contradict each other
			both = own
		}
		both["properties"] = objectWith(both["properties"], "model", in(own, "properties")["model"])
		for _, id := range models {
			byModel[id] = append(byModel[id], both)
		}
	}
	if len(byModel) == 0 {
		unnamed = nil // compared as oneOf and anyOf of the whole
	}
	for _, id := range modelIDs(whole) {
		if byModel[id] == nil {
			byModel[id] = []object{whole}
		}
	}
	return byModel, unnamed
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
	if len(alternatives) == 1 {
		return alternatives[0]
	}
	lifted := maps.Clone(alternatives[0])
	for _, a := range alternatives[1:] {
		lifted["properties"] = mergeProperties(in(lifted, "properties"), in(a, "properties"), func(a, b any) object { return object{"anyOf": []any{a, b}} })
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
