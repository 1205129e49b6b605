package suite

import (
	"context"
	"fmt"
)

// A rule checks what the schemas can't express: a generation over time and the headers of responses. It is applied to
// each observed generation.
type rule struct {
	name   string
	group  string
	source string
	why    string
	// submitted rules apply to generations that the suite has submitted itself.
	submitted bool
	// stateful rules don't apply to stateless targets.
	stateful bool
	check    func(context.Context, *observation) verdict
}

// A verdict is the result of a rule and the calls that show it.
type verdict struct {
	outcome  Outcome
	text     string
	evidence []*call
}

func pass(evidence ...*call) verdict { return verdict{Passed, "", evidence} }

func notApplicable(text string) verdict { return verdict{NotApplicable, text, nil} }

func fail(c *call, format string, args ...any) verdict {
	v := verdict{outcome: Failed, text: fmt.Sprintf(format, args...)}
	if c != nil {
		v.evidence = []*call{c}
	}
	return v
}

// rules returns all rules in the order of the report.
func rules() []rule {
	list := append(lifecycleRules(), headerRules()...)
	list = append(list, idRules()...)
	for i := range list {
		if list[i].source == "" {
			list[i].source = "spec/generation.yaml"
		}
	}
	return list
}

// apply applies the rule to the observation.
func (r *rule) apply(ctx context.Context, o *observation) verdict {
	switch {
	case o.submit != nil && (o.submit.err != nil || !o.submit.accepted()):
		return fail(o.submit, "the submission: %s", o.submit.outcome())
	case r.stateful && o.target.stateless:
		return notApplicable("the target is stateless: it knows ids that it never returned")
	case o.id == "":
		return fail(o.submit, "the submission's response has no id")
	}
	return r.check(ctx, o)
}
