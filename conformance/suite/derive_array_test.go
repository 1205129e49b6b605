package suite

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A validator returns the verdicts of the cases for lists of any items and lengths.
func TestArrays(t *testing.T) {
	uri := openapi3.NewStringSchema().WithFormat("uri")
	colour := openapi3.NewStringSchema().WithEnum("red", "green")
	point := openapi3.NewObjectSchema().WithProperty("x", openapi3.NewIntegerSchema().WithMin(1)).WithProperty("label", openapi3.NewStringSchema())
	point.Required = []string{"x", "label"}
	nullable := openapi3.NewStringSchema()
	nullable.Nullable = true
	array := func(item *openapi3.Schema) *openapi3.Schema { return openapi3.NewArraySchema().WithItems(item) }
	unique := array(openapi3.NewStringSchema()).WithMaxItems(3)
	differentValues := array(colour)
	unique.UniqueItems, differentValues.UniqueItems = true, true
	for _, test := range []struct {
		name   string
		schema *openapi3.Schema
		want   string // names of some cases
	}{
		{"URLs", array(uri).WithMaxItems(4), "0 4 5 6 40 the-same-twice url-and-data null-at-0 ftp-at-3 two-wrong"},
		{"URLs without an end", array(uri), "0 4 400 ftp-at-0 ftp-at-3 two-wrong"},
		{"2 to 4", array(uri).WithMinItems(2).WithMaxItems(4), "1 2 4 5 an-integer-at-0"},
		{"at least 2", array(uri).WithMinItems(2), "1 2 6"},
		{"one", array(uri).WithMaxItems(1), "0 1 2 3 10 null-at-0"},
		{"none", array(uri).WithMaxItems(0), "0 1 2"},
		{"exactly 2", array(uri).WithMinItems(2).WithMaxItems(2), "1 2 3"},
		{"many", array(uri).WithMaxItems(1000), "0 7 999 1000 1001"},
		{"strings", array(openapi3.NewStringSchema().WithMinLength(2)).WithMaxItems(3), "3 an-integer-at-0 two-wrong"},
		{"integers", array(openapi3.NewIntegerSchema().WithMin(5).WithMax(7)), "a-string-at-0 with-a-fraction-at-0 outside-minimum-at-3 outside-maximum-at-0"},
		{"numbers up to -1", array(openapi3.NewFloat64Schema().WithMax(-1)), "a-string-at-0 outside-maximum-at-3"},
		{"booleans", array(openapi3.NewBoolSchema()), "an-integer-at-0"},
		{"values", array(colour), "foreign-at-0 an-integer-at-3"},
		{"objects", array(point), "0 4 an-integer-at-0 two-wrong"},
		{"lists", array(array(openapi3.NewIntegerSchema()).WithMinItems(1)), "an-integer-at-0"},
		{"nullable", array(nullable), "an-integer-at-0"},
		{"different values", differentValues, "0 2 the-same-twice foreign-at-0"},
		{"different", unique, "the-same-twice 3 4"},
		{"anything", openapi3.NewArraySchema(), "0 4 the-same-twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			seen := map[string]bool{}
			for _, v := range arrays(test.schema) {
				if seen[v.name] {
					t.Errorf("%s is there twice", v.name)
				}
				seen[v.name] = true
				var decoded any
				if err := json.Unmarshal([]byte(v.json), &decoded); err != nil {
					t.Fatalf("%s: %v in %s", v.name, err, v.json)
				}
				err := test.schema.VisitJSON(decoded)
				if strings.Contains(v.name, "-at-") && test.schema.Items.Value == uri {
					err = errors.New("kin-openapi doesn't validate URLs")
				}
				if (err == nil) != v.accepted || v.accepted == (v.at != nil) && v.group != groupBounds {
					t.Errorf("%s, %.200s: accepted %t at %v, the validator says %v", v.name, v.json, v.accepted, v.at, err)
				}
			}
			for name := range strings.FieldsSeq(test.want) {
				if !seen[name] {
					t.Errorf("there is no case %s", name)
				}
			}
			if seen["null-at-0"] == (test.name == "nullable" || test.name == "anything" || test.name == "none") {
				t.Errorf("there is a case with null: %t", seen["null-at-0"])
			}
		})
	}
}
