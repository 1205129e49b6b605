package suite_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec"
)

// A conforming target creates at most as many jobs as the limit. Cases left out are listed and not passed.
func TestSpend(t *testing.T) {
	for _, limit := range []int{0, 1, 7} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := simulator.New(simulator.WithKey(goodKey))
				c := served(sim)
				c.Spend = limit
				c.Skip = regexp.MustCompile("^(animate-replace|vace-fun-pose)/|/pairs/|/name-|0000-|-case") // for speed
				report := run(t, t.Context(), c)
				if created := sim.Ledger().Created; created != limit || report.Spending.Accepted != limit || report.Spending.Limit != limit || report.Spending.Unexpected != 0 {
					t.Errorf("%d jobs were created, the report says %+v, the limit is %d", created, report.Spending, limit)
				}
				if !report.OK() || report.Counts[suite.LeftOut] == 0 || report.Counts[suite.Failed] != 0 {
					t.Errorf("%v", report.Counts)
				}
				// The first cases in order are sent, and all that cost nothing.
				verdicts := map[string]bool{}
				for _, one := range suite.Cases() {
					verdicts[one.Name] = one.Accepted && one.Request.Method == http.MethodPost
				}
				leftOut := false
				for _, r := range report.Results {
					accepted, data := verdicts[r.Name]
					switch {
					case !data:
					case !accepted && r.Outcome != suite.Passed:
						t.Errorf("%s costs nothing, but is %s", r.Name, r.Outcome)
					case accepted && leftOut && r.Outcome != suite.LeftOut:
						t.Errorf("%s is %s, but an earlier case was left out", r.Name, r.Outcome)
					case r.Outcome == suite.LeftOut:
						leftOut = true
					}
				}
				if text := summary(t, report); !strings.Contains(text, fmt.Sprintf("%d accepted of a limit of %d", limit, limit)) ||
					!strings.Contains(text, fmt.Sprintf("left out, %d: the spending limit is reached", report.Counts[suite.LeftOut])) {
					t.Error(text)
				}
				if followed := result(t, report, "animate-move/lifecycle/final-stays").Outcome == suite.Passed; followed != (limit > 0) {
					t.Errorf("a generation was followed: %t", followed)
				}
			})
		})
	}
}

// A budget serves the models alike.
func TestSpendIsShared(t *testing.T) {
	c := served(simulator.New(simulator.WithKey(goodKey)))
	c.Spend = 10 * len(spec.Models())
	c.Skip = regexp.MustCompile("lifecycle|headers|/http/|/auth/")
	accepted := map[string]int{}
	verdicts := map[string]bool{}
	for _, one := range suite.Cases() {
		verdicts[one.Name] = one.Accepted
	}
	for _, r := range run(t, t.Context(), c).Results {
		if r.Outcome == suite.Passed && verdicts[r.Name] {
			accepted[r.Model]++
		}
	}
	for _, d := range spec.Models() {
		if n := accepted[d.Slug]; n < 5 {
			t.Errorf("%s: %d accepted cases of a budget of %d: %v", d.Slug, n, c.Spend, accepted)
		}
	}
}

// A server that accepts what it should reject exceeds the limit by one job at most.
func TestSpendOnLaxServer(t *testing.T) {
	lax := onRequest(func(m map[string]any) {
		for name, value := range m {
			if value == nil {
				delete(m, name)
			}
		}
	})
	for _, limit := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			sim := simulator.New(simulator.WithKey(goodKey))
			c := served(lax(sim))
			c.Spend = limit
			c.Run = regexp.MustCompile("/(null|its-number-in-a-string|example)$")
			report := run(t, t.Context(), c)
			if created := sim.Ledger().Created; created != limit+1 || report.Spending.Accepted != limit+1 || report.Spending.Unexpected < 1 || report.OK() {
				t.Errorf("with a limit of %d, %d jobs were created, the report says %+v", limit, created, report.Spending)
			}
			text := summary(t, report)
			if !strings.Contains(text, "which a run exceeds by at most one") || !strings.Contains(text, "should have been rejected") || !strings.Contains(text, "the spending limit is exceeded") {
				t.Error(text)
			}
		})
	}
}

// Jobs created at another path, or behind a 5xx, count.
func TestSpendOnOddServers(t *testing.T) {
	for _, test := range []struct {
		name  string
		cases string
		wrap  func(sim *simulator.Simulator) http.Handler
		want  suite.Spending // with a limit of 0
	}{
		{"accepts submissions anywhere", "/http/(post-elsewhere|content-type-text)$|/null$", func(sim *simulator.Simulator) http.Handler {
			return onHeader(func(r *http.Request) { r.URL.Path = path })(sim)
		}, suite.Spending{Accepted: 1, Unexpected: 1}},
		{"accepts other methods", "/http/(put|patch)$|/null$", func(sim *simulator.Simulator) http.Handler {
			return onHeader(func(r *http.Request) {
				if r.Method == http.MethodPut {
					body := `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`
					r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader(body)), int64(len(body))
				}
			})(sim)
		}, suite.Spending{Accepted: 1, Unexpected: 1}},
		{"starts a job and responds 500", "/null$", func(sim *simulator.Simulator) http.Handler {
			return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
				if a.Code == 400 {
					submitFailing(t, sim)
					problem(a, 500, "Internal server error")
				}
			})(sim)
		}, suite.Spending{Accepted: 1, Unexpected: 1, Unknown: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sim := simulator.New(simulator.WithKey(goodKey))
			c := served(test.wrap(sim))
			c.Spend = 0
			c.Run = regexp.MustCompile(test.cases)
			report := run(t, t.Context(), c)
			if created := sim.Ledger().Created; created != 1 || report.Spending != test.want || report.Counts[suite.Failed] != 1 || report.OK() {
				t.Errorf("%d jobs were created, the report says %+v %v", created, report.Spending, report.Counts)
			}
			if text := summary(t, report); !strings.Contains(text, "the spending limit is exceeded") {
				t.Error(text)
			}
		})
	}
}

// A submission without a response, or with a 5xx, counts as accepted.
func TestSpendOnLostResponses(t *testing.T) {
	for _, test := range []struct {
		effect  simulator.Effect
		cases   string
		created int
		failed  int
	}{
		{simulator.Drop(), "^vace-fun-pose/pairs/seed", 3, 3},
		{simulator.Status(504), "^vace-fun-pose/(pairs/seed|shift/null)", 0, 3},
	} {
		srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{On: simulator.Submit, Effect: test.effect}))
		c := suite.Config{Target: srv.URL, Key: srv.Key, Spend: 3, Run: regexp.MustCompile(test.cases)}
		report := run(t, t.Context(), c)
		if created := srv.Ledger().Created; created != test.created || report.Spending.Accepted != 3 || report.Spending.Unknown != 3 || report.Counts[suite.Failed] != test.failed {
			t.Errorf("%s: %d jobs were created, the report says %+v %v", test.effect.Name, created, report.Spending, report.Counts)
		}
	}
}
