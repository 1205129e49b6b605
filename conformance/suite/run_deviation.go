package suite

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Deviations are known failures of a target. A key is the name of a case, or "rule:" and the name of a rule, which covers
// every case that fails by this rule alone. A * stands for any text.
//
// What is listed must fail: a listed case that passes, and a listed rule that no case breaks, are failures, so that a fix
// is noticed. Flaky entries may fail or pass.
type Deviations map[string]Deviation

// A Deviation says why a target is known to fail.
type Deviation struct {
	Reason string
	// Flaky cases may also pass.
	Flaky bool
}

const rulePrefix = "rule:"

// UnmarshalYAML decodes a reason, or a mapping with the reason in "flaky".
func (d *Deviation) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&d.Reason)
	}
	var flaky map[string]string
	if err := node.Decode(&flaky); err != nil || len(flaky) != 1 || flaky["flaky"] == "" {
		return errors.Join(fmt.Errorf("line %d: want a reason, or {flaky: REASON}", node.Line), err)
	}
	*d = Deviation{flaky["flaky"], true}
	return nil
}

// ParseDeviations parses a YAML mapping from names of cases, or "rule:" and names of rules, to reasons. A flaky case has
// {flaky: REASON} in place of the reason.
func ParseDeviations(data []byte) (Deviations, error) {
	var d Deviations
	if err := decodeYAML(data, &d); err != nil {
		return nil, fmt.Errorf("deviations: %w", err)
	}
	for name, deviation := range d {
		if name == "" || strings.TrimSpace(deviation.Reason) == "" {
			return nil, fmt.Errorf("deviations: %q has no reason", name)
		}
	}
	return d, nil
}

// matching returns the entries that match the name of a case.
func (d Deviations) matching(name string) []string {
	var found []string
	for _, pattern := range slices.Sorted(maps.Keys(d)) {
		if !strings.HasPrefix(pattern, rulePrefix) && matches(pattern, name) {
			found = append(found, pattern)
		}
	}
	return found
}

// mayExcuse reports whether the case may be a known deviation.
func (d Deviations) mayExcuse(c *testCase) bool {
	return d.excusing(&Result{Name: c.Name, Rules: []string{c.Rule}}) != nil
}

// excusing returns the entries that excuse a failure: those that match its name, or else those that match its rules if
// they match all of them.
func (d Deviations) excusing(result *Result) []string {
	if found := d.matching(result.Name); found != nil {
		return found
	}
	var found []string
	for _, rule := range result.Rules {
		before := len(found)
		for _, pattern := range slices.Sorted(maps.Keys(d)) {
			if name, ok := strings.CutPrefix(pattern, rulePrefix); ok && matches(name, rule) {
				found = append(found, pattern)
			}
		}
		if len(found) == before {
			return nil
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
		for _, entry := range r.config.Deviations.matching(result.Name) {
			used[entry] = true
			if result.Outcome == Passed && !r.config.Deviations[entry].Flaky {
				result.Problems = append(result.Problems, fmt.Sprintf("it passes: remove %q from the deviations", entry))
			}
		}
		switch {
		case result.Outcome == Passed && result.Problems != nil:
			result.Outcome = Failed
		case result.Outcome == Failed || result.Outcome == Inferred:
			for _, entry := range r.config.Deviations.excusing(result) {
				used[entry] = true
				result.Outcome, result.Deviation = Known, r.config.Deviations[entry].Reason
			}
		}
	}
	if r.config.selects() || r.aborted != "" {
		return // an entry may match a case that wasn't sent
	}
	for _, entry := range slices.Sorted(maps.Keys(r.config.Deviations)) {
		if deviation := r.config.Deviations[entry]; !used[entry] && !deviation.Flaky {
			why, what := "each entry matches a case", "no case matches"
			if strings.HasPrefix(entry, rulePrefix) {
				why, what = "each rule is broken by a case", "no case breaks the rule"
			}
			r.order = append(r.order, &Result{
				Name: "deviations/" + entry, Group: groupLifecycle, Outcome: Failed, Source: "deviations", Why: why,
				Problems: []string{what + ": remove it from the deviations"},
			})
		}
	}
}
