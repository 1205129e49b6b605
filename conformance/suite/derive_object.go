package suite

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/aimlvideo/wan-go/spec"
)

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
