package suite

import (
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/spec"
)

//go:embed cases/*.yaml
var files embed.FS

// A caseFile is a file of cases. Its fields are the defaults of its cases. Its name is the prefix of theirs; a file named
// after a model holds the cases of that model.
type caseFile struct {
	Model  string      `yaml:"model"` // the slug of the model whose requests are sent, "each", or "known" for polls of known generations
	Group  string      `yaml:"group"`
	Source string      `yaml:"source"` // the spec that gives the verdicts
	Cases  []fileEntry `yaml:"cases"`
}

// A fileEntry is a case as written by hand. The body is the smallest valid request of the model with the changes of
// unset, set and json, or else the text of body, in which $MINIMAL is that request, $MEMBERS its members, $MODEL the
// id of the model and $LATIN1 a byte that isn't UTF-8. A case for each model whose body depends on none is sent once.
type fileEntry struct {
	Name   string `yaml:"name"`
	Model  string `yaml:"model"`
	Group  string `yaml:"group"`
	Rule   string `yaml:"rule"` // see inferences
	Source string `yaml:"source"`
	Why    string `yaml:"why"`

	Method string             `yaml:"method"` // POST by default
	Path   string             `yaml:"path"`   // that of the generations by default
	Query  string             `yaml:"query"`
	Header map[string]*string `yaml:"header"` // null removes a default header
	Unset  []string           `yaml:"unset"`  // member names
	Set    yaml.Node          `yaml:"set"`    // members to set
	JSON   yaml.Node          `yaml:"json"`   // members to set to JSON text, for what YAML can't express
	Body   *string            `yaml:"body"`

	Expect   string   `yaml:"expect"` // accepted or rejected
	Status   int      `yaml:"status"` // of a rejection; 400 by default
	Pointers []string `yaml:"pointers"`
}

func load(files fs.FS) ([]testCase, error) {
	names, err := fs.Glob(files, "cases/*.yaml")
	if err != nil {
		return nil, err
	}
	var list []testCase
	for _, name := range names {
		loaded, err := loadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("suite: %s: %w", name, err)
		}
		list = append(list, loaded...)
	}
	return list, nil
}

func loadFile(files fs.FS, name string) ([]testCase, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var f caseFile
	if err := decodeYAML(data, &f); err != nil {
		return nil, err
	}
	var list []testCase
	prefix := strings.TrimSuffix(path.Base(name), ".yaml")
	for _, e := range f.Cases {
		slugs := []string{cmp.Or(e.Model, f.Model)}
		each := slugs[0] == "each" && e.dependsOnModel()
		if slugs[0] == "each" {
			slugs = e.models(each)
		}
		for _, slug := range slugs {
			c, err := f.newCase(e, slug)
			if err != nil {
				return nil, fmt.Errorf("case %q: %w", e.Name, err)
			}
			c.Name = prefix + "/" + e.Name
			if slug == "known" {
				c.Name, c.Known = e.Name, true
			} else if each {
				c.Name, c.Model = slug+"/"+c.Name, slug
			} else if d, ok := spec.BySlug(prefix); ok {
				c.Model = prefix
				property, _, _ := strings.Cut(e.Name, "/")
				if schema := d.Request().Properties[property]; schema != nil && c.Source == "spec/"+prefix+".yaml" {
					c.Source += line(schema.Value)
				}
			}
			c.setRule()
			list = append(list, c)
		}
	}
	return list, nil
}

// dependsOnModel reports whether the body differs between models.
func (e *fileEntry) dependsOnModel() bool {
	return e.Body == nil && cmp.Or(e.Method, http.MethodPost) == http.MethodPost || e.Body != nil && strings.Contains(*e.Body, "$M")
}

// models returns the slugs of the models that have the properties that the pointers name, or only the first.
func (e *fileEntry) models(each bool) (slugs []string) {
	for _, d := range spec.Models() {
		has := func(pointer string) bool {
			property, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
			return !strings.HasPrefix(pointer, "/") || property == "mood" || d.Request().Properties[property] != nil
		}
		if each && slices.ContainsFunc(e.Pointers, func(pointer string) bool { return !has(pointer) }) {
			continue
		}
		slugs = append(slugs, d.Slug)
		if !each {
			break
		}
	}
	return slugs
}

// decodeYAML decodes YAML and rejects unknown fields.
func decodeYAML(data []byte, value any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(value); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (f *caseFile) newCase(e fileEntry, slug string) (testCase, error) {
	c := testCase{
		Group:    cmp.Or(e.Group, f.Group),
		Rule:     e.Rule,
		Source:   cmp.Or(e.Source, f.Source),
		Why:      e.Why,
		Accepted: e.Expect == "accepted",
		Status:   e.Status,
		Pointers: e.Pointers,
		Request: request{
			Method: cmp.Or(e.Method, http.MethodPost),
			Path:   cmp.Or(e.Path, spec.Generation().Path),
			Query:  e.Query,
			Header: e.Header,
		},
	}
	switch {
	case !slices.Contains(groups, c.Group):
		return c, fmt.Errorf("unknown group %q", c.Group)
	case e.Expect != "accepted" && e.Expect != "rejected":
		return c, fmt.Errorf("expect is %q, not accepted or rejected", e.Expect)
	case c.Accepted && (c.Status != 0 || c.Pointers != nil):
		return c, errors.New("an accepted case has no status and no pointers")
	case !c.Accepted && c.Status == 0:
		c.Status = http.StatusBadRequest
	}
	var err error
	c.Request.Body, err = e.body(slug, c.Request.Method)
	return c, err
}

func (e *fileEntry) body(model, method string) ([]byte, error) {
	changed := e.Unset != nil || !e.Set.IsZero() || !e.JSON.IsZero()
	if e.Body != nil {
		if changed {
			return nil, errors.New("body excludes unset, set and json")
		}
	} else if method != http.MethodPost && !changed {
		return nil, nil
	}
	d, ok := spec.BySlug(model)
	if !ok {
		return nil, fmt.Errorf("unknown model %q", model)
	}
	o := minimal(d)
	if e.Body != nil {
		whole := string(o.encode())
		replacer := strings.NewReplacer("$MINIMAL", whole, "$MEMBERS", whole[1:len(whole)-1], "$MODEL", d.Model, "$LATIN1", "\xe9")
		return []byte(replacer.Replace(*e.Body)), nil
	}
	for _, name := range e.Unset {
		if o.index(name) < 0 {
			return nil, fmt.Errorf("unset: the request has no %s", name)
		}
		o = o.without(name)
	}
	err := members(&e.Set, func(name string, value *yaml.Node) error {
		var v any
		if err := value.Decode(&v); err != nil {
			return err
		}
		o = o.with(name, text(v))
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = members(&e.JSON, func(name string, value *yaml.Node) error {
		o = o.with(name, value.Value)
		return nil
	})
	return o.encode(), err
}

// members calls f for each member of a mapping, in order.
func members(mapping *yaml.Node, f func(name string, value *yaml.Node) error) error {
	if mapping.IsZero() {
		return nil
	}
	if mapping.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: not a mapping", mapping.Line)
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if err := f(mapping.Content[i].Value, mapping.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}
