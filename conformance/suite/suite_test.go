package suite_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

func run(t *testing.T, ctx context.Context, c suite.Config) *suite.Report {
	t.Helper()
	report, err := suite.Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// served returns a configuration for a handler in this process, without a spending limit.
func served(handler http.Handler) suite.Config {
	return suite.Config{Target: "http://localhost", Key: goodKey, Spend: -1, Strictness: suite.Exact, HTTPClient: &http.Client{Transport: handlerTransport{handler}}}
}

func result(t *testing.T, report *suite.Report, name string) *suite.Result {
	t.Helper()
	i := slices.IndexFunc(report.Results, func(r *suite.Result) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("there is no case %s", name)
	}
	return report.Results[i]
}

func summary(t *testing.T, report *suite.Report) string {
	t.Helper()
	var b strings.Builder
	if err := report.WriteSummary(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A failed setup is an error without a report.
func TestSetup(t *testing.T) {
	sim := simulator.New(simulator.WithKey(goodKey))
	responding := func(status int, contentType, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Location", "https://elsewhere.example.com/?key="+goodKey)
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		})
	}
	for _, test := range []struct {
		name   string
		config suite.Config
		want   string
	}{
		{"no target", suite.Config{Key: "k"}, "target: "},
		{"plain http", suite.Config{Target: "http://example.com", Key: "k"}, "target: "},
		{"no key", suite.Config{Target: "http://localhost"}, "no API key"},
		{"no id", suite.Config{Target: "http://localhost", Key: "k", Generations: []string{"x", ""}}, "a generation id is empty"},
		{"no patience", suite.Config{Target: "http://localhost", Key: "k", Patience: -1}, "patience -1ns is negative"},
		{"no case", func() suite.Config { c := served(sim); c.Run = regexp.MustCompile("^no-such-case$"); return c }(), "no case matches"},
		{"all skipped", func() suite.Config { c := served(sim); c.Skip = regexp.MustCompile(""); return c }(), "no case matches"},
		{"unreachable", suite.Config{Target: "http://127.0.0.1:1", Key: "k"}, "the target can't be reached: dial tcp 127.0.0.1:1"},
		{"wrong key", func() suite.Config { c := served(sim); c.Key = "another"; return c }(), "the target rejects the key with 401"},
		{"out of credits", served(responding(403, "application/json", `{"message":"You've run out of credits","statusCode":403}`)), "run out of credits"},
		{"redirect", served(responding(302, "text/html", "")), `the target redirects to "https://elsewhere.example.com/?..."`},
		{"key in the message", served(responding(403, "application/json", `{"message":"no \u001b[31m`+goodKey+`","statusCode":403}`)), `with 403: "no \x1b[31m[API key]"`},
		{"gateway", served(responding(502, "text/html", "<h1>")), "the target isn't available: it responds 502"},
		{"another server", served(responding(404, "text/html", "<h1>Not Found</h1>")), "the target isn't the API"},
	} {
		t.Run(test.name, func(t *testing.T) {
			report, err := suite.Run(t.Context(), test.config)
			setup := (*suite.SetupError)(nil)
			if report != nil || !errors.As(err, &setup) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), goodKey) {
				t.Errorf("%v %v, want %q", report, err, test.want)
			}
		})
	}
}

// A run without a sent case fails.
func TestNothingSent(t *testing.T) {
	c := served(simulator.New())
	c.Spend = 0
	c.Run = regexp.MustCompile("^animate-move/everything$")
	report := run(t, t.Context(), c)
	if report.OK() || report.Ran() != 0 || report.Counts[suite.LeftOut] == 0 || !strings.Contains(summary(t, report), "FAIL: no case was sent") {
		t.Errorf("%v", report.Counts)
	}
	var junit strings.Builder
	if err := report.WriteJUnit(&junit); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(junit.String(), `<failure message="FAIL: no case was sent"`) {
		t.Error(junit.String())
	}
}

func TestKnownDeviations(t *testing.T) {
	refusing := refuse(func(m map[string]any) bool { return m["prompt"] == "" })
	try := func(t *testing.T, wrap func(http.Handler) http.Handler, d suite.Deviations, cases string) *suite.Report {
		c := served(wrap(simulator.New(simulator.WithKey(goodKey))))
		c.Deviations = d
		if cases != "" {
			c.Run = regexp.MustCompile(cases)
		} else {
			c.Spend = 0 // for speed
		}
		return run(t, t.Context(), c)
	}
	const name = "vace-fun-pose/prompt/empty"
	t.Run("known", func(t *testing.T) {
		report := try(t, refusing, suite.Deviations{name: {Reason: "it wants a prompt"}}, "^"+name+"$")
		if r := result(t, report, name); !report.OK() || r.Outcome != suite.Known || r.Deviation != "it wants a prompt" || r.Problems == nil {
			t.Errorf("%+v", r)
		}
		if text := summary(t, report); !strings.Contains(text, "known deviation, 1: it wants a prompt\n     "+name) {
			t.Error(text)
		}
	})
	t.Run("by pattern", func(t *testing.T) {
		if report := try(t, refusing, suite.Deviations{"*/prompt/empty": {Reason: "r"}}, "^"+name+"$"); !report.OK() {
			t.Error(summary(t, report))
		}
	})
	t.Run("passes", func(t *testing.T) {
		report := try(t, onRequest(func(map[string]any) {}), suite.Deviations{name: {Reason: "it wanted a prompt"}}, "^"+name+"$")
		if r := result(t, report, name); report.OK() || r.Outcome != suite.Failed || !strings.Contains(r.Problems[0], `it passes: remove "`+name+`"`) {
			t.Errorf("%+v", r)
		}
	})
	t.Run("passes by two entries", func(t *testing.T) {
		report := try(t, onRequest(func(map[string]any) {}), suite.Deviations{name: {Reason: "it wanted a prompt"}, "*/empty": {Reason: "so it did"}}, "^"+name+"$")
		if r := result(t, report, name); report.OK() || r.Outcome != suite.Failed || len(r.Problems) != 2 || r.Deviation != "" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("by rule", func(t *testing.T) {
		d := suite.Deviations{"rule:text": {Reason: "it wants a prompt"}}
		report := try(t, refusing, d, "/prompt/(empty|null|one-space)$")
		if r := result(t, report, name); !report.OK() || r.Outcome != suite.Known || r.Deviation != "it wants a prompt" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("by another rule", func(t *testing.T) {
		if report := try(t, refusing, suite.Deviations{"rule:media": {Reason: "r"}}, "^"+name+"$"); report.OK() {
			t.Error(summary(t, report))
		}
	})
	t.Run("flaky", func(t *testing.T) {
		d := suite.Deviations{name: {Reason: "sometimes", Flaky: true}}
		if r := result(t, try(t, refusing, d, "^"+name+"$"), name); r.Outcome != suite.Known {
			t.Errorf("%+v", r)
		}
		if r := result(t, try(t, onRequest(func(map[string]any) {}), d, "^"+name+"$"), name); r.Outcome != suite.Passed {
			t.Errorf("%+v", r)
		}
	})
	t.Run("unknown name", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			report := try(t, func(h http.Handler) http.Handler { return h }, suite.Deviations{"no/such/case": {Reason: "r"}, "rule:no-such-rule": {Reason: "r"}}, "")
			for _, entry := range []string{"no/such/case", "rule:no-such-rule"} {
				if r := result(t, report, "deviations/"+entry); report.OK() || r.Outcome != suite.Failed {
					t.Errorf("%+v", r)
				}
			}
		})
	})
	t.Run("not chosen", func(t *testing.T) {
		report := try(t, func(h http.Handler) http.Handler { return h }, suite.Deviations{"http/put": {Reason: "r"}}, "^"+name+"$")
		if !report.OK() {
			t.Error(summary(t, report))
		}
	})
	t.Run("may be accepted", func(t *testing.T) { // which costs
		sim := simulator.New(simulator.WithKey(goodKey))
		c := served(onRequest(func(m map[string]any) { delete(m, "shift") })(sim))
		c.Deviations = suite.Deviations{"animate-move/shift/null": {Reason: "it takes null"}}
		c.Run = regexp.MustCompile("^animate-move/shift/null$")
		c.Spend = 0
		if report := run(t, t.Context(), c); report.Results[0].Outcome != suite.LeftOut || sim.Ledger().Created != 0 {
			t.Error(summary(t, report))
		}
		c.Spend = 1
		if report := run(t, t.Context(), c); report.Results[0].Outcome != suite.Known || report.Spending != (suite.Spending{Limit: 1, Accepted: 1}) {
			t.Errorf("%+v\n%s", report.Spending, summary(t, report))
		}
	})
}

// After 429 the request is sent again, when the server asks for it.
func TestTooManyRequests(t *testing.T) {
	for _, test := range []struct {
		times      int
		retryAfter string
		want       suite.Outcome
		takes      time.Duration
	}{
		{2, "7", suite.Passed, 14 * time.Second},
		{2, "", suite.Passed, 3 * time.Second},
		{1, "3600", suite.Passed, time.Minute},
		{1, "10000000000", suite.Passed, time.Minute},
		{1, "10000000000000000000000", suite.Passed, time.Minute},
		{1, "soon", suite.Passed, time.Second},
		{100, "1", suite.Failed, 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var posts atomic.Int64
			sim := simulator.New(simulator.WithKey(goodKey))
			c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && int(posts.Add(1)) <= test.times {
					if test.retryAfter != "" {
						w.Header().Set("Retry-After", test.retryAfter)
					}
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				sim.ServeHTTP(w, r)
			}))
			c.Run = regexp.MustCompile("^animate-move/shift/null$")
			began := time.Now()
			report := run(t, t.Context(), c)
			if r := report.Results[0]; r.Outcome != test.want || time.Since(began) != test.takes {
				t.Errorf("%+v: %s %s after %v", test, r.Outcome, r.Problems, time.Since(began))
			}
		})
	}
}

// A target that always responds 429 ends the run.
func TestOnlyTooManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tooMany := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }
		report, err := suite.Run(t.Context(), served(http.HandlerFunc(tooMany)))
		if setup := (*suite.SetupError)(nil); report != nil || !errors.As(err, &setup) || !strings.Contains(err.Error(), "the target responds 429") {
			t.Errorf("%v %v", report, err)
		}
		sim := simulator.New(simulator.WithKey(goodKey))
		posts := 0
		c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				posts++
				tooMany(w, r)
				return
			}
			sim.ServeHTTP(w, r)
		}))
		c.Run, c.Concurrency = regexp.MustCompile("^animate-move/(shift|image_url)/"), 1
		report = run(t, t.Context(), c)
		if report.OK() || !report.Interrupted || posts != 30 {
			t.Errorf("after %d submissions: %v", posts, report.Counts)
		}
		if text := summary(t, report); !strings.Contains(text, "the target responds 429 to 5 consecutive requests, 6 times each") || strings.Contains(text, "PASS") {
			t.Error(text)
		}
	})
}

// An interrupted run fails and lists what was left out.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := served(simulator.New(simulator.WithKey(goodKey)))
	c.Progress = func(p suite.Progress) {
		if p.Done == 100 {
			cancel()
		}
	}
	report, err := suite.Run(ctx, c)
	if !errors.Is(err, context.Canceled) || report == nil || report.OK() || !report.Interrupted {
		t.Fatalf("%v %v", report, err)
	}
	if report.Counts[suite.LeftOut] < 3000 || report.Counts[suite.Failed] != 0 || report.Ran() < 50 {
		t.Errorf("%v", report.Counts)
	}
	if text := summary(t, report); !strings.Contains(text, "the run was interrupted") || strings.Contains(text, "PASS") {
		t.Error(text)
	}
}

func TestProgress(t *testing.T) {
	var last suite.Progress
	c := served(simulator.New(simulator.WithKey(goodKey)))
	c.Run = regexp.MustCompile("^(json|auth)/")
	c.Progress = func(p suite.Progress) {
		if p.Done != last.Done && p.Done != last.Done+1 || p.Failed != 0 {
			t.Errorf("%+v follows %+v", p, last)
		}
		last = p
	}
	report := run(t, t.Context(), c)
	if last.Done != len(report.Results) || last.Total != last.Done {
		t.Errorf("%+v after %d cases", last, len(report.Results))
	}
}

// Unless exact, a target may choose its status codes and messages.
func TestOtherServers(t *testing.T) {
	other := onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 400 || a.Code == 405 {
			replaceResponse(a, 422, "application/problem+json", `{"title":"invalid"}`)
		}
	})
	c := served(other(simulator.New(simulator.WithKey(goodKey))))
	c.Run = regexp.MustCompile("^(json|http|animate-move/shift)/")
	if report := run(t, t.Context(), c); report.OK() {
		t.Error("an exact target passes with other status codes")
	}
	c.Strictness = suite.Lenient
	if report := run(t, t.Context(), c); !report.OK() {
		t.Error(summary(t, report))
	}
}
