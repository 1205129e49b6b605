// Package suite tries a server against the documents: any server, with one verdict. It sends requests that the documents
// accept and others that they reject, follows generations from submission to result, and reports what differs.
//
//	report, err := suite.Run(ctx, suite.Config{Target: "http://127.0.0.1:8080", Key: "k", Spend: -1})
//	if err != nil {
//		return err // the target can't be reached, or the run was interrupted
//	}
//	if err := report.WriteSummary(os.Stdout); err != nil {
//		return err
//	}
//	if !report.OK() {
//		return errors.New("the target doesn't pass")
//	}
//
// Most cases are data. Those about what is subtle were written by hand (cases/*.yaml); those about what is regular are
// derived from the documents: each bound, each enum, each required property, each JSON type. Rules in Go code are about
// generations over time and about headers.
//
// A submission that is accepted costs money on the live API. See [Config.Spend].
package suite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
)

// A Config says what to try, and how.
type Config struct {
	// Target is the base URL of the server, with or without /v1 or /v2.
	Target string
	// InsecureHTTP allows plain http to other hosts, which then shows them the key.
	InsecureHTTP bool
	// Key is the API key.
	Key string
	// HTTPClient sends the requests; http.DefaultClient if nil.
	HTTPClient *http.Client

	// Spend limits how many submissions may be accepted, each of which is a job that costs money; negative is no limit,
	// for simulators and mocks. What should be rejected is tried without a budget, too. If it is accepted after all, it
	// counts; one more job than the limit can come about in that way, and then no more submissions are sent.
	//
	// A submission whose answer is lost, or is a 5xx, counts like an accepted one: a job may have begun. So a server that
	// stumbles over a body where it should answer 4xx ends the submissions of a run without a budget at the first one,
	// which is a failure; the others are left out. A limit of as many as it stumbles over, or none where jobs cost
	// nothing, tells them all.
	Spend int
	// Generations are ids of generations that there are already. Their lives are looked at, too, which costs nothing.
	Generations []string
	// Patience is how long a generation is followed to its end; 10 minutes if zero.
	Patience time.Duration
	// Exact asks for what the documents leave open but the simulator keeps: which 4xx status rejects what, and messages
	// that name the JSON pointers of all that is wrong and of nothing else.
	Exact bool

	// Run and Skip choose cases by name; nil is all and none.
	Run, Skip *regexp.Regexp
	// Deviations are the cases that the target is known to fail.
	Deviations Deviations
	// Progress is called after each case, from one goroutine at a time.
	Progress func(Progress)
}

// Progress tells how far a run is.
type Progress struct {
	Done, Total, Failed int
}

// A SetupError says that a run couldn't begin. Nothing is known about the target.
type SetupError struct{ Err error }

func (e *SetupError) Error() string { return "conformance: set-up: " + e.Err.Error() }

func (e *SetupError) Unwrap() error { return e.Err }

// Run tries the target. The error is a *SetupError if the run couldn't begin: then there is no report. A run that the
// context ends returns the context's error beside a report, in which the rest is left out. In a run that is given up, since
// the target answers 429 to one request after another, the rest is left out, too, and the target hasn't passed. Failures
// are no error: see [Report.OK].
func Run(ctx context.Context, c Config) (*Report, error) {
	base, err := ParseTarget(c.Target, c.InsecureHTTP)
	if err != nil {
		return nil, &SetupError{fmt.Errorf("target: %w", err)}
	}
	switch {
	case c.Key == "":
		return nil, &SetupError{errors.New("there is no API key; a mock takes any")}
	case c.Patience < 0:
		return nil, &SetupError{fmt.Errorf("the patience is %v; it can't be negative", c.Patience)}
	case slices.Contains(c.Generations, ""):
		return nil, &SetupError{errors.New("the id of a generation is empty")}
	}
	running, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	r := &run{
		config:  c,
		target:  &target{base: base, key: c.Key, http: c.HTTPClient, exact: c.Exact, giveUp: giveUp, ids: map[string]int{}},
		budget:  newBudget(c.Spend),
		results: map[string]*Result{},
		began:   time.Now(),
	}
	if r.target.http == nil {
		r.target.http = http.DefaultClient
	}
	if r.config.Patience == 0 {
		r.config.Patience = 10 * time.Minute
	}
	r.plan()
	if len(r.order) == 0 {
		return nil, &SetupError{errors.New("no case has such a name")}
	}
	if err := r.target.probe(running); err != nil {
		return nil, &SetupError{&redactedError{r.target.line(err.Error()), err}}
	}
	r.observe(running)
	r.try(running)
	r.observing.Wait()
	r.unique()
	r.deviations()
	return r.report(), ctx.Err()
}

// probe finds out whether the target is there, takes the key and holds state.
func (t *target) probe(ctx context.Context) error {
	x := t.send(ctx, poll("conformance-00000000-0000-4000-8000-000000000000"))
	switch {
	case x.status == 0:
		return fmt.Errorf("the target can't be reached: %w", x.err)
	case x.status == http.StatusUnauthorized || x.status == http.StatusForbidden:
		return fmt.Errorf("the target doesn't accept the key: it answers %d%s", x.status, quoted(x.answer().Message))
	case x.status >= 300 && x.status < 400:
		return fmt.Errorf("the target redirects to %q", x.header.Get("Location"))
	case x.status == http.StatusTooManyRequests:
		return fmt.Errorf("the target answers 429, too many requests, %d times in a row", maxAttempts)
	case x.status >= 502 && x.status <= 504:
		return fmt.Errorf("the target isn't at work: it answers %d", x.status)
	case x.status == http.StatusNotFound && !conformance.IsJSON(x.header):
		return errors.New("the target isn't the API: it answers 404, and no JSON")
	}
	t.stateless = x.accepted()
	return nil
}
