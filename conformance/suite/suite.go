// Package suite checks any server against the specs: a simulator, a mock, a proxy or the live API. It sends requests that
// the specs accept and requests that they reject, follows generations from submission to result, and reports every
// difference.
//
//	report, err := suite.Run(ctx, suite.Config{Target: "http://127.0.0.1:8080", Key: "k", Spend: -1})
//	if err != nil {
//		return err // the target can't be reached, or the run was interrupted
//	}
//	if !report.OK() {
//		return report.WriteSummary(os.Stderr)
//	}
//
// Cases are data: some are written by hand (cases/*.yaml), most are derived from the schemas (each bound, enum value,
// required property and JSON type). Rules are Go code and check a generation over time and the headers of responses.
//
// Accepted submissions cost money on the live API. See [Config.Spend].
package suite

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Config configures a run.
type Config struct {
	// Target is the base URL of the server, with or without /v1 or /v2.
	Target string
	// InsecureHTTP allows plain HTTP to hosts other than loopback, which exposes the key.
	InsecureHTTP bool
	// Key is the API key.
	Key string
	// HTTPClient sends the requests; http.DefaultClient if nil.
	HTTPClient *http.Client

	// Spend limits the accepted submissions, each of which costs money; a negative limit means no limit. Requests that
	// should be rejected are sent regardless. If one of them is accepted, it counts, and no further submission is sent
	// once the limit is exceeded: a run creates at most Spend+1 jobs.
	//
	// A submission without a response, or with a 5xx, counts as accepted, because a job may have started.
	Spend int
	// Generations are ids of existing generations to follow as well. They cost nothing.
	Generations []string
	// Patience is how long to follow a generation; 10 minutes if zero.
	Patience time.Duration
	// Exact also checks what the specs leave open and the simulator fixes: the status code of each rejection, and error
	// messages that name the JSON pointers of all violations and nothing else.
	Exact bool

	// Run and Skip select cases by name; nil selects all and skips none.
	Run, Skip *regexp.Regexp
	// Deviations are the cases that the target is known to fail.
	Deviations Deviations
	// Progress is called after each case, by one goroutine at a time.
	Progress func(Progress)
}

// Progress reports how far a run is.
type Progress struct {
	Done, Total, Failed int
}

// A SetupError reports that a run couldn't start. It says nothing about the conformance of the target.
type SetupError struct{ Err error }

func (e *SetupError) Error() string { return "conformance: setup: " + e.Err.Error() }

func (e *SetupError) Unwrap() error { return e.Err }

// Run checks the target. It returns a *SetupError and no report if the run can't start, and the context's error beside a
// partial report if the context ends. Failed cases aren't an error: see [Report.OK].
func Run(ctx context.Context, c Config) (*Report, error) {
	base, err := wire.ParseBaseURL(c.Target, c.InsecureHTTP)
	if err != nil {
		return nil, &SetupError{fmt.Errorf("target: %w", err)}
	}
	switch {
	case c.Key == "":
		return nil, &SetupError{errors.New("no API key; mocks accept any")}
	case c.Patience < 0:
		return nil, &SetupError{fmt.Errorf("patience %v is negative", c.Patience)}
	case slices.Contains(c.Generations, ""):
		return nil, &SetupError{errors.New("a generation id is empty")}
	}
	running, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	r := &run{
		config:  c,
		target:  newTarget(base, c, giveUp),
		budget:  newBudget(c.Spend),
		results: map[string]*Result{},
		start:   time.Now(),
	}
	if r.config.Patience == 0 {
		r.config.Patience = 10 * time.Minute
	}
	r.plan()
	if len(r.order) == 0 {
		return nil, &SetupError{errors.New("no case matches")}
	}
	if err := r.target.probe(running); err != nil {
		return nil, &SetupError{r.target.redactor.Error(err)}
	}
	r.observe(running)
	r.sendCases(running)
	r.observing.Wait()
	r.checkUniqueIDs()
	r.applyDeviations()
	return r.report(), ctx.Err()
}

// probe checks that the target responds and accepts the key, and finds out whether it keeps state.
func (t *target) probe(ctx context.Context) error {
	c := t.send(ctx, poll("conformance-00000000-0000-4000-8000-000000000000"))
	switch {
	case c.status == 0:
		return fmt.Errorf("the target can't be reached: %w", c.err)
	case c.status == http.StatusUnauthorized || c.status == http.StatusForbidden:
		return fmt.Errorf("the target rejects the key with %d%s", c.status, quoted(c.response.Message))
	case c.status >= 300 && c.status < 400:
		return fmt.Errorf("the target redirects to %q", c.header.Get("Location"))
	case c.status == http.StatusTooManyRequests:
		return fmt.Errorf("the target responds 429, too many requests, %d times in a row", maxAttempts)
	case c.status >= 502 && c.status <= 504:
		return fmt.Errorf("the target isn't available: it responds %d", c.status)
	case c.status == http.StatusNotFound && !wire.IsJSON(c.header):
		return errors.New("the target isn't the API: it responds 404 without JSON")
	}
	t.stateless = c.accepted()
	return nil
}
