package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed texts.yaml
var builtInTexts []byte

const textsPath = "spec/drift/texts.yaml"

// texts are the vendor's texts that were read: by name and fingerprint, the slugs of the specs that have it. The text of
// the polling, which is on every page, may have several fingerprints.
type texts map[string]map[string]slugs

type slugs []string

// MarshalYAML writes the list into one line.
func (s slugs) MarshalYAML() (any, error) {
	var node yaml.Node
	err := node.Encode([]string(s))
	node.Style = yaml.FlowStyle
	return &node, err
}

// isRead reports whether a wording is one that was read. No text is read as long as none was recorded.
func (t texts) isRead(slug, name, wording string) bool {
	if slices.Contains(t[name][fingerprint(wording)], slug) {
		return true
	}
	recorded := false
	for _, models := range t[name] {
		recorded = recorded || slices.Contains(models, slug)
	}
	return wording == "" && !recorded
}

// record adds a wording. The first one in this run replaces those that were read before.
func (k *known) record(slug, name, wording string) {
	wordings := k.texts[name]
	if wordings == nil {
		wordings = map[string]slugs{}
		k.texts[name] = wordings
	}
	if key := slug + " " + name; !k.recorded[key] {
		k.recorded[key] = true
		for sum, models := range wordings {
			wordings[sum] = slices.DeleteFunc(models, func(s string) bool { return s == slug })
		}
	}
	if sum := fingerprint(wording); !slices.Contains(wordings[sum], slug) {
		wordings[sum] = append(wordings[sum], slug)
		slices.Sort(wordings[sum])
	}
}

// fingerprint returns the first eight digits of the SHA-256 of a text, without the full stops at its end, or "none".
func fingerprint(wording string) string {
	if wording == "" {
		return "none"
	}
	sum := sha256.Sum256([]byte(strings.TrimRight(wording, ".")))
	return hex.EncodeToString(sum[:4])
}

// write writes the file that --accept changes.
func (t texts) write(name string) error {
	name = cmp.Or(name, textsPath)
	if _, err := os.Stat(name); err != nil {
		return fmt.Errorf("%w: run drift in the root of the repository, or use --texts", err)
	}
	t.prune()
	var b bytes.Buffer
	b.WriteString("# Fingerprints of the vendor's texts as they were last read: descriptions, code samples, pages. Written by\n" +
		"# go run ./spec/drift --accept SOURCE..., by name and the beginning of the SHA-256 of the text.\n")
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(t); err != nil {
		return err
	}
	return os.WriteFile(name, b.Bytes(), 0o600)
}

// prune removes what isRead assumes anyway: a text that is missing from a spec in all sources.
func (t texts) prune() {
	none := fingerprint("")
	for name, wordings := range t {
		wordings[none] = slices.DeleteFunc(wordings[none], func(slug string) bool {
			for sum, models := range wordings {
				if sum != none && slices.Contains(models, slug) {
					return false
				}
			}
			return true
		})
		for sum, models := range wordings {
			if len(models) == 0 {
				delete(wordings, sum)
			}
		}
		if len(wordings) == 0 {
			delete(t, name)
		}
	}
}
