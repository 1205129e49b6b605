package suite

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
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

// An excuse is an entry of the deviations, compiled.
type excuse struct {
	Deviation

	entry string
	rule  bool // the entry is about a rule
	name  *regexp.Regexp
}

// A list of excuses is in the order of the entries.
type excuses []excuse

func (d Deviations) compile() (list excuses) {
	for _, entry := range slices.Sorted(maps.Keys(d)) {
		pattern, rule := strings.CutPrefix(entry, rulePrefix)
		name := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		list = append(list, excuse{d[entry], entry, rule, name})
	}
	return list
}

// matching returns the excuses for the name of a case, or of a rule.
func (e excuses) matching(name string, rule bool) (found excuses) {
	for _, one := range e {
		if one.rule == rule && one.name.MatchString(name) {
			found = append(found, one)
		}
	}
	return found
}

// excusing returns the excuses for a failure: those for its name, or else those for its rules if there is one for each.
func (e excuses) excusing(name string, rules ...string) excuses {
	found := e.matching(name, false)
	if found != nil {
		return found
	}
	for _, rule := range rules {
		some := e.matching(rule, true)
		if some == nil {
			return nil
		}
		found = append(found, some...)
	}
	return found
}

// applyDeviations turns known failures into known deviations, and successes that should have failed into failures.
func (r *run) applyDeviations() {
	used := map[string]bool{}
	for _, result := range r.order {
		for _, one := range r.excuses.matching(result.Name, false) {
			used[one.entry] = true
			if result.Outcome == Passed && !one.Flaky {
				result.Problems = append(result.Problems, fmt.Sprintf("it passes: remove %q from the deviations", one.entry))
			}
		}
		switch {
		case result.Outcome == Passed && result.Problems != nil:
			result.Outcome = Failed
		case result.Outcome == Failed || result.Outcome == Inferred:
			for _, one := range r.excuses.excusing(result.Name, result.Rules...) {
				used[one.entry] = true
				result.Outcome, result.Deviation = Known, one.Reason
			}
		}
	}
	if r.config.selects() || r.aborted != "" {
		return // an entry may match a case that wasn't sent
	}
	for _, one := range r.excuses {
		if used[one.entry] || one.Flaky {
			continue
		}
		why, what := "each entry matches a case", "no case matches"
		if one.rule {
			why, what = "each rule is broken by a case", "no case breaks the rule"
		}
		r.order = append(r.order, &Result{
			Name: "deviations/" + one.entry, Group: groupLifecycle, Outcome: Failed, Source: "deviations", Why: why,
			Problems: []string{what + ": remove it from the deviations"},
		})
	}
}
