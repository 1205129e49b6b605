package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Deviations are the cases that a target is known to fail, each with the reason. A name may hold * for any part of a
// name. What is listed has to fail: an entry whose case passes is a failure itself, so that a fix is noticed.
type Deviations map[string]string

// ParseDeviations reads a file of deviations: a YAML mapping from the name of a case to the reason.
func ParseDeviations(data []byte) (Deviations, error) {
	var d Deviations
	if err := decodeYAML(data, &d); err != nil {
		return nil, fmt.Errorf("deviations: %w", err)
	}
	for name, reason := range d {
		if name == "" || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("deviations: %q has no reason", name)
		}
	}
	return d, nil
}

// names returns the entries that are about the case.
func (d Deviations) names(name string) []string {
	var found []string
	for _, pattern := range slices.Sorted(maps.Keys(d)) {
		if matches(pattern, name) {
			found = append(found, pattern)
		}
	}
	return found
}

// matches tells whether the name is the pattern, in which * stands for any text. Each part between two stars may be
// taken where it stands first: what is behind it only gets longer by that.
func matches(pattern, name string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	for ok {
		var part string
		if part, rest, wild = strings.Cut(rest, "*"); !wild {
			return strings.HasSuffix(name, part)
		}
		_, name, ok = strings.Cut(name, part)
	}
	return false
}
