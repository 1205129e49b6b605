package suite

import (
	_ "embed"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed values.yaml
var valuesYAML []byte

// listedValues are the values that the file lists.
type listedValues struct {
	Types []struct {
		Name, JSON string
		Accepted   []string // the types that accept it
	}
	Texts, URIs []listedValue
	Media       map[string][]struct{ Type, Data string } // by kind
	Families    [][]string
}

type listedValue struct {
	Name, Prefix, Value, Why string

	Repeat, Large  int
	Accepted, Open bool
}

// listed returns the values of the file. It panics if the file doesn't load: it is embedded.
var listed = sync.OnceValue(func() (l listedValues) {
	if err := decodeYAML(valuesYAML, &l); err != nil {
		panic(err)
	}
	return l
})

// whole returns the value as it is sent.
func (l listedValue) whole() string {
	if l.Large > 0 {
		return l.Prefix + largeMark
	}
	return l.Prefix + strings.Repeat(l.Value, max(l.Repeat, 1))
}

// mediaPattern finds the kind of a media property in its description.
var mediaPattern = regexp.MustCompile(`\b(video|image|audio)/\*`)

// mediaKind returns video, image or audio for a media property, or "" if its spec doesn't say.
func mediaKind(s *openapi3.Schema) string {
	if kind, ok := s.Extensions["x-media"].(string); ok {
		return kind
	}
	if match := mediaPattern.FindStringSubmatch(s.Description); match != nil {
		return match[1]
	}
	return ""
}

// dataURI returns a small data URI for a media property.
func dataURI(s *openapi3.Schema) string {
	kind := mediaKind(s)
	if listed().Media[kind] == nil {
		kind = "image"
	}
	first := listed().Media[kind][0]
	return "data:" + kind + "/" + first.Type + ";base64," + first.Data
}

// uris returns values of a media property.
func uris(s *openapi3.Schema) (list []value) {
	kind := mediaKind(s)
	own := listed().Media[kind]
	for _, l := range listed().URIs {
		uri := l.whole()
		if strings.Contains(uri, "{type}") {
			if own == nil {
				continue
			}
			uri = strings.Replace(uri, "{type}", kind+"/"+own[0].Type, 1)
		}
		list = append(list, value{name: l.Name, json: text(uri), group: groupMedia, accepted: l.Accepted, open: l.Open, large: l.Large, why: l.Why})
	}
	for _, other := range []string{"image", "video", "audio"} {
		if other == "audio" && kind != other {
			continue
		}
		why := "it is a base64 data URI of the property's type"
		if other != kind {
			why = "the description asks for another type"
		}
		for _, m := range listed().Media[other] {
			uri := "data:" + other + "/" + m.Type + ";base64," + m.Data
			list = append(list, value{name: "data-" + m.Type, json: text(uri), group: groupMedia, accepted: true, open: other != kind, why: why})
		}
	}
	return list
}

// isLargest reports whether a value is one of the larger ones, which one property of a model is enough for.
func isLargest(v value) bool { return v.large > 1<<20 }
