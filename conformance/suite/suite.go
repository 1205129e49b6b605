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
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Config configures a run.
type Config struct {
	// Target is the base URL of the server, with or without /v1 or /v2.
	Target string
	// Name is what reports call the target; its base URL by default, or "handler".
	Name string
	// InsecureHTTP allows plain HTTP to hosts other than loopback, which exposes the key.
	InsecureHTTP bool
	// Key is the API key.
	Key string
	// HTTPClient sends the requests; http.DefaultClient if nil.
	HTTPClient *http.Client

	// Handler is the server instead of Target: it is served on loopback during the run. Its jobs cost nothing, so that a
	// Spend of 0 means no limit. Its key is "test-key" by default.
	Handler http.Handler

	// Spend limits the accepted submissions, each of which costs money; a negative limit means no limit. Requests that
	// should be rejected are sent regardless. If one of them is accepted, it counts, and no further submission is sent
	// once the limit is exceeded: a run creates at most Spend+1 jobs.
	//
	// A submission without a response, or with a 5xx, counts as accepted, because a job may have started.
	Spend int
	// Generations are ids of existing generations to follow as well. They cost nothing.
	Generations []string
	// Strictness is Lenient by default.
	Strictness Strictness

	// Models selects cases by the slugs of their models, Run and Skip by name; nil selects all and skips none.
	Models    []string
	Run, Skip *regexp.Regexp
	// Deviations are the known failures of the target.
	Deviations Deviations

	// MaxTime bounds the run; 15 minutes by default. Timeout bounds a request; 2 minutes by default. Patience is how long
	// to follow a generation; 10 minutes by default.
	MaxTime, Timeout, Patience time.Duration
	// Concurrency is how many requests are in flight at once; 8 by default.
	Concurrency int
	// FailFast ends the run after the first failure.
	FailFast bool
	// Progress is called after each case and once a second while the run waits, by one goroutine at a time.
	Progress func(Progress)
}

// Progress reports how far a run is.
type Progress struct {
	Done, Total, Failed int
	// Waiting is how many generations the run waits for, at most for Patience longer.
	Waiting  int
	Patience time.Duration
}

// A SetupError reports that a run couldn't start. It says nothing about the conformance of the target.
type SetupError struct{ Err error }

func (e *SetupError) Error() string { return "conformance: setup: " + e.Err.Error() }

func (e *SetupError) Unwrap() error { return e.Err }

// Run checks the target. It returns a *SetupError and no report if the run can't start, and the context's error beside a
// partial report if the context ends. A run that takes longer than MaxTime, or whose target stops responding, ends with a
// partial report, which isn't OK. Failed cases aren't an error: see [Report.OK].
func Run(ctx context.Context, c Config) (*Report, error) {
	if c.Handler != nil {
		server := httptest.NewServer(c.Handler)
		defer server.Close()
		c.setHandler(server.URL)
	}
	base, err := wire.ParseBaseURL(c.Target, c.InsecureHTTP)
	if err != nil {
		return nil, &SetupError{fmt.Errorf("target: %w", err)}
	}
	if err := c.complete(); err != nil {
		return nil, &SetupError{err}
	}
	bounded, stop := context.WithTimeoutCause(ctx, c.MaxTime, fmt.Errorf("the run reached its limit of %s", c.MaxTime))
	defer stop()
	running, abort := context.WithCancelCause(bounded)
	defer abort(nil)
	r := newRun(c, newTarget(base, &c, abort))
	if len(r.order) == 0 {
		return nil, &SetupError{errors.New("no case matches")}
	}
	if err := r.target.probe(running); err != nil {
		return nil, &SetupError{r.target.redactor.Error(err)}
	}
	r.execute(running)
	return r.report(), ctx.Err()
}

// List returns the cases that a run with the configuration would send, without a target.
func List(c Config) ([]*Result, error) {
	c.Key = cmp.Or(c.Key, "none")
	if err := c.complete(); err != nil {
		return nil, &SetupError{err}
	}
	return newRun(c, &target{strictness: c.Strictness}).order, nil
}

// setHandler configures a run against a handler at a URL.
func (c *Config) setHandler(url string) {
	c.Target, c.Name, c.Key = url, cmp.Or(c.Name, "handler"), cmp.Or(c.Key, "test-key")
	c.Spend = cmp.Or(c.Spend, -1)
}

// complete checks the configuration and sets defaults.
func (c *Config) complete() error {
	for _, limit := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{{"maximum time", &c.MaxTime, 15 * time.Minute}, {"timeout", &c.Timeout, 2 * time.Minute}, {"patience", &c.Patience, 10 * time.Minute}} {
		if *limit.value < 0 {
			return fmt.Errorf("%s %v is negative", limit.name, *limit.value)
		}
		*limit.value = cmp.Or(*limit.value, limit.def)
	}
	for _, slug := range c.Models {
		if _, ok := spec.BySlug(slug); !ok {
			return fmt.Errorf("unknown model %q: expected one of %s", slug, strings.Join(slugs(), ", "))
		}
	}
	c.Concurrency = cmp.Or(c.Concurrency, 8)
	switch {
	case c.Key == "":
		return errors.New("no API key; mocks accept any")
	case c.Concurrency < 0:
		return fmt.Errorf("concurrency %d is negative", c.Concurrency)
	case c.Strictness < Lenient || c.Strictness > Exact:
		return fmt.Errorf("unknown strictness %d", c.Strictness)
	case slices.Contains(c.Generations, ""):
		return errors.New("a generation id is empty")
	}
	return nil
}

func slugs() (list []string) {
	for _, d := range spec.Models() {
		list = append(list, d.Slug)
	}
	return list
}

// selects reports whether only some cases are selected.
func (c *Config) selects() bool { return c.Run != nil || c.Skip != nil || c.Models != nil }

// probe checks that the target responds and accepts the key, and finds out whether it keeps state.
func (t *target) probe(ctx context.Context) error {
	c := t.send(ctx, poll("conformance-00000000-0000-4000-8000-000000000000"))
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // the run ended, and its report says why
	case c.status == 0 && errors.Is(c.err, context.DeadlineExceeded):
		t.abort(fmt.Errorf("the run was aborted: the target hangs; the first request got no response within %s", t.timeout))
		return nil
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
	case c.status == http.StatusNotFound && !wire.IsJSON(c.header) && !isProblemJSON(c):
		return errors.New("the target isn't the API: it responds 404 without JSON")
	}
	t.stateless = c.accepted()
	return nil
}
