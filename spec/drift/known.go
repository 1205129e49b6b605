package main

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
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
var builtIn []byte

// known is the file of what we know and keep. A nil one is of no effect.
type known struct {
	Differences []difference `yaml:"differences"`
	// Texts are fingerprints of the vendor's descriptions, by the slug of our document and by property. The texts of a
	// document that isn't listed are left aside.
	Texts map[string]map[string]string `yaml:"texts"`
}

// A difference is one that we keep.
type difference struct {
	// Models are the slugs of the documents it is in; without any it may be in all.
	Models  []string `yaml:"models"`
	Pointer string   `yaml:"pointer"`
	Ours    any      `yaml:"ours"`
	Theirs  any      `yaml:"theirs"`
	Reason  string   `yaml:"reason"`
}

// readKnown reads the list from a file, or the one that is built in.
func readKnown(name string) (*known, error) {
	data := builtIn
	if name != "" {
		var err error
		if data, err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	list := new(known)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(list); err != nil && len(bytes.TrimSpace(data)) > 0 {
		return nil, fmt.Errorf("the known differences: %w", err)
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

// asJSON makes of a value in YAML what it would be in JSON, where all numbers are of one type.
func asJSON(value any) (same any) {
	data, err := json.Marshal(value)
	if err != nil || json.Unmarshal(data, &same) != nil {
		return value
	}
	return same
}

func (d difference) concerns(model string) bool {
	return len(d.Models) == 0 || slices.Contains(d.Models, model)
}

func (d difference) is(f finding) bool {
	return d.concerns(f.Model) && d.Pointer == f.Pointer && reflect.DeepEqual(d.Ours, f.Ours) && reflect.DeepEqual(d.Theirs, f.Theirs)
}

// reason says why a finding is kept.
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

// gone reports the differences that were looked for and aren't there any more.
func (k *known) gone(findings []finding, visits []visit) []finding {
	var all []finding
	for _, d := range k.Differences {
		if slices.ContainsFunc(findings, d.is) {
			continue
		}
		i := slices.IndexFunc(visits, func(v visit) bool {
			rest, ok := strings.CutPrefix(d.Pointer, v.pointer)
			return ok && d.concerns(v.model) && strings.Count(rest, "/") <= 2 // a keyword, or a property, of what was compared
		})
		if i >= 0 {
			all = append(all, finding{
				State: stateGone, Grade: compatible, Model: visits[i].model, Document: visits[i].document, Pointer: d.Pointer,
				Ours: d.Ours, Theirs: d.Theirs, Reason: d.Reason,
				Means: "listed as known, but it isn't there: look what they say now, and edit known.yaml",
			})
		}
	}
	return all
}

// hasRead reports whether somebody has read the vendor's wording.
func (k *known) hasRead(document, name, wording string) bool {
	texts, ok := k.Texts[strings.TrimSuffix(document, ".yaml")]
	return !ok || texts[name] == fingerprint(wording)
}

// hasText reports whether the vendor had a wording when it was last read.
func (k *known) hasText(document, name string) bool {
	return k.Texts[strings.TrimSuffix(document, ".yaml")][name] != ""
}

func fingerprint(wording string) string {
	sum := sha256.Sum256([]byte(strings.TrimRight(wording, ".")))
	return hex.EncodeToString(sum[:4])
}
