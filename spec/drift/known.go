package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed known.yaml
var builtInKnown []byte

// known is what we know of the vendor's specs: the differences that we keep and the texts that were read. A nil one knows
// nothing.
type known struct {
	Differences []difference `yaml:"differences"`

	texts    texts
	recorded map[string]bool // by slug and name, in this run
}

// A difference is one that we keep.
type difference struct {
	// Models are the slugs of the specs that have it. Without any, all have it.
	Models []string `yaml:"models"`
	// In limits the difference to "submission" or "polling".
	In      string `yaml:"in"`
	Pointer string `yaml:"pointer"`
	Ours    any    `yaml:"ours"`
	Theirs  any    `yaml:"theirs"`
	Reason  string `yaml:"reason"`
}

// readKnown reads both files, or what is built in if a name is empty.
func readKnown(knownFile, textsFile string) (*known, error) {
	list := &known{texts: texts{}, recorded: map[string]bool{}}
	if err := decode(knownFile, builtInKnown, list); err != nil {
		return nil, err
	}
	if err := decode(textsFile, builtInTexts, &list.texts); err != nil {
		return nil, err
	}
	for i := range list.Differences {
		d := &list.Differences[i]
		if d.Pointer == "" || d.Reason == "" {
			return nil, errors.New("the known differences: each needs a pointer and a reason")
		}
		d.Ours, d.Theirs = asJSON(d.Ours), asJSON(d.Theirs)
	}
	return list, nil
}

// decode reads a YAML file, or the built-in one without a name.
func decode(name string, builtIn []byte, into any) error {
	data := builtIn
	if name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			return err
		}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// asJSON returns a value as encoding/json decodes it, where all numbers are float64.
func asJSON(value any) (same any) {
	data, err := json.Marshal(value)
	if err != nil || json.Unmarshal(data, &same) != nil {
		return value
	}
	return same
}

func (d difference) concerns(model string) bool {
	isPolling := model == "generation"
	return (len(d.Models) == 0 || slices.Contains(d.Models, model)) && (d.In == "" || (d.In == "polling") == isPolling)
}

func (d difference) is(f finding) bool {
	return d.concerns(f.Model) && d.Pointer == f.Pointer && reflect.DeepEqual(d.Ours, f.Ours) && reflect.DeepEqual(d.Theirs, f.Theirs)
}

// reason returns why we keep a difference.
func (k *known) reason(f finding) (string, bool) {
	if k == nil {
		return "", false
	}
	for _, d := range k.Differences {
		if d.is(f) {
			return d.Reason, true
		}
	}
	return "", false
}

// gone reports the listed differences that no longer exist in a place that was compared.
func (k *known) gone(findings []finding, visits []visit) []finding {
	var all []finding
	for _, d := range k.Differences {
		if slices.ContainsFunc(findings, d.is) {
			continue
		}
		i := slices.IndexFunc(visits, func(v visit) bool {
			rest, ok := strings.CutPrefix(d.Pointer, v.pointer)
			return ok && d.concerns(v.model) && strings.Count(rest, "/") <= 2 // a keyword or a property of what was compared
		})
		if i >= 0 {
			all = append(all, finding{
				State: stateGone, Grade: compatible, Model: visits[i].model, Document: visits[i].document, Pointer: d.Pointer,
				Ours: d.Ours, Theirs: d.Theirs, Reason: d.Reason,
				Means: "listed as known but no longer there: check the vendor's spec, then edit known.yaml",
			})
		}
	}
	return all
}
