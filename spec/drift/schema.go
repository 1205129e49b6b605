package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// merge merges the allOf of a schema into it. It returns the schema unchanged if the members contradict each other.
func merge(whole object) object {
	flat := maps.Clone(whole)
	delete(flat, "allOf")
	for _, from := range list(whole["allOf"]) {
		for key, value := range objectOf(from) {
			have, isSet := flat[key]
			switch {
			case !isSet:
				flat[key] = value
			case key == "properties":
				flat[key] = mergeProperties(objectOf(have), objectOf(value), func(a, b any) object { return merge(object{"allOf": []any{a, b}}) })
			case key == "required":
				flat[key] = slices.Concat(list(have), list(value))
			case members["schema"][key].as == "text", members["schema"][key].as == "ignored", reflect.DeepEqual(have, value): // the first one wins
			default:
				return whole
			}
		}
	}
	return flat
}

// mergeProperties returns the properties of both. Those that differ are merged.
func mergeProperties(a, b object, merge func(a, b any) object) object {
	all := object{}
	maps.Copy(all, a)
	for name, property := range b {
		if before, ok := a[name]; ok && !reflect.DeepEqual(before, property) {
			property = merge(before, property)
		}
		all[name] = property
	}
	return all
}

// normalSchema returns one of several forms that mean the same.
func normalSchema(s object) object {
	s = merge(s)
	if s["additionalProperties"] == true { // the default
		delete(s, "additionalProperties")
	}
	if types := list(s["type"]); slices.Contains(types, any("null")) { // OpenAPI 3.1's nullable
		types = slices.DeleteFunc(slices.Clone(types), func(t any) bool { return t == "null" })
		if s["type"], s["nullable"] = types, true; len(types) == 1 {
			s["type"] = types[0]
		}
	}
	if value, ok := s["const"]; ok { // OpenAPI 3.1's enum of one value
		delete(s, "const")
		s["enum"] = []any{value}
	}
	if values := list(s["enum"]); len(values) > 0 && (s["type"] == nil || s["type"] == "undefined") {
		if _, ok := values[0].(string); ok {
			s["type"] = "string" // an enum of strings needs no type
		}
	}
	if text, ok := s["default"].(string); ok && s["type"] != "string" { // "5" for an integer
		var value any
		if json.Unmarshal([]byte(text), &value) == nil {
			s["default"] = value
		}
	}
	return s
}

// describe returns the keywords of a schema and of its items, without texts; those of its properties too if it is whole.
func describe(value any, whole bool) object {
	all := object{}
	for key, value := range objectOf(value) {
		switch m := members["schema"][key]; {
		case key == "items":
			all[key] = describe(value, whole)
		case key == "properties" && whole:
			properties := object{}
			for name, property := range objectOf(value) {
				properties[name] = describe(property, whole)
			}
			all[key] = properties
		case isChoice(key):
			all[key] = describeAll(value)
		case m.as == "" && !strings.HasPrefix(key, "x-"), key == "required" && whole:
			all[key] = value
		}
	}
	return all
}

// describeAll describes a choice, or returns nil if there is none.
func describeAll(choice any) any {
	if choice == nil {
		return nil
	}
	var all []any
	for _, alternative := range list(choice) {
		all = append(all, describe(alternative, true))
	}
	return all
}

func isChoice(keyword string) bool {
	return slices.Contains([]string{"oneOf", "anyOf", "allOf"}, keyword)
}

// words joins all texts in a value.
func words(value any) (text string) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			text += " " + words(element)
		}
	case object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if written, ok := v[key].(string); ok && (members["schema"][key].as == "text" || isText(key)) {
				text += " " + written
			} else {
				text += " " + words(v[key])
			}
		}
	}
	return text
}
