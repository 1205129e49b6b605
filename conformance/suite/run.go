package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// A run is one call of Run.
type run struct {
	config Config
	target *target
	budget *budget
	start  time.Time

	cases        []testCase
	observations []*observation
	order        []*Result // as planned
	observing    sync.WaitGroup

	mu      sync.Mutex
	results map[string]*Result // by name
	done    int
	failed  int
}

// concurrency is how many requests are in flight at once.
const concurrency = 8

// uniqueIDs is the only rule about all submissions together.
const uniqueIDs = "submissions/every-id-is-new"

// plan lists the selected cases and rules.
func (r *run) plan() {
	for _, d := range spec.Models() {
		r.planObservation(&observation{target: r.target, label: d.Slug, document: d})
	}
	for i, id := range r.config.Generations {
		r.planObservation(&observation{target: r.target, label: fmt.Sprintf("generation-%d", i+1), id: id})
	}
	for _, c := range cases() {
		result := &Result{Model: c.Model, Group: c.Group, Source: c.Source, Why: c.Why, Derived: c.Derived, Expected: c.expected(r.config.Exact)}
		if r.add(c.Name, result) {
			r.cases = append(r.cases, c)
		}
	}
	r.add(uniqueIDs, &Result{Group: groupLifecycle, Source: "spec/generation.yaml", Why: "submitting the same request again creates another generation"})
}

func (r *run) planObservation(o *observation) {
	selected := false
	for _, rule := range rules() {
		result := &Result{Group: rule.group, Source: rule.source, Why: rule.why}
		if o.document != nil {
			result.Model = o.label
		} else if rule.submitted {
			continue
		}
		selected = r.add(o.ruleName(rule), result) || selected
	}
	if selected {
		r.observations = append(r.observations, o)
	}
}

// ruleName returns the name of a rule's result for the observed generation.
func (o *observation) ruleName(rule rule) string { return o.label + "/" + rule.group + "/" + rule.name }

func (r *run) add(name string, result *Result) bool {
	if r.config.Run != nil && !r.config.Run.MatchString(name) || r.config.Skip != nil && r.config.Skip.MatchString(name) {
		return false
	}
	result.Name, result.Outcome = name, LeftOut
	r.results[name] = result
	r.order = append(r.order, result)
	return true
}

// finish records the outcome of a case.
func (r *run) finish(name string, outcome Outcome, elapsed time.Duration, problems []string, evidence ...*call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.results[name]
	result.Outcome, result.Elapsed = outcome, elapsed.Seconds()
	result.Problems = r.target.redactor.lines(problems)
	var notes []string
	for _, c := range evidence {
		result.Exchanges = append(result.Exchanges, r.target.redactor.exchange(c, outcome == Failed))
		notes = append(notes, c.texts(conformance.Undocumented)...)
	}
	result.Undocumented = r.target.redactor.lines(notes)
	r.done++
	if outcome == Failed {
		r.failed++
	}
	if r.config.Progress != nil {
		r.config.Progress(Progress{r.done, len(r.order), r.failed})
	}
}

const (
	overLimit   = "the spending limit is reached"
	overspent   = "the spending limit is exceeded: requests that should have been rejected were accepted, or may have been; raise the limit to send the rest"
	interrupted = "the run was interrupted"
)

// abortReason returns why the run has ended early.
func abortReason(ctx context.Context) string {
	if cause := context.Cause(ctx); errors.Is(cause, errBusy) {
		return cause.Error()
	}
	return interrupted
}

// observe submits the generations to observe and follows them in the background.
func (r *run) observe(ctx context.Context) {
	for _, o := range r.observations {
		if o.document != nil {
			if !r.budget.enter(ctx, true) {
				r.leaveOut(ctx, o)
				continue
			}
			o.start(ctx)
			r.budget.leave(o.submit, true)
		}
		r.observing.Go(func() { r.follow(ctx, o) })
	}
}

func (r *run) follow(ctx context.Context, o *observation) {
	o.follow(ctx, r.config.Patience)
	for _, rule := range rules() {
		name := o.ruleName(rule)
		if r.results[name] == nil {
			continue
		}
		start := time.Now()
		v := rule.apply(ctx, o)
		var problems []string
		switch {
		case ctx.Err() != nil:
			v.outcome, problems = LeftOut, []string{abortReason(ctx)}
		case v.text != "":
			problems = []string{v.text}
		}
		r.finish(name, v.outcome, time.Since(start), problems, v.evidence...)
	}
}

// leaveOut records that there was no budget to submit the generation.
func (r *run) leaveOut(ctx context.Context, o *observation) {
	reason := overLimit
	if ctx.Err() != nil {
		reason = abortReason(ctx)
	}
	for _, rule := range rules() {
		if name := o.ruleName(rule); r.results[name] != nil {
			r.finish(name, LeftOut, 0, []string{reason})
		}
	}
}

// sendCases sends the cases. They ask for budget in order, so that the first ones get it.
func (r *run) sendCases(ctx context.Context) {
	free := make(chan struct{}, concurrency)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range r.cases {
		// A known deviation may be accepted although it should be rejected.
		planned := c.Accepted || len(r.config.Deviations.matching(c.Name)) > 0
		costs := c.Request.mayCreateJob()
		free <- struct{}{}
		if ctx.Err() != nil || costs && !r.budget.enter(ctx, planned) {
			<-free
			reason := overLimit
			if ctx.Err() != nil {
				reason = abortReason(ctx)
			} else if !planned {
				reason = overspent
			}
			r.finish(c.Name, LeftOut, 0, []string{reason})
			continue
		}
		all.Go(func() {
			defer func() { <-free }()
			r.sendCase(ctx, &c, costs, planned)
		})
	}
}

func (r *run) sendCase(ctx context.Context, c *testCase, costs, planned bool) {
	x := r.target.send(ctx, c.Request)
	if costs {
		r.budget.leave(x, planned)
	}
	if ctx.Err() != nil {
		r.finish(c.Name, LeftOut, x.elapsed, []string{abortReason(ctx)})
		return
	}
	problems := r.target.judge(c, x)
	outcome := Passed
	if problems != nil {
		outcome = Failed
	}
	r.finish(c.Name, outcome, x.elapsed, problems, x)
}

// checkUniqueIDs compares the ids of all submissions.
func (r *run) checkUniqueIDs() {
	if r.results[uniqueIDs] == nil {
		return
	}
	r.target.mu.Lock()
	defer r.target.mu.Unlock()
	accepted := 0
	var problems []string
	for id, n := range r.target.ids {
		accepted += n
		if n > 1 {
			problems = append(problems, fmt.Sprintf("%d submissions have the id %q", n, id))
		}
	}
	switch {
	case r.target.stateless:
		r.finish(uniqueIDs, NotApplicable, 0, []string{"the target is stateless"})
	case problems != nil:
		r.finish(uniqueIDs, Failed, 0, problems)
	case accepted < 2:
		r.finish(uniqueIDs, NotApplicable, 0, []string{"fewer than two submissions were accepted"})
	default:
		r.finish(uniqueIDs, Passed, 0, nil)
	}
}
