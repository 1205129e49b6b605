package suite

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// derive returns the cases that follow from the schemas.
func derive() []testCase {
	var list []testCase
	for _, d := range spec.Models() {
		list = append(list, deriveModel(d)...)
	}
	return list
}

// deriveModel returns the cases of one model.
func deriveModel(d *spec.Document) []testCase {
	m := deriver{spec: d, minimal: minimal(d)}
	m.whole()
	for _, p := range d.Properties() {
		m.required(p)
		m.values(p)
		m.names(p)
	}
	m.pairs()
	for i := range m.cases {
		m.cases[i].setRule()
	}
	return m.cases
}

// A deriver collects the cases of one model.
type deriver struct {
	spec    *spec.Document
	minimal object
	cases   []testCase
	large   bool // there are cases of the larger sizes
}

// add adds a case. It is accepted if no pointers are given.
func (m *deriver) add(name, group, why string, body object, pointers ...string) {
	c := testCase{
		Name:     m.spec.Slug + "/" + name,
		Model:    m.spec.Slug,
		Group:    group,
		Source:   m.source(body),
		Why:      why,
		Derived:  true,
		Request:  submission(body.encode()),
		Accepted: pointers == nil,
		Pointers: pointers,
	}
	if !c.Accepted {
		c.Status = http.StatusBadRequest
	}
	m.cases = append(m.cases, c)
}

// optional returns the optional properties.
func (m *deriver) optional() (list []spec.Property) {
	for _, p := range m.spec.Properties() {
		if !p.Required {
			list = append(list, p)
		}
	}
	return list
}

func (m *deriver) whole() {
	m.add("only-required", groupRequired, "no other property is required", m.minimal)
	m.add("chunked", groupHTTP, "a body may be sent without its length", m.minimal)
	chunked := &m.cases[len(m.cases)-1]
	chunked.Request.Chunked, chunked.Rule = true, "chunked"
	everything, defaults := m.minimal, m.minimal
	for _, p := range m.optional() {
		everything = everything.with(p.Name, exampleOf(p.Schema))
		if p.Schema.Default != nil {
			defaults = defaults.with(p.Name, text(p.Schema.Default))
		}
	}
	m.add("everything", groupPairs, "every property with its example", everything)
	m.add("defaults", groupPairs, "a default may be sent", defaults)
	for name, body := range examples(m.spec) {
		m.add("example-"+name, groupPairs, "it is an example of the spec", body)
	}
}

func (m *deriver) required(p spec.Property) {
	if !p.Required {
		return
	}
	without := m.minimal.without(p.Name)
	m.add(p.Name+"/missing", groupRequired, "it is required", without, "/"+p.Name)
	if p.Name == "model" { // which decides what else is required
		return
	}
	for _, q := range m.minimal {
		if q.name > p.Name && q.name != "model" {
			m.add(p.Name+"/missing-with-"+q.name, groupRequired, "both are required", without.without(q.name), "/"+p.Name, "/"+q.name)
		}
	}
}

// source returns the file of the spec, with the line of the property in which the body differs from the smallest request.
func (m *deriver) source(body object) string {
	source := "spec/" + m.spec.Slug + ".yaml"
	for _, p := range m.spec.Properties() {
		i, j := m.minimal.index(p.Name), body.index(p.Name)
		if (i < 0) != (j < 0) || i >= 0 && m.minimal[i].value != body[j].value {
			return source + line(p.Schema)
		}
	}
	return source
}

func (m *deriver) values(p spec.Property) {
	list := values(p.Schema)
	if m.large { // sizes are a matter of the server, not of the property
		list = slices.DeleteFunc(list, isLargest)
	}
	for _, v := range list {
		m.large = m.large || isLargest(v)
		var pointers []string
		if !v.accepted {
			for _, at := range v.at {
				pointers = append(pointers, "/"+p.Name+at)
			}
			if v.at == nil {
				pointers = []string{"/" + p.Name}
			}
		}
		m.add(p.Name+"/"+v.name, v.group, v.why, m.minimal.with(p.Name, v.json), pointers...)
		c := &m.cases[len(m.cases)-1]
		c.Open, c.Request.Large = v.open, v.large
		if f, err := strconv.ParseFloat(v.json, 64); err == nil && v.accepted && p.Schema.Type.Is(openapi3.TypeInteger) && math.Abs(f) >= 1<<63 {
			c.Rule = "beyond-64-bits"
		}
	}
}

// names spells property names differently. Such members are unlisted, and unlisted members are ignored.
func (m *deriver) names(p spec.Property) {
	for _, other := range []struct{ what, name string }{
		{"in-upper-case", strings.ToUpper(p.Name)},
		{"with-a-hyphen", strings.ReplaceAll(p.Name, "_", "-")},
		{"with-a-space", p.Name + " "},
	} {
		switch {
		case other.name == p.Name:
		case p.Required:
			m.add(p.Name+"/name-"+other.what, groupNames, "names are matched exactly, so the property is missing",
				m.minimal.without(p.Name).with(other.name, exampleOf(p.Schema)), "/"+p.Name)
		default:
			m.add(p.Name+"/name-"+other.what, groupNames, "it isn't the property, and unlisted members are ignored",
				m.minimal.with(other.name, "[]"))
		}
	}
}

// pairs combines every two optional properties, and makes every two neighbours invalid.
func (m *deriver) pairs() {
	optional := m.optional()
	for i, p := range optional {
		for _, q := range optional[i+1:] {
			body := m.minimal.with(p.Name, exampleOf(p.Schema)).with(q.Name, goodItem(q.Schema, 1))
			m.add("pairs/"+p.Name+"+"+q.Name, groupPairs, "no property excludes another", body)
		}
		q := optional[(i+1)%len(optional)]
		if takesNull(p.Schema) || takesNull(q.Schema) || len(optional) < 2 {
			continue
		}
		m.add("pairs/wrong-"+p.Name+"+"+q.Name, groupPairs, "both are null, and the message names both",
			m.minimal.with(p.Name, "null").with(q.Name, "null"), "/"+p.Name, "/"+q.Name)
		m.add("pairs/wrong-"+p.Name+"-valid-"+q.Name, groupPairs, "one is null, and the message names only that one",
			m.minimal.with(p.Name, "null").with(q.Name, exampleOf(q.Schema)), "/"+p.Name)
	}
}

// takesNull reports whether null isn't certainly wrong.
func takesNull(s *openapi3.Schema) bool { return s.Nullable || s.Type == nil }

// An object is a JSON object whose members keep their order and notation, so that 81.0 stays 81.0.
type object []member

type member struct{ name, value string }

// minimal returns the smallest valid request: the required properties with their examples. If the body is a choice of
// schemas, it is the smallest example of the spec.
func minimal(d *spec.Document) object {
	var o object
	if len(d.Request().OneOf)+len(d.Request().AnyOf) > 0 {
		for _, example := range examples(d) {
			if o == nil || len(example) < len(o) {
				o = example
			}
		}
		return o
	}
	for _, p := range d.Properties() {
		if p.Required {
			o = append(o, member{p.Name, exampleOf(p.Schema)})
		}
	}
	return o
}

// examples returns the example requests of the spec by name, in the order of their names.
func examples(d *spec.Document) iter.Seq2[string, object] {
	return func(yield func(string, object) bool) {
		all := d.Operation.RequestBody.Value.Content["application/json"].Examples
		for _, name := range slices.Sorted(maps.Keys(all)) {
			members, _ := all[name].Value.Value.(map[string]any)
			var o object
			for _, p := range d.Properties() {
				if value, ok := members[p.Name]; ok {
					o = append(o, member{p.Name, text(value)})
				}
			}
			for _, other := range slices.Sorted(maps.Keys(members)) {
				if o.index(other) < 0 {
					o = append(o, member{other, text(members[other])})
				}
			}
			if !yield(name, o) {
				return
			}
		}
	}
}

// with returns a copy with the member set. A new member goes to the end.
func (o object) with(name, value string) object {
	o = slices.Clone(o)
	if i := o.index(name); i >= 0 {
		o[i].value = value
		return o
	}
	return append(o, member{name, value})
}

// without returns a copy without the member.
func (o object) without(name string) object {
	o = slices.Clone(o)
	if i := o.index(name); i >= 0 {
		o = slices.Delete(o, i, i+1)
	}
	return o
}

func (o object) index(name string) int {
	return slices.IndexFunc(o, func(m member) bool { return m.name == name })
}

func (o object) encode() []byte {
	members := make([]string, len(o))
	for i, m := range o {
		members[i] = text(m.name) + ":" + m.value
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

// text returns a value as JSON. Values of specs and case files can always be encoded.
func text(value any) string {
	encoded, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Errorf("suite: %w", err))
	}
	return string(encoded)
}
