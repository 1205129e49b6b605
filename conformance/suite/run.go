package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/spec"
)

// A run is one call of Run.
type run struct {
	config Config
	target *target
	budget *budget
	began  time.Time

	cases        []testCase
	observations []*observation
	order        []*Result // as planned
	observing    sync.WaitGroup

	mu      sync.Mutex
	results map[string]*Result // by name
	done    int
	failed  int
}

// concurrency is how many requests are under way at once.
const concurrency = 8

// uniqueIDs is the only rule about all submissions together.
const uniqueIDs = "submissions/every-id-is-new"

// plan lists the chosen cases.
func (r *run) plan() {
	for _, d := range spec.Models() {
		r.planObservation(&observation{target: r.target, label: d.Slug, document: d})
	}
	for i, id := range r.config.Generations {
		r.planObservation(&observation{target: r.target, label: fmt.Sprintf("generation-%d", i+1), id: id})
	}
	for _, c := range cases() {
		if r.add(c.Name, &Result{Model: c.Model, Group: c.Group, Source: c.Source, Why: c.Why, Derived: c.Derived, Expected: c.expected(r.config.Exact)}) {
			r.cases = append(r.cases, c)
		}
	}
	r.add(uniqueIDs, &Result{Group: Lifecycle, Source: "spec/generation.yaml", Why: "submitting the same request again makes another generation"})
}

func (r *run) planObservation(o *observation) {
	chosen := false
	for _, rule := range rules() {
		result := &Result{Group: rule.group, Source: rule.source, Why: rule.why}
		if o.document != nil {
			result.Model = o.label
		} else if rule.submitted {
			continue
		}
		chosen = r.add(o.rule(rule), result) || chosen
	}
	if chosen {
		r.observations = append(r.observations, o)
	}
}

// rule is the name of a rule about the observed generation.
func (o *observation) rule(rule rule) string {
	return o.label + "/" + string(rule.group) + "/" + rule.name
}

func (r *run) add(name string, result *Result) bool {
	if r.config.Run != nil && !r.config.Run.MatchString(name) || r.config.Skip != nil && r.config.Skip.MatchString(name) {
		return false
	}
	result.Name, result.Outcome = name, LeftOut
	r.results[name] = result
	r.order = append(r.order, result)
	return true
}

// finish notes what became of a case.
func (r *run) finish(name string, outcome Outcome, elapsed time.Duration, problems []string, evidence ...*trip) {
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.results[name]
	result.Outcome, result.Elapsed = outcome, elapsed.Seconds()
	result.Problems = r.target.lines(problems)
	var notes []string
	for _, x := range evidence {
		result.Exchanges = append(result.Exchanges, r.target.record(x, outcome == Failed))
		notes = append(notes, x.undocumented()...)
	}
	result.Undocumented = r.target.lines(notes)
	r.done++
	if outcome == Failed {
		r.failed++
	}
	if r.config.Progress != nil {
		r.config.Progress(Progress{r.done, len(r.order), r.failed})
	}
}

const (
	overLimit   = "the spending limit is used up"
	overspent   = "more was accepted, or may have been, than the spending limit allows, although it should have been rejected; a higher limit goes on"
	interrupted = "the run was interrupted"
)

// ended tells why a run has ended before its time.
func ended(ctx context.Context) string {
	if cause := context.Cause(ctx); errors.Is(cause, errBusy) {
		return cause.Error()
	}
	return interrupted
}

// observe submits the generations that are to be observed and follows them in the background.
func (r *run) observe(ctx context.Context) {
	for _, o := range r.observations {
		if o.document != nil {
			if !r.budget.enter(ctx, true) {
				r.leaveOut(ctx, o, overLimit)
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
		name := o.rule(rule)
		if r.results[name] == nil {
			continue
		}
		began := time.Now()
		v := rule.look(ctx, o)
		var problems []string
		switch {
		case ctx.Err() != nil:
			v.outcome, problems = LeftOut, []string{ended(ctx)}
		case v.text != "":
			problems = []string{v.text}
		}
		r.finish(name, v.outcome, time.Since(began), problems, v.evidence...)
	}
}

func (r *run) leaveOut(ctx context.Context, o *observation, reason string) {
	if ctx.Err() != nil {
		reason = ended(ctx)
	}
	for _, rule := range rules() {
		if name := o.rule(rule); r.results[name] != nil {
			r.finish(name, LeftOut, 0, []string{reason})
		}
	}
}

// try sends the cases. The budget is asked in their order, so that it is the first ones that are tried.
func (r *run) try(ctx context.Context) {
	free := make(chan struct{}, concurrency)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range r.cases {
		// What is known to be accepted against the documents costs as much as what should be.
		planned := c.Accepted || len(r.config.Deviations.names(c.Name)) > 0
		costs := c.Request.submits()
		free <- struct{}{}
		if ctx.Err() != nil || costs && !r.budget.enter(ctx, planned) {
			<-free
			reason := overLimit
			if ctx.Err() != nil {
				reason = ended(ctx)
			} else if !planned {
				reason = overspent
			}
			r.finish(c.Name, LeftOut, 0, []string{reason})
			continue
		}
		all.Go(func() {
			defer func() { <-free }()
			x := r.target.send(ctx, c.Request)
			if costs {
				r.budget.leave(x, planned)
			}
			if ctx.Err() != nil {
				r.finish(c.Name, LeftOut, x.elapsed, []string{ended(ctx)})
				return
			}
			problems := r.target.judge(&c, x)
			outcome := Passed
			if problems != nil {
				outcome = Failed
			}
			r.finish(c.Name, outcome, x.elapsed, problems, x)
		})
	}
}

// unique looks at the ids of all submissions.
func (r *run) unique() {
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
		r.finish(uniqueIDs, NotApplicable, 0, []string{"the target holds no state"})
	case problems != nil:
		r.finish(uniqueIDs, Failed, 0, problems)
	case accepted < 2:
		r.finish(uniqueIDs, NotApplicable, 0, []string{"fewer than two submissions were accepted"})
	default:
		r.finish(uniqueIDs, Passed, 0, nil)
	}
}

// deviations turns the failures that are known, and the successes that are known to be failures.
func (r *run) deviations() {
	used := map[string]bool{}
	for _, result := range r.order {
		outcome := result.Outcome // each entry is about this one, not about what another entry made of it
		for _, entry := range r.config.Deviations.names(result.Name) {
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
		return // the entry may be about what wasn't chosen
	}
	for entry := range r.config.Deviations {
		if !used[entry] {
			r.order = append(r.order, &Result{
				Name: "deviations/" + entry, Group: Lifecycle, Outcome: Failed, Source: "the deviations", Why: "an entry is about a case",
				Problems: []string{"there is no such case: remove it from the deviations"},
			})
		}
	}
}
