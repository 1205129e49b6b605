package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Deviations are the cases that a target is known to fail, each with the reason. A * in a name stands for any text.
// A listed case must fail: if it passes, that is a failure, so that a fix is noticed.
type Deviations map[string]string

// ParseDeviations parses a YAML mapping from the names of cases to reasons.
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

// matching returns the entries that match the name of a case.
func (d Deviations) matching(name string) []string {
	var found []string
	for _, pattern := range slices.Sorted(maps.Keys(d)) {
		if matches(pattern, name) {
			found = append(found, pattern)
		}
	}
	return found
}

// matches reports whether the name matches the pattern. The first match of each part between two stars will do: what
// follows it only gets longer.
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

// applyDeviations turns known failures into known deviations, and successes that should have failed into failures.
func (r *run) applyDeviations() {
	used := map[string]bool{}
	for _, result := range r.order {
		outcome := result.Outcome // before any entry changed it
		for _, entry := range r.config.Deviations.matching(result.Name) {
			used[entry] = true
			switch outcome {
			case Failed:
				result.Outcome, result.Deviation = Known, r.config.Deviations[entry]
			case Passed:
				result.Outcome = Failed
				result.Problems = append(result.Problems, fmt.Sprintf("it passes: remove %q from the deviations", entry))
			}
		}
	}
	if r.config.Run != nil || r.config.Skip != nil {
		return // an entry may match a case that wasn't selected
	}
	for entry := range r.config.Deviations {
		if !used[entry] {
			r.order = append(r.order, &Result{
				Name: "deviations/" + entry, Group: groupLifecycle, Outcome: Failed, Source: "deviations", Why: "each entry matches a case",
				Problems: []string{"no case matches: remove it from the deviations"},
			})
		}
	}
}
