package suite

import (
	"context"
	"fmt"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// A rule checks what the schemas can't express: a generation over time and the headers of responses. It is applied to
// each observed generation.
type rule struct {
	name   string
	group  string
	source string // the poll operation of generation.yaml by default
	member string // of the generation, which the source points to
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
	reason   string // why the rule isn't applicable
	problems []problem
	evidence []*call
}

func pass(evidence ...*call) verdict { return verdict{outcome: Passed, evidence: evidence} }

func notApplicable(reason string) verdict { return verdict{outcome: NotApplicable, reason: reason} }

// fail returns a failure by the rule that is applied.
func fail(c *call, format string, args ...any) verdict {
	return failures(c, []problem{{text: fmt.Sprintf(format, args...)}})
}

func failures(c *call, problems []problem) verdict {
	v := verdict{outcome: Failed, problems: problems}
	if c != nil {
		v.evidence = []*call{c}
	}
	return v
}

// rules returns all rules in the order of the report.
func rules() []rule {
	list := append(lifecycleRules(), headerRules()...)
	list = append(list, idRules()...)
	for i, r := range list {
		if r.source != "" {
			continue
		}
		list[i].source = "spec/generation.yaml"
		if property := generationSchema().Properties[r.member]; property != nil {
			list[i].source += line(property.Value)
		}
	}
	return list
}

// apply applies the rule to the observation.
func (r *rule) apply(ctx context.Context, o *observation) verdict {
	v := r.judge(ctx, o)
	for i := range v.problems {
		if v.problems[i].rule == "" {
			v.problems[i].rule = r.name
		}
	}
	return v
}

func (r *rule) judge(ctx context.Context, o *observation) verdict {
	switch {
	case o.submit != nil && (o.submit.err != nil || !o.submit.accepted()):
		return failures(o.submit, []problem{{"submission", "the submission: " + o.submit.outcome()}})
	case r.stateful && o.target.stateless:
		return notApplicable("the target is stateless: it knows ids that it never returned")
	case o.id == "":
		return failures(o.submit, []problem{{"submission", "the submission's response has no id"}})
	}
	return r.check(ctx, o)
}

// line returns ":" and the line of a schema in its file, if it is known.
func line(s *openapi3.Schema) string {
	if s == nil || s.Origin == nil || s.Origin.Key == nil {
		return ""
	}
	return fmt.Sprintf(":%d", s.Origin.Key.Line)
}

// generationSchema returns the schema of a generation.
func generationSchema() *openapi3.Schema {
	return spec.Generation().Operation.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value
}
