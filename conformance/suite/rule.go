package suite

import (
	"context"
	"fmt"
)

// A rule is something that the documents say in words: about a generation over time, and about answers. It is looked at
// for each generation that is observed.
type rule struct {
	name   string
	group  Group
	source string
	why    string
	// submitted rules are about generations that the suite has submitted itself.
	submitted bool
	// state rules say nothing of a target that holds no state.
	state bool
	check func(context.Context, *observation) verdict
}

// A verdict is what a rule has found, and the exchanges that show it.
type verdict struct {
	outcome  Outcome
	text     string
	evidence []*trip
}

func pass(evidence ...*trip) verdict { return verdict{Passed, "", evidence} }

func notApplicable(text string) verdict { return verdict{NotApplicable, text, nil} }

func fail(x *trip, format string, args ...any) verdict {
	f := verdict{outcome: Failed, text: fmt.Sprintf(format, args...)}
	if x != nil {
		f.evidence = []*trip{x}
	}
	return f
}

// rules are all rules, in the order of the report.
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

// look applies the rule to the observation.
func (r *rule) look(ctx context.Context, o *observation) verdict {
	switch {
	case o.submit != nil && o.submit.err != nil:
		return fail(o.submit, "the submission got no whole answer: %v", o.submit.err)
	case o.submit != nil && !o.submit.accepted():
		return fail(o.submit, "the submission was answered %d%s", o.submit.status, quoted(o.submit.answer().Message))
	case r.state && o.target.stateless:
		return notApplicable("the target holds no state: it answers for ids that nobody gave it")
	case o.id == "":
		return fail(o.submit, "the submission's answer has no id")
	}
	return r.check(ctx, o)
}
