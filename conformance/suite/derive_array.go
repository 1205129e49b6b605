package suite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// arrays returns lists: of each allowed length, one item too few and too many, and with invalid items among valid ones.
func arrays(s *openapi3.Schema) []value {
	least, most := int(s.MinItems), int(s.MinItems)+4 //nolint:gosec // small numbers
	why := fmt.Sprintf("minItems is %d, and there is no maxItems", least)
	if s.MaxItems != nil {
		most = int(*s.MaxItems) //nolint:gosec // a small number
		why = fmt.Sprintf("minItems is %d, maxItems is %d", least, most)
	}
	if least == 0 {
		why = strings.Replace(why, "minItems is 0", "there is no minItems", 1)
	}
	item := &openapi3.Schema{} // accepts anything
	if s.Items != nil {
		item = s.Items.Value
	}
	few := s.UniqueItems && len(item.Enum) > 0 // there are no more different items
	if few {
		most = min(most, len(item.Enum))
	}
	good := func(n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = goodItem(item, i)
		}
		return list
	}
	var list []value
	add := func(name string, items []string, group string, accepted bool, why string, at ...string) {
		list = append(list, value{name: name, json: "[" + strings.Join(items, ",") + "]", group: group, accepted: accepted, why: why, at: at})
	}
	for n := least; n <= most; n++ {
		if n < least+8 || n >= most-1 { // only those near the bounds
			add(fmt.Sprint(n), good(n), groupBounds, true, why)
		}
	}
	if least > 0 {
		add(fmt.Sprint(least-1), good(least-1), groupBounds, false, why)
	}
	switch {
	case few:
	case s.MaxItems == nil:
		add(fmt.Sprint(100*most), good(100*most), groupBounds, true, why)
	default:
		for _, n := range slices.Compact([]int{most + 1, most + 2, max(10*most, most+2)}) {
			add(fmt.Sprint(n), good(n), groupBounds, false, why)
		}
	}
	if least <= 2 && most >= 2 {
		twice := []string{goodItem(item, 0), goodItem(item, 0)}
		if s.UniqueItems {
			add("the-same-twice", twice, groupBounds, false, "items must be unique")
		} else {
			add("the-same-twice", twice, groupMedia, true, "items needn't be unique")
		}
		if item.Format == "uri" {
			add("url-and-data", []string{goodItem(item, 0), text(dataURI(item))}, groupMedia, true, "each item may be either")
		}
	}
	wrong := slices.DeleteFunc(values(item), func(v value) bool { return v.accepted })
	if len(wrong) == 0 || most == 0 {
		return list
	}
	group := groupType
	if item.Format == "uri" {
		group = groupMedia
	}
	why = "each is " + spec.Describe(item)
	for _, w := range wrong {
		for _, i := range slices.Compact([]int{0, most - 1}) {
			items := good(most)
			items[i] = w.json
			at := fmt.Sprintf("/%d", i)
			pointers := []string{at}
			if w.at != nil {
				pointers = nil
				for _, below := range w.at {
					pointers = append(pointers, at+below)
				}
			}
			add(fmt.Sprintf("%s-at-%d", w.name, i), items, group, false, why, pointers...)
			list[len(list)-1].open = w.open
		}
	}
	if most > 2 && len(wrong) > 1 {
		items := good(max(least, 3))
		items[0], items[2] = wrong[0].json, wrong[1].json
		add("two-wrong", items, group, false, why, "/0", "/2")
	}
	return list
}

// goodItem returns a valid value of the schema. Values with different numbers differ as far as the schema allows.
func goodItem(s *openapi3.Schema, i int) string {
	switch {
	case len(s.Enum) > 0:
		return text(s.Enum[i%len(s.Enum)])
	case s.Type.Is(openapi3.TypeBoolean):
		return text(i%2 == 0)
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		switch f := float64(i); {
		case s.Min != nil:
			return literal(numberWithin(s, *s.Min+f))
		case s.Max != nil:
			return literal(numberWithin(s, *s.Max-f))
		default:
			return literal(numberWithin(s, f))
		}
	case s.Format == "uri":
		return fmt.Sprintf(`"https://example.com/%d.png"`, i)
	case len(s.OneOf) > 0:
		return goodItem(s.OneOf[0].Value, i)
	case len(s.AnyOf) > 0:
		return goodItem(s.AnyOf[0].Value, i)
	case s.Type.Is(openapi3.TypeString) && s.Pattern == "" && s.Format == "":
		item := strings.Repeat("x", int(s.MinLength)) + fmt.Sprint(i) //nolint:gosec // a small number
		if s.MaxLength != nil {
			item = item[max(0, len(item)-int(*s.MaxLength)):] //nolint:gosec // a small number
		}
		return text(item)
	case s.Example != nil:
		return text(s.Example)
	case s.Type.Is(openapi3.TypeArray):
		items := make([]string, s.MinItems)
		for j := range items {
			items[j] = goodItem(s.Items.Value, i+j)
		}
		return "[" + strings.Join(items, ",") + "]"
	case s.Type.Is(openapi3.TypeObject):
		var o object
		for _, name := range slices.Sorted(slices.Values(s.Required)) {
			o = append(o, member{name, goodItem(s.Properties[name].Value, i)})
		}
		return string(o.encode())
	}
	return text(fmt.Sprint(i))
}
