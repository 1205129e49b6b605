package suite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A rule checks what no single request shows: a generation over time and the headers of responses. It is applied to each
// observed generation.
type rule struct {
	name   string
	group  string
	member string // of the generation, which the source points to
	why    string
	// submitted rules apply to generations that the suite has submitted itself.
	submitted bool
	// stateful rules don't apply to stateless targets.
	stateful bool
	// of returns the calls that the rule is about, or why there are none.
	of scope
	// check returns what is wrong with one of them.
	check func(*observation, *call) []problem
}

type scope func(context.Context, *observation) (calls []*call, reason string)

// A verdict is the result of a case or rule and the calls that show it.
type verdict struct {
	outcome  Outcome
	reason   string // why it wasn't checked
	problems []problem
	evidence []*call
}

// judged returns the verdict of a call with these problems. There is no call if no poll got a response.
func judged(problems []problem, c *call) verdict {
	v := verdict{Passed, "", problems, nil}
	if problems != nil {
		v.outcome = Failed
	}
	if c != nil {
		v.evidence = []*call{c}
	}
	return v
}

func because(format string, args ...any) []problem {
	return []problem{{text: fmt.Sprintf(format, args...)}}
}

// source returns the poll operation of the spec, with the line of the rule's member.
func (r *rule) source() string {
	source := "spec/generation.yaml"
	if property := generationSchema().Properties[r.member]; property != nil {
		source += line(property.Value)
	}
	return source
}

// apply applies the rule to the observation.
func (r *rule) apply(ctx context.Context, o *observation) verdict {
	if v := o.unusable(r.stateful); v != nil {
		return *v
	}
	calls, reason := r.of(ctx, o)
	if len(calls) == 0 {
		return verdict{outcome: NotApplicable, reason: reason}
	}
	for _, c := range calls {
		problems := r.check(o, c)
		for i := range problems {
			if problems[i].rule == "" {
				problems[i].rule = r.name
			}
		}
		if problems != nil {
			return judged(problems, c)
		}
	}
	return verdict{Passed, "", nil, slices.Compact([]*call{calls[0], calls[len(calls)-1]})}
}

// unusable returns the verdict of all rules about a generation that can't be polled, or nil.
func (o *observation) unusable(stateful bool) *verdict {
	failed := func(text string) *verdict {
		return &verdict{Failed, "", []problem{{"submission", text}}, []*call{o.submit}}
	}
	switch {
	case o.submit != nil && (o.submit.err != nil || !o.submit.accepted()):
		return failed("expected an accepted submission; received " + o.submit.outcome())
	case stateful && o.target.stateless:
		return &verdict{outcome: NotApplicable, reason: "the target is stateless: it knows ids that it never returned"}
	case o.id == "":
		return failed("expected an id in the response to the submission; received none")
	}
	return nil
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

// rules returns all rules in the order of the report.
func rules() []rule {
	const (
		echoed  = "the client request id is echoed"
		dropped = "the server silently drops an invalid client request id"
	)
	most := strings.Repeat("x", 128)
	list := []rule{
		{name: "submission-response", member: "status", submitted: true, of: submitted, check: submissionResponse,
			why: "the response to a submission is an unfinished generation with an id"},
		{name: "known-at-once", member: "id", stateful: true, of: firstPoll, check: accepted,
			why: "the returned id can be polled at once"},
		{name: "responses-match", of: allPolls, check: matchesSpec,
			why: "every response about the generation matches the spec"},
		{name: "id-unchanged", member: "id", stateful: true, of: responses, check: sameID,
			why: "the id stays the same, byte for byte"},
		{name: "legal-order", member: "status", stateful: true, of: severalStatuses, check: legalOrder,
			why: "the status moves from queued or waiting to generating or active to a final one, never back"},
		{name: "comes-to-an-end", member: "status", stateful: true, of: lastPoll, check: comesToAnEnd,
			why: "a generation completes or fails"},
		{name: "final-stays", member: "status", stateful: true, of: afterEnd, check: finalStays,
			why: "completed and error are final"},
		{name: "completed-has-url", member: "video", stateful: true, of: ended("completed"), check: finding("completed-has-url"),
			why: "a completed generation has the URL of the video"},
		{name: "url-serves-a-video", member: "video", stateful: true, of: fetched, check: isVideo,
			why: "the URL serves a whole video without the key"},
		{name: "url-serves-ranges", member: "video", stateful: true, of: ranged(""), check: isPart,
			why: "a range is that part of the same file, so that a download can be resumed"},
		{name: "url-honours-if-range", member: "video", stateful: true, of: ranged(`"another"`), check: isOtherVersion,
			why: "no part is served if the file has another ETag"},
		{name: "video-only-when-completed", member: "video", stateful: true, of: unless("completed"), check: finding("video-only-when-completed"),
			why: "the video is null or absent before completion"},
		{name: "error-has-reason", member: "error", stateful: true, of: ended("error"), check: finding("error-has-reason"),
			why: "a failed generation has an error with name and message"},
		{name: "error-only-when-failed", member: "error", stateful: true, of: unless("error"), check: finding("error-only-when-failed"),
			why: "the error is null or absent unless the generation failed"},
		{name: "failed-costs-nothing", member: "meta", stateful: true, of: ended("error"), check: cost("no cost", func(f float64) bool { return f != 0 }),
			why: "a failed generation isn't charged"},
		{name: "cost-not-negative", member: "meta", of: responses, check: cost("a cost of at least 0", func(f float64) bool { return f < 0 }),
			why: "a cost is a number of at least 0"},
		{name: "cost-only-at-the-end", member: "meta", stateful: true, of: unless("completed", "error"), check: cost("no cost", func(f float64) bool { return f != 0 }),
			why: "an unfinished generation isn't charged"},
		{name: "cost-stays", member: "meta", stateful: true, of: ended("completed"), check: costStays,
			why: "the cost of a completed generation doesn't change"},

		{name: "inference-id", group: groupHeaders, submitted: true, of: withInferenceID, check: inferenceID, why: "x-inference-id is the id in the body"},
		{name: "client-request-id", group: groupHeaders, submitted: true, of: submitted, check: echoesSubmission, why: echoed},
		{name: "client-request-id-of-a-poll", group: groupHeaders, of: pollAs(pollRequestID), check: echoes(pollRequestID), why: echoed},
		{name: "client-request-id-with-all-characters", group: groupHeaders, of: pollAs("AZaz09._:-"), check: echoes("AZaz09._:-"), why: echoed},
		{name: "client-request-id-of-128", group: groupHeaders, of: pollAs(most), check: echoes(most), why: echoed},
		{name: "client-request-id-of-129", group: groupHeaders, of: pollAs(most + "x"), check: echoes(""), why: dropped},
		{name: "client-request-id-with-a-space", group: groupHeaders, of: pollAs("a b"), check: echoes(""), why: dropped},
		{name: "client-request-id-with-a-slash", group: groupHeaders, of: pollAs("a/b"), check: echoes(""), why: dropped},
		{name: "content-type", group: groupHeaders, of: responses, check: isJSON, why: "responses are application/json"},
		{name: "client-request-id-in-the-logs", group: groupAccount, submitted: true, stateful: true, of: logged, check: isLogged,
			why: "the logs have the submission's client request id and the inference id of its generation"},
		{name: "cost-as-in-the-body", group: groupHeaders, stateful: true, of: withBothCosts, check: costAsInBody,
			why: "x-aimlapi-credits-used and x-aimlapi-usd-spent equal meta.usage"},
	}
	for i := range list {
		if list[i].group == "" {
			list[i].group = groupLifecycle
		}
	}
	return list
}

// The scopes.

// noPoll is why a rule about polls isn't applicable.
const noPoll = "no poll returned the generation"

func submitted(_ context.Context, o *observation) ([]*call, string) { return []*call{o.submit}, "" }

func responses(_ context.Context, o *observation) ([]*call, string) { return o.responses(), noPoll }

func allPolls(_ context.Context, o *observation) ([]*call, string) {
	return slices.Concat(o.polls, o.after), noPoll
}

func firstPoll(_ context.Context, o *observation) ([]*call, string) {
	return o.polls[:min(len(o.polls), 1)], noPoll
}

// lastPoll returns the submission if there is no poll; nil if there is neither.
func lastPoll(_ context.Context, o *observation) ([]*call, string) {
	all := append([]*call{o.submit}, o.polls...)
	return all[len(all)-1:], ""
}

// ended selects the responses from the final status on.
func ended(status string) scope {
	return func(_ context.Context, o *observation) ([]*call, string) {
		switch end := o.end(); {
		case end == nil:
			return nil, "no final status was seen"
		case end.response.Status != status:
			return nil, "the final status is " + end.response.Status
		default:
			return append([]*call{end}, o.after...), ""
		}
	}
}

// unless selects the responses with any other status.
func unless(statuses ...string) scope {
	return func(_ context.Context, o *observation) ([]*call, string) {
		return slices.DeleteFunc(o.responses(), func(c *call) bool { return slices.Contains(statuses, c.response.Status) }),
			"no status but " + strings.Join(statuses, " or ") + " was seen"
	}
}

func severalStatuses(_ context.Context, o *observation) ([]*call, string) {
	statuses, listed := map[string]bool{}, false
	for _, c := range o.responses() {
		statuses[c.response.Status] = true
		listed = listed || rank(c.response.Status) != rankUnlisted
	}
	switch {
	case len(statuses) < 2:
		return nil, "only one status was seen"
	case !listed:
		return nil, "no listed status was seen"
	}
	return o.responses(), ""
}

func afterEnd(_ context.Context, o *observation) ([]*call, string) {
	switch {
	case o.end() == nil:
		return nil, "no final status was seen"
	case len(o.after) < afterPolls:
		return nil, "there was no time to poll after the final status"
	}
	return o.after, ""
}

// pollAs polls with a client request id.
func pollAs(id string) scope {
	return func(ctx context.Context, o *observation) ([]*call, string) {
		request := poll(o.id)
		request.Header = map[string]*string{wire.ClientRequestIDHeader: &id}
		return []*call{o.target.send(ctx, request)}, ""
	}
}

func withInferenceID(_ context.Context, o *observation) ([]*call, string) {
	if o.submit.header.Get(wire.InferenceIDHeader) == "" {
		return nil, "the response has none, and the spec doesn't require it"
	}
	return []*call{o.submit}, ""
}

func withBothCosts(ctx context.Context, o *observation) ([]*call, string) {
	calls, reason := ended("completed")(ctx, o)
	if calls == nil {
		return nil, reason
	}
	return slices.DeleteFunc(calls, func(c *call) bool {
		costs := c.costs()
		return !slices.ContainsFunc(costHeaders, func(h costHeader) bool { return costs[h.member] != nil && costs[h.header] != nil })
	}), "no cost is in both the header and the body"
}

// The checks.

// finding returns the findings of a rule of package conformance.
func finding(rule string) func(*observation, *call) []problem {
	return func(_ *observation, c *call) (problems []problem) {
		for _, f := range c.findings {
			if f.Rule == rule {
				problems = append(problems, problem{text: f.String()})
			}
		}
		return problems
	}
}

func sameID(o *observation, c *call) []problem {
	if id := c.response.ID; id != o.id {
		return because("expected the id %q; received %q", o.id, id)
	}
	return nil
}

func submissionResponse(o *observation, c *call) []problem {
	if c.response.final() {
		return because("expected an unfinished status at submission; received %s", c.response.Status)
	}
	return matchesSpec(o, c)
}

func accepted(_ *observation, c *call) []problem {
	if c.err != nil || !c.accepted() {
		return because("expected the generation; received %s", c.outcome())
	}
	return nil
}

func matchesSpec(o *observation, c *call) []problem {
	problems := o.target.violations(c)
	if o.target.strictness >= Documented {
		problems = append(problems, finding("status")(o, c)...)
	}
	if problems != nil {
		return problems
	}
	return accepted(o, c)
}

// Ranks of statuses. Unlisted statuses have none: they mean that the generation is unfinished.
const (
	rankUnlisted = iota
	rankQueued
	rankGenerating
	rankFinal
)

func rank(status string) int {
	return map[string]int{
		"queued": rankQueued, "waiting": rankQueued, "generating": rankGenerating, "active": rankGenerating, "completed": rankFinal, "error": rankFinal,
	}[status]
}

func legalOrder(o *observation, c *call) []problem {
	var seen []string
	highest := rankUnlisted
	for _, before := range o.responses() {
		seen = append(seen, before.response.Status)
		if before == c {
			break
		}
		highest = max(highest, rank(before.response.Status))
	}
	if r := rank(c.response.Status); r != rankUnlisted && r < highest {
		return because("expected statuses in their order; received %s", strings.Join(slices.Compact(seen), ", "))
	}
	return nil
}

func comesToAnEnd(o *observation, c *call) []problem {
	switch {
	case o.end() != nil:
		return nil
	case len(o.polls) == 0:
		return because("expected a final status; received no response to a poll")
	case o.premature != nil:
		return because("expected a final status beside the result; received %q", c.response.Status)
	}
	return because("expected a final status; received %q after %d polls", c.response.Status, len(o.polls))
}

func finalStays(o *observation, c *call) []problem {
	if status := o.end().response.Status; c.response.Status != status && c.accepted() {
		return because("expected %s, as before; received %q", status, c.response.Status)
	}
	return accepted(o, c)
}

func inferenceID(o *observation, c *call) []problem {
	if got := c.header.Get(wire.InferenceIDHeader); got != o.id {
		return because("expected x-inference-id to be the id %q; received %q", o.id, got)
	}
	return nil
}

func echoes(want string) func(*observation, *call) []problem {
	return func(o *observation, c *call) []problem {
		if problems := accepted(o, c); problems != nil {
			return problems
		}
		if got := c.header.Get(wire.ClientRequestIDHeader); got != want {
			return because("expected x-client-request-id to be %q; received %q", want, got)
		}
		return nil
	}
}

func echoesSubmission(o *observation, c *call) []problem { return echoes(o.requestID)(o, c) }

func isJSON(_ *observation, c *call) []problem {
	if !wire.IsJSON(c.header) {
		return because("expected application/json; received %q", c.header.Get("Content-Type"))
	}
	return nil
}

// A costHeader is a header with a cost and its member in the body.
type costHeader struct{ member, header string }

var costHeaders = []costHeader{{"credits_used", "x-aimlapi-credits-used"}, {"usd_spent", "x-aimlapi-usd-spent"}}

// costs returns what a response says about the cost, by member and header name.
func (c *call) costs() map[string]any {
	costs := map[string]any{}
	for _, h := range costHeaders {
		costs[h.member] = c.response.Usage[h.member]
		value := c.header.Get(h.header)
		if f, err := strconv.ParseFloat(value, 64); err == nil {
			costs[h.header] = f
		} else if value != "" {
			costs[h.header] = value
		}
	}
	return costs
}

// cost rejects some costs.
func cost(want string, wrong func(float64) bool) func(*observation, *call) []problem {
	return func(_ *observation, c *call) []problem {
		for name, cost := range c.costs() {
			if f, ok := cost.(float64); ok && wrong(f) {
				return because("expected %s with the status %q; received %s %v", want, c.response.Status, name, cost)
			}
		}
		return nil
	}
}

func costStays(o *observation, c *call) []problem {
	for _, before := range append([]*call{o.end()}, o.after...) {
		if before == c {
			break
		}
		for name, cost := range before.costs() {
			if now := c.costs()[name]; cost != nil && now != nil && cost != now {
				return because("expected %s %v, as before; received %v", name, cost, now)
			}
		}
	}
	return nil
}

func costAsInBody(_ *observation, c *call) []problem {
	costs := c.costs()
	for _, h := range costHeaders {
		if costs[h.member] != nil && costs[h.header] != nil && costs[h.member] != costs[h.header] {
			return because("expected %s %v, as in the body; received %v", h.header, costs[h.member], costs[h.header])
		}
	}
	return nil
}
