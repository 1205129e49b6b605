package suite

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// derive makes the cases that follow from the documents by rule.
func derive() []testCase {
	var list []testCase
	for _, d := range spec.Models() {
		m := deriver{document: d, minimal: minimal(d)}
		m.whole()
		for _, p := range d.Properties() {
			m.required(p)
			m.values(p)
			m.names(p)
		}
		m.pairs()
		list = append(list, m.cases...)
	}
	return list
}

// A deriver collects the cases of one model.
type deriver struct {
	document *spec.Document
	minimal  object
	cases    []testCase
}

// add adds a case. It is accepted if no pointers are given.
func (m *deriver) add(name string, group Group, why string, body object, pointers ...string) {
	c := testCase{
		Name:     m.document.Slug + "/" + name,
		Model:    m.document.Slug,
		Group:    group,
		Source:   "spec/" + m.document.Slug + ".yaml",
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

// optional returns the properties that may be left out.
func (m *deriver) optional() (list []spec.Property) {
	for _, p := range m.document.Properties() {
		if !p.Required {
			list = append(list, p)
		}
	}
	return list
}

func (m *deriver) whole() {
	m.add("only-required", Required, "nothing else is required", m.minimal)
	everything, defaults := m.minimal, m.minimal
	for _, p := range m.optional() {
		everything = everything.with(p.Name, text(p.Schema.Example))
		if p.Schema.Default != nil {
			defaults = defaults.with(p.Name, text(p.Schema.Default))
		}
	}
	m.add("everything", Pairs, "each property with its example", everything)
	m.add("defaults", Pairs, "each default is a value that may be sent", defaults)
	examples := m.document.Operation.RequestBody.Value.Content["application/json"].Examples
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		var body object
		members := examples[name].Value.Value.(map[string]any)
		for _, p := range m.document.Properties() {
			if value, ok := members[p.Name]; ok {
				body = append(body, member{p.Name, text(value)})
			}
		}
		m.add("example-"+name, Pairs, "it stands in the document as an example", body)
	}
}

func (m *deriver) required(p spec.Property) {
	if !p.Required {
		return
	}
	without := m.minimal.without(p.Name)
	m.add(p.Name+"/missing", Required, "it is required", without, "/"+p.Name)
	if p.Name == "model" { // without it, nobody knows what else is required
		return
	}
	for _, q := range m.minimal {
		if q.name > p.Name && q.name != "model" {
			m.add(p.Name+"/missing-with-"+q.name, Required, "both are required", without.without(q.name), "/"+p.Name, "/"+q.name)
		}
	}
}

func (m *deriver) values(p spec.Property) {
	for _, v := range values(p.Schema) {
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
	}
}

// names spells names in other ways. Such members aren't listed, and what isn't listed is let through.
func (m *deriver) names(p spec.Property) {
	for _, other := range []struct{ what, name string }{
		{"in-upper-case", strings.ToUpper(p.Name)},
		{"with-a-hyphen", strings.ReplaceAll(p.Name, "_", "-")},
		{"with-a-space", p.Name + " "},
	} {
		switch {
		case other.name == p.Name:
		case p.Required:
			m.add(p.Name+"/name-"+other.what, Names, "names are case-sensitive and exact, so that it is missing",
				m.minimal.without(p.Name).with(other.name, text(p.Schema.Example)), "/"+p.Name)
		default:
			m.add(p.Name+"/name-"+other.what, Names, "it isn't the property, and what isn't listed is let through",
				m.minimal.with(other.name, "[]"))
		}
	}
}

// pairs puts each two optional properties together, and lets each two neighbours be wrong.
func (m *deriver) pairs() {
	optional := m.optional()
	for i, p := range optional {
		for _, q := range optional[i+1:] {
			body := m.minimal.with(p.Name, text(p.Schema.Example)).with(q.Name, another(q.Schema))
			m.add("pairs/"+p.Name+"+"+q.Name, Pairs, "no property excludes another", body)
		}
		q := optional[(i+1)%len(optional)]
		m.add("pairs/wrong-"+p.Name+"+"+q.Name, Pairs, "both are null, and both are named",
			m.minimal.with(p.Name, "null").with(q.Name, "null"), "/"+p.Name, "/"+q.Name)
		m.add("pairs/wrong-"+p.Name+"-valid-"+q.Name, Pairs, "only one of them is null, and only that one is named",
			m.minimal.with(p.Name, "null").with(q.Name, text(q.Schema.Example)), "/"+p.Name)
	}
}

// another is a valid value of the schema that isn't its example where there is one.
func another(s *openapi3.Schema) string {
	switch {
	case len(s.Enum) > 0:
		for _, value := range s.Enum {
			if text(value) != text(s.Example) {
				return text(value)
			}
		}
	case s.Type.Is(openapi3.TypeBoolean):
		return text(s.Example != true)
	case s.Max != nil:
		return fmt.Sprint(*s.Max)
	case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
		return "3"
	}
	return text(s.Example)
}
