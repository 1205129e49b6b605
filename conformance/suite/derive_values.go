package suite

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// A value is sent as the value of a property.
type value struct {
	name     string
	json     string
	group    string
	accepted bool
	why      string
	at       []string // JSON pointers below the property that are wrong; nil means the property itself
	open     bool     // see testCase
	large    int      // see request
}

func newValue(name, json, group string, accepted bool, why string) value {
	return value{name: name, json: json, group: group, accepted: accepted, why: why}
}

// values returns the values to send for a schema.
func values(s *openapi3.Schema) []value {
	list := wrongTypes(s)
	switch {
	case len(s.Enum) > 0:
		return append(list, enumValues(s)...)
	case s.Type.Is(openapi3.TypeInteger):
		return append(append(list, boundValues(s)...), integers(s)...)
	case s.Type.Is(openapi3.TypeNumber):
		return append(append(list, boundValues(s)...), numbers(s)...)
	case s.Type.Is(openapi3.TypeBoolean):
		return append(list,
			newValue("true", "true", groupType, true, "it is a boolean"),
			newValue("false", "false", groupType, true, "false differs from absent"))
	case s.Type.Is(openapi3.TypeArray):
		return append(list, arrays(s)...)
	case s.Type.Is(openapi3.TypeObject):
		return append(list, objects(s)...)
	case s.Format == "uri":
		return append(list, uris(s)...)
	case s.Type.Is(openapi3.TypeString):
		return append(list, texts(s)...)
	}
	return append(list, newValue("example", exampleOf(s), groupType, true, "it is the spec's own example"))
}

// exampleOf returns a valid value of the schema as JSON: its example, if it has one.
func exampleOf(s *openapi3.Schema) string {
	switch {
	case s.Example != nil:
		return text(s.Example)
	case s.Default != nil:
		return text(s.Default)
	}
	return goodItem(s, 0)
}

// wrongTypes returns values of the JSON types that the schema rejects.
func wrongTypes(s *openapi3.Schema) []value {
	if s.Type == nil { // any type, or a choice of schemas
		return nil
	}
	example := exampleOf(s)
	quoted := example
	if !strings.HasPrefix(quoted, `"`) {
		quoted = text(example)
	}
	var list []value
	for _, wrong := range listed().Types {
		if !slices.ContainsFunc(wrong.Accepted, s.Type.Is) {
			json := strings.NewReplacer("{example}", example, "{quoted}", quoted).Replace(wrong.JSON)
			list = append(list, newValue(wrong.Name, json, groupType, false, "it has another type"))
		}
	}
	why := "null isn't a value of its type"
	if s.Nullable {
		why = "it is nullable"
	}
	return append(list, newValue("null", "null", groupType, s.Nullable, why))
}

func enumValues(s *openapi3.Schema) []value {
	var list []value
	listed := map[string]bool{}
	for _, v := range s.Enum {
		listed[text(v)] = true
	}
	reject := func(name string, v any, why string) {
		if json := text(v); !listed[json] {
			listed[json] = true
			list = append(list, newValue(name, json, groupEnum, false, why))
		}
	}
	for _, v := range s.Enum {
		if v != nil {
			list = append(list, newValue(fmt.Sprint(v), text(v), groupEnum, true, "it is listed"))
		}
	}
	for _, v := range s.Enum {
		switch v := v.(type) {
		case string:
			if v != "" {
				variants(v, reject)
			}
		case float64:
			reject(literal(v)+"-and-more", v+1, "it isn't listed")
			reject("below-"+literal(v), v-1, "it isn't listed")
		}
	}
	for _, v := range neighbours(s) {
		reject(v, v, "other APIs list it, this property doesn't")
	}
	if s.Type.Is(openapi3.TypeString) {
		reject("foreign", "no-such-value", "it isn't listed")
		reject("empty", "", "the empty string isn't listed")
		reject("all-of-them", fmt.Sprint(s.Enum...), "it is one value, not several")
	}
	return list
}

// neighbours returns values that similar properties of other models and APIs list.
func neighbours(s *openapi3.Schema) []string {
	first, _ := s.Enum[0].(string)
	switch {
	case !s.Type.Is(openapi3.TypeString):
		return nil
	case strings.Contains(first, "/"): // a model
		var list []string
		for _, version := range []string{"wan2.1", "wan2.5"} {
			if other := strings.Replace(first, "wan2.2", version, 1); other != first {
				list = append(list, other)
			}
		}
		return list
	}
	list := slices.Clone(listed().Families[0])
	for _, family := range listed().Families[1:] {
		if slices.ContainsFunc(s.Enum, func(v any) bool { text, _ := v.(string); return slices.Contains(family, text) }) {
			list = append(list, family...)
		}
	}
	return list
}

// variants rejects misspellings of a listed string.
func variants(v string, reject func(name string, v any, why string)) {
	const (
		cased  = "values are case-sensitive"
		spaced = "a space makes it another value"
	)
	reject(v+"-in-upper-case", strings.ToUpper(v), cased)
	reject(v+"-capitalized", strings.ToUpper(v[:1])+v[1:], cased)
	reject(v+"-behind-a-space", " "+v, spaced)
	reject(v+"-before-a-space", v+" ", spaced)
	reject(v+"-and-more", v+"x", "it only starts like a value")
	reject(v+"-cut", v[:len(v)-1], "it is only the start of a value")
}

// within reports whether the schema allows the number.
func within(s *openapi3.Schema, f float64) bool {
	switch {
	case s.Min != nil && (f < *s.Min || f == *s.Min && s.ExclusiveMin.IsSet()):
		return false
	case s.Max != nil && (f > *s.Max || f == *s.Max && s.ExclusiveMax.IsSet()):
		return false
	case s.MultipleOf != nil && math.Mod(f, *s.MultipleOf) != 0:
		return false
	}
	return !s.Type.Is(openapi3.TypeInteger) || f == math.Trunc(f)
}

// numberWithin returns the first of the preferred numbers that the schema allows, or any other that it allows.
func numberWithin(s *openapi3.Schema, preferred ...float64) float64 {
	low, high := math.Inf(-1), math.Inf(1)
	if s.Min != nil {
		low = *s.Min
		preferred = append(preferred, low, low+1)
	}
	if s.Max != nil {
		high = *s.Max
		preferred = append(preferred, high, high-1)
	}
	if s.MultipleOf != nil {
		preferred = append(preferred, math.Ceil(max(low, 0) / *s.MultipleOf)**s.MultipleOf, 0)
	}
	preferred = append(preferred, 0, 1, (low+high)/2)
	for _, f := range preferred {
		if within(s, f) {
			return f
		}
	}
	return preferred[0]
}

func literal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// boundValues returns the values at, just inside and just outside each bound.
func boundValues(s *openapi3.Schema) []value {
	step := 1.0
	if s.Type.Is(openapi3.TypeNumber) {
		step = 0.001
	}
	var list []value
	around := func(bound, outward float64, name, side string) {
		at := literal(bound)
		for _, v := range []struct {
			name string
			f    float64
			why  string
		}{
			{"at-", bound, at + " is the " + name},
			{"inside-", bound - outward*step, "it is within the " + name + " of " + at},
			{"outside-", bound + outward*step, "it is " + side + " the " + name + " of " + at},
			{"far-outside-", bound + outward*1e6, "it is far " + side + " the " + name + " of " + at},
			{"a-fraction-outside-", bound + outward*0.5, "it is " + side + " the " + name + " of " + at},
			{"barely-outside-", bound + outward*1e-9, "values aren't rounded"},
			{"negative-", -bound, "the sign matters"},
		} {
			list = append(list, newValue(v.name+name, literal(v.f), groupBounds, within(s, v.f), v.why))
		}
		list = append(list,
			newValue("scientific-"+name, strconv.FormatFloat(bound, 'E', -1, 64), groupBounds, within(s, bound), "it is "+at+" in another notation"))
	}
	if s.Min != nil {
		around(*s.Min, -1, "minimum", "below")
	}
	if s.Max != nil {
		around(*s.Max, +1, "maximum", "above")
	}
	return list
}

func integers(s *openapi3.Schema) []value {
	f := numberWithin(s, 12)
	if s.Min != nil {
		f = numberWithin(s, *s.Min+1)
	}
	number := literal(f)
	const whole = "a number without a fraction is an integer in any notation"
	list := []value{
		newValue("with-a-zero-fraction", number+".0", groupType, true, whole),
		newValue("with-an-exponent", number+"0e-1", groupType, true, whole),
		newValue("with-a-fraction", number+".5", groupType, false, "it isn't an integer"),
		newValue("with-a-small-fraction", number+".0000001", groupType, false, "it isn't an integer"),
		newValue("its-number-in-a-string", `"`+number+`"`, groupType, false, "a string isn't a number"),
	}
	return append(list, sizes(s, 0, -1, 1, 1000, 1<<31-1, 1<<31, -1<<31, 1<<53, 1<<63, 1e20)...)
}

func numbers(s *openapi3.Schema) []value {
	const why = "it is a number in any notation"
	list := []value{newValue("its-number-in-a-string", `"`+literal(numberWithin(s, 3.25))+`"`, groupType, false, "a string isn't a number")}
	for _, probe := range []struct {
		name, json, why string
		f               float64
	}{
		{"without-a-fraction", "", "an integer is a number, too", numberWithin(s, 3)},
		{"with-a-fraction", "", why, numberWithin(s, 3.25, 0.5)},
		{"with-many-digits", "3.14159265358979323846", why, math.Pi},
		{"with-many-small-digits", "0.14159265358979323846", why, math.Pi - 3},
		{"with-an-exponent", "25e-1", why, 2.5},
		{"with-a-small-exponent", "25e-2", why, 0.25},
	} {
		if probe.json == "" {
			probe.json = literal(probe.f)
		}
		if within(s, probe.f) {
			list = append(list, newValue(probe.name, probe.json, groupType, true, probe.why))
		}
	}
	return append(list, sizes(s, 0, -1, 0.5, -0.5, 1000, 1e-9, 1e20, 1e300)...)
}

// sizes returns small and large numbers.
func sizes(s *openapi3.Schema, all ...float64) []value {
	var list []value
	for _, f := range all {
		v := value{name: sizeName(f), json: literal(f), group: groupBounds, accepted: within(s, f)}
		switch {
		case !v.accepted:
			v.why = "it is out of bounds"
		case s.Min == nil && s.Max == nil:
			v.why = "there are no bounds"
		default:
			v.why = "it is within the bounds"
		}
		list = append(list, v)
	}
	return list
}

func sizeName(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e19 {
		return literal(f)
	}
	return fmt.Sprintf("%g", f)
}

// texts returns strings of all kinds. Those of a length that the schema doesn't allow are rejected. Where the schema has
// a pattern or a format, only its example is certain.
func texts(s *openapi3.Schema) []value {
	list := []value{newValue("example", exampleOf(s), groupText, true, "it is the spec's own example")}
	if s.Pattern != "" || s.Format != "" {
		return list
	}
	for _, l := range listed().Texts {
		v := newValue(l.Name, text(l.whole()), groupText, true, l.Why)
		if n := uint64(utf8.RuneCountInString(l.whole())); n < s.MinLength || s.MaxLength != nil && n > *s.MaxLength { //nolint:gosec // a length
			v.accepted, v.why = false, fmt.Sprintf("its %d characters are too few or too many", n)
		}
		list = append(list, v)
	}
	if s.MinLength <= 1 && s.MaxLength == nil {
		list = append(list, newValue("escaped-emoji", `"\ud83d\udc83"`, groupText, true, "a surrogate pair is one character"))
	}
	return list
}

// objects returns the example and the object without each required member.
func objects(s *openapi3.Schema) []value {
	list := []value{newValue("example", exampleOf(s), groupType, true, "it is the spec's own example")}
	for _, name := range slices.Sorted(slices.Values(s.Required)) {
		var o object
		for _, other := range slices.Sorted(slices.Values(s.Required)) {
			if other != name {
				o = append(o, member{other, exampleOf(s.Properties[other].Value)})
			}
		}
		list = append(list, value{name: "without-" + name, json: string(o.encode()), group: groupRequired, why: "it is required", at: []string{"/" + name}})
	}
	return list
}
