package suite

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A value is one that is tried for a property.
type value struct {
	name     string
	json     string
	group    Group
	accepted bool
	why      string
	at       []string // JSON pointers below the property that are wrong; nil is the property itself
}

// values are what is tried for a schema.
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
			value{"true", "true", Type, true, "it is a boolean", nil},
			value{"false", "false", Type, true, "false isn't the same as left out", nil})
	case s.Type.Is(openapi3.TypeArray):
		return append(list, arrays(s)...)
	case s.Format == "uri":
		return append(list, uris()...)
	}
	return append(list, texts(s)...)
}

// wrongTypes are values of each JSON type that the schema doesn't take.
func wrongTypes(s *openapi3.Schema) []value {
	example := text(s.Example)
	quoted := example
	if !strings.HasPrefix(quoted, `"`) {
		quoted = text(example)
	}
	var list []value
	for _, wrong := range []struct {
		name, json string
		taken      []string // the types that take it
	}{
		{"a-string", `"text"`, []string{openapi3.TypeString}},
		{"its-example-in-a-string", quoted, []string{openapi3.TypeString, openapi3.TypeArray}},
		{"an-integer", `7`, []string{openapi3.TypeInteger, openapi3.TypeNumber}},
		{"zero", `0`, []string{openapi3.TypeInteger, openapi3.TypeNumber}},
		{"a-fraction", `7.5`, []string{openapi3.TypeNumber}},
		{"true", `true`, []string{openapi3.TypeBoolean}},
		{"false", `false`, []string{openapi3.TypeBoolean}},
		{"an-empty-object", `{}`, []string{openapi3.TypeObject}},
		{"an-object-around-its-example", `{"value":` + example + `}`, []string{openapi3.TypeObject}},
		{"an-empty-array", `[]`, []string{openapi3.TypeArray}},
		{"an-array-around-its-example", `[` + example + `]`, []string{openapi3.TypeArray}},
	} {
		if !slices.ContainsFunc(wrong.taken, s.Type.Is) {
			list = append(list, value{wrong.name, wrong.json, Type, false, "it is of another type", nil})
		}
	}
	why := "null isn't a value of its type"
	if s.Nullable {
		why = "null is allowed"
	}
	return append(list, value{"null", "null", Type, s.Nullable, why, nil})
}

func enumValues(s *openapi3.Schema) []value {
	var list []value
	listed := func(text string) bool { return slices.Contains(s.Enum, any(text)) }
	reject := func(name, raw, why string) {
		if !listed(raw) {
			list = append(list, value{name, text(raw), Enum, false, why, nil})
		}
	}
	for _, v := range s.Enum {
		name := v.(string)
		list = append(list, value{name, text(name), Enum, true, "it is listed", nil})
		if upper := strings.ToUpper(name); upper != name {
			reject(name+"-in-upper-case", upper, "values are case-sensitive")
		}
		if title := strings.ToUpper(name[:1]) + name[1:]; title != name {
			reject(name+"-capitalized", title, "values are case-sensitive")
		}
		reject(name+"-behind-a-space", " "+name, "a space makes it another value")
		reject(name+"-before-a-space", name+" ", "a space makes it another value")
		reject(name+"-and-more", name+"x", "it only begins like a value")
		reject(name+"-cut", name[:len(name)-1], "it is only the beginning of a value")
	}
	reject("foreign", "no-such-value", "it isn't listed")
	reject("empty", "", "the empty string isn't listed")
	reject("all-of-them", fmt.Sprint(s.Enum...), "it is one value, not several")
	return list
}

// within tells whether the bounds of the schema allow the number.
func within(s *openapi3.Schema, f float64) bool {
	return (s.Min == nil || f >= *s.Min) && (s.Max == nil || f <= *s.Max)
}

func literal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// boundValues are at, just inside and just outside each bound.
func boundValues(s *openapi3.Schema) []value {
	step := 1.0
	if s.Type.Is(openapi3.TypeNumber) {
		step = 0.001
	}
	var list []value
	around := func(bound, outward float64, name, side string) {
		at, inside, outside := literal(bound), literal(bound-outward*step), literal(bound+outward*step)
		list = append(list,
			value{"at-" + name, at, Bounds, true, at + " is the " + name, nil},
			value{"inside-" + name, inside, Bounds, true, inside + " is within the " + name + " of " + at, nil},
			value{"outside-" + name, outside, Bounds, false, outside + " is " + side + " the " + name + " of " + at, nil},
			value{"far-outside-" + name, literal(bound + outward*1e6), Bounds, false, "it is far " + side + " the " + name + " of " + at, nil},
			value{"a-fraction-outside-" + name, literal(bound + outward*0.5), Bounds, false, "it is " + side + " the " + name + " of " + at, nil})
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
	middle := "12"
	if s.Min != nil {
		middle = literal(*s.Min + 1)
	}
	list := []value{
		{"with-a-fraction-of-nothing", middle + ".0", Type, true, "a number without a fraction is an integer, however it is written", nil},
		{"with-an-exponent", middle + "0e-1", Type, true, "a number without a fraction is an integer, however it is written", nil},
		{"with-a-fraction", middle + ".5", Type, false, "it isn't an integer", nil},
		{"with-a-small-fraction", middle + ".0000001", Type, false, "it isn't an integer", nil},
		{"its-number-in-a-string", `"` + middle + `"`, Type, false, "a string isn't a number", nil},
	}
	return append(list, sizes(s, 0, -1, 1, 1000, 1<<31-1, 1<<31, -1<<31, 1<<53, 1<<63, 1e20)...)
}

func numbers(s *openapi3.Schema) []value {
	list := []value{
		{"without-a-fraction", "3", Type, true, "an integer is a number, too", nil},
		{"with-a-fraction", "3.25", Type, true, "it is a number", nil},
		{"with-many-digits", "3.14159265358979323846", Type, true, "it is a number, however many digits it has", nil},
		{"with-an-exponent", "25e-1", Type, true, "it is a number, however it is written", nil},
		{"its-number-in-a-string", `"3.25"`, Type, false, "a string isn't a number", nil},
	}
	return append(list, sizes(s, 0, -1, 0.5, -0.5, 1000, 1e-9, 1e20, 1e300)...)
}

// sizes are numbers small and large. Without bounds, all are allowed.
func sizes(s *openapi3.Schema, all ...float64) []value {
	var list []value
	for _, f := range all {
		v := value{name: sizeName(f), json: literal(f), group: Bounds, accepted: within(s, f)}
		switch {
		case !v.accepted:
			v.why = "it is beyond the bounds"
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

func texts(s *openapi3.Schema) []value {
	var list []value
	for _, t := range []struct{ name, json, why string }{
		{"example", text(s.Example), "it is the document's own example"},
		{"empty", `""`, "there is no minLength"},
		{"one-space", `" "`, "there is no pattern"},
		{"one-character", `"x"`, "there is no minLength"},
		{"lines", `"one\ntwo\r\nthree\ttabbed"`, "there is no pattern"},
		{"quotes", `"\"quoted\" 'text' \\ and / more"`, "there is no pattern"},
		{"nul", `"a\u0000b"`, "JSON strings may hold it"},
		{"markup", `"<script>alert(1)</script> & <b>"`, "there is no pattern"},
		{"chinese", `"霓虹灯下的舞者"`, "JSON strings are Unicode"},
		{"arabic", `"راقصة تحت الأضواء"`, "JSON strings are Unicode"},
		{"combining", `"e\u0301 and é"`, "JSON strings are Unicode"},
		{"emoji", `"💃🏽👩‍👩‍👧"`, "JSON strings are Unicode, beyond the first plane, too"},
		{"escaped-emoji", `"\ud83d\udc83"`, "a pair of surrogates is one character"},
		{"json", `"{\"prompt\": null}"`, "it is a text"},
		{"null-as-text", `"null"`, "it is a text"},
		{"2000-characters", text(strings.Repeat("neon ", 400)), "there is no maxLength"},
		{"20000-characters", text(strings.Repeat("neon ", 4000)), "there is no maxLength"},
		{"200000-characters", text(strings.Repeat("neon ", 40_000)), "there is no maxLength"},
		{"20000-emoji", text(strings.Repeat("💃", 20_000)), "there is no maxLength"},
	} {
		list = append(list, value{t.name, t.json, Text, true, t.why, nil})
	}
	return list
}
