package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/spec"
)

// A run is one call of Run.
type run struct {
	config  Config
	target  *target
	budget  *budget
	excuses excuses
	start   time.Time

	cases        []testCase
	observations []*observation
	order        []*Result // as planned
	observing    sync.WaitGroup
	aborted      string // why the run ended early

	mu      sync.Mutex
	results map[string]*Result // by name
	done    int
	failed  int
	waiting int
}

// uniqueIDs is the only rule about all submissions together.
const uniqueIDs = "submissions/every-id-is-new"

// newRun returns a run with the selected cases and rules.
func newRun(c Config, t *target) *run {
	r := &run{config: c, target: t, budget: newBudget(c.Spend), excuses: c.Deviations.compile(), results: map[string]*Result{}, start: time.Now()}
	for _, d := range spec.Models() {
		r.planObservation(&observation{target: r.target, label: d.Slug, document: d})
	}
	for i, id := range r.config.Generations {
		r.planObservation(&observation{target: r.target, label: fmt.Sprintf("generation-%d", i+1), id: id})
	}
	for _, c := range interleave(cases()) {
		result := &Result{Model: c.Model, Group: c.Group, Source: c.Source, Why: c.Why, Derived: c.Derived, Expected: c.expected(r.config.Strictness)}
		if r.add(c.Name, result) {
			r.cases = append(r.cases, c)
		}
	}
	r.add(uniqueIDs, &Result{Group: groupLifecycle, Source: "spec/generation.yaml", Why: "submitting the same request again creates another generation"})
	return r
}

// interleave takes one case of each model in turn, so that a budget serves them alike.
func interleave(list []testCase) []testCase {
	turns, turn := map[string]int{}, map[string]int{} // by name, by model
	for _, c := range list {
		turns[c.Name] = turn[c.Model]
		turn[c.Model]++
	}
	return slices.SortedStableFunc(slices.Values(list), func(a, b testCase) int { return turns[a.Name] - turns[b.Name] })
}

func (r *run) planObservation(o *observation) {
	add := func(name string, result Result) {
		if o.document != nil {
			result.Model = o.label
		}
		name = o.resultName(result.Group, name)
		if r.add(name, &result) {
			o.results = append(o.results, name)
		}
	}
	for _, rule := range rules() {
		if o.document != nil || !rule.submitted {
			add(rule.name, Result{Group: rule.group, Source: rule.source(), Why: rule.why})
		}
	}
	for _, c := range knownCases() {
		add(c.Name, Result{Group: c.Group, Source: c.Source, Why: c.Why, Expected: c.expected(r.config.Strictness)})
	}
	if o.results != nil {
		r.observations = append(r.observations, o)
	}
}

// resultName returns the name of a result about the observed generation.
func (o *observation) resultName(group, name string) string {
	return o.label + "/" + group + "/" + name
}

func (r *run) add(name string, result *Result) bool {
	c := &r.config
	switch {
	case c.Run != nil && !c.Run.MatchString(name), c.Skip != nil && c.Skip.MatchString(name):
		return false
	case c.Models != nil && !slices.Contains(c.Models, result.Model) && !strings.HasPrefix(name, "generation-"):
		return false
	}
	result.Name, result.Outcome = name, LeftOut
	r.results[name] = result
	r.order = append(r.order, result)
	return true
}

// execute runs everything.
func (r *run) execute(ctx context.Context) {
	ticking := make(chan struct{})
	var ticker sync.WaitGroup
	ticker.Go(func() { r.tick(ticking) })
	r.observe(ctx)
	r.sendCases(ctx)
	r.observing.Wait()
	close(ticking)
	ticker.Wait()
	r.checkUniqueIDs()
	if ctx.Err() != nil {
		r.aborted = abortReason(ctx)
	}
	r.applyDeviations()
}

// tick reports progress once a second, so that waiting is visible.
func (r *run) tick(done <-chan struct{}) {
	if r.config.Progress == nil {
		return
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.mu.Lock()
			r.progress()
			r.mu.Unlock()
		case <-done:
			return
		}
	}
}

// progress calls Progress. The caller holds mu.
func (r *run) progress() {
	if r.config.Progress == nil {
		return
	}
	p := Progress{Done: r.done, Total: len(r.order), Failed: r.failed, Waiting: r.waiting}
	if r.waiting > 0 {
		p.Patience = max(0, r.config.Patience-time.Since(r.start))
	}
	r.config.Progress(p)
}

// finish records the verdict of a case. If the run has ended, the case was left out.
func (r *run) finish(ctx context.Context, name string, v verdict, elapsed time.Duration) {
	if ctx.Err() != nil {
		v = leftOut(abortReason(ctx))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	result := r.results[name]
	result.Outcome, result.Elapsed = v.outcome, elapsed.Seconds()
	var texts []string
	if v.reason != "" {
		texts = []string{v.reason}
	}
	for _, p := range v.problems {
		texts = append(texts, p.text)
		if !slices.Contains(result.Rules, p.rule) {
			result.Rules = append(result.Rules, p.rule)
		}
	}
	var soft bool
	if result.Inference, soft = inferred(result.Rules); soft && v.outcome == Failed && r.config.Strictness == Lenient {
		result.Outcome = Inferred
	}
	result.Problems = r.target.redactor.lines(texts)
	var notes []string
	for _, c := range v.evidence {
		result.Exchanges = append(result.Exchanges, r.target.exchange(c, v.outcome == Failed))
		notes = append(notes, c.notes()...)
	}
	result.Undocumented = r.target.redactor.lines(notes)
	r.done++
	if result.Outcome == Failed && r.excuses.excusing(result.Name, result.Rules...) == nil {
		r.failed++
		if r.config.FailFast {
			r.target.abort(errFailFast)
		}
	}
	r.progress()
}

const (
	overLimit   = "the spending limit is reached"
	overspent   = "the spending limit is exceeded: requests that should have been rejected were accepted, or may have been; raise the limit to send the rest"
	interrupted = "the run was interrupted"
)

var errFailFast = errors.New("the run ended after the first failure")

func leftOut(reason string) verdict { return verdict{outcome: LeftOut, reason: reason} }

// abortReason returns why the run has ended early.
func abortReason(ctx context.Context) string {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause.Error()
	}
	return interrupted
}

// observe submits the generations to observe, and follows them in the background.
func (r *run) observe(ctx context.Context) {
	for _, o := range r.observations {
		if o.document != nil && !r.budget.enter(ctx, true) {
			for _, name := range o.results {
				r.finish(ctx, name, leftOut(overLimit), 0)
			}
			continue
		}
		r.observing.Go(func() {
			if o.document != nil {
				o.start(ctx)
				r.budget.leave(o.submit, true)
			}
			r.follow(ctx, o)
		})
	}
}

func (r *run) follow(ctx context.Context, o *observation) {
	r.wait(1)
	o.follow(ctx, r.config.Patience)
	r.wait(-1)
	judge := func(group, name string, apply func() verdict) {
		if name = o.resultName(group, name); r.results[name] == nil {
			return
		}
		start := time.Now()
		v := apply()
		r.finish(ctx, name, v, time.Since(start))
	}
	for _, rule := range rules() {
		judge(rule.group, rule.name, func() verdict { return rule.apply(ctx, o) })
	}
	for _, c := range knownCases() {
		judge(c.Group, c.Name, func() verdict { return o.send(ctx, c) })
	}
}

func (r *run) wait(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting += n
}

// sendCases sends the cases. They ask for budget in order, so that the first ones get it.
func (r *run) sendCases(ctx context.Context) {
	missing := r.missingAccount(ctx)
	free := make(chan struct{}, r.config.Concurrency)
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range r.cases {
		if reason := r.inapplicable(&c, missing); reason != "" {
			r.finish(ctx, c.Name, verdict{outcome: NotApplicable, reason: reason}, 0)
			continue
		}
		planned := c.Accepted || r.mayAccept(&c)
		costs := c.Request.mayCreateJob()
		free <- struct{}{}
		if ctx.Err() != nil || costs && !r.budget.enter(ctx, planned) {
			<-free
			reason := overLimit
			if !planned {
				reason = overspent
			}
			r.finish(ctx, c.Name, leftOut(reason), 0)
			continue
		}
		all.Go(func() {
			defer func() { <-free }()
			r.sendCase(ctx, &c, costs, planned)
		})
	}
}

// inapplicable returns why a case can't be sent, or "".
func (r *run) inapplicable(c *testCase, missing []string) string {
	switch {
	case c.Request.sendsKey(r.target.key):
		return sameKey
	case slices.Contains(missing, c.Request.Path):
		return noAccount
	}
	return ""
}

// mayAccept reports whether the target may accept a case that should be rejected: an open one, one by a rule that the run
// only reports, or a known deviation.
func (r *run) mayAccept(c *testCase) bool {
	s := r.config.Strictness
	return c.Open && s < Exact || inferences[c.Rule].soft && s == Lenient || r.excuses.excusing(c.Name, c.Rule) != nil
}

func (r *run) sendCase(ctx context.Context, c *testCase, costs, planned bool) {
	x := r.target.send(ctx, c.Request)
	if costs {
		r.budget.leave(x, planned)
	}
	r.finish(ctx, c.Name, judged(r.target.judge(c, x), x), x.elapsed)
}

// checkUniqueIDs compares the ids of all submissions.
func (r *run) checkUniqueIDs() {
	if r.results[uniqueIDs] == nil {
		return
	}
	r.target.mu.Lock()
	defer r.target.mu.Unlock()
	accepted := 0
	v := verdict{outcome: Passed}
	for id, n := range r.target.ids {
		accepted += n
		if n > 1 {
			v.outcome = Failed
			v.problems = append(v.problems, problem{"unique-ids", fmt.Sprintf("expected an id for each submission; received %q for %d of them", id, n)})
		}
	}
	if r.target.stateless {
		v = verdict{outcome: NotApplicable, reason: "the target is stateless"}
	} else if accepted < 2 {
		v = verdict{outcome: NotApplicable, reason: "fewer than two submissions were accepted"}
	}
	r.finish(context.Background(), uniqueIDs, v, 0)
}
