package suite_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

func TestStateless(t *testing.T) {
	mock := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"the-example","status":"queued"}`)
	})
	c := served(mock)
	c.Run = regexp.MustCompile("lifecycle|every-id")
	c.Strictness = suite.Lenient
	c.Patience = time.Second
	report := run(t, t.Context(), c)
	if !report.Stateless {
		t.Error("the target isn't reported as stateless")
	}
	for _, r := range report.Results {
		want := suite.NotApplicable
		if strings.HasSuffix(r.Name, "/submission-response") || strings.HasSuffix(r.Name, "/responses-match") || strings.HasSuffix(r.Name, "/cost-not-negative") {
			want = suite.Passed
		}
		if r.Outcome != want {
			t.Errorf("%s: %s %s, want %s", r.Name, r.Outcome, r.Problems, want)
		}
	}
	if !strings.Contains(summary(t, report), "stateless") {
		t.Error(summary(t, report))
	}
}

func TestGivenGenerations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.WithKey(goodKey))
		failed := submitFailing(t, sim)
		time.Sleep(time.Minute)
		c := served(sim)
		c.Spend = 0
		c.Generations = []string{failed, "no-such-id"}
		c.Run = regexp.MustCompile("^generation-")
		report := run(t, t.Context(), c)
		for name, want := range map[string]suite.Outcome{
			"generation-1/lifecycle/error-has-reason":     suite.Passed,
			"generation-1/lifecycle/failed-costs-nothing": suite.Passed,
			"generation-1/lifecycle/completed-has-url":    suite.NotApplicable,
			"generation-1/lifecycle/legal-order":          suite.NotApplicable,
			"generation-1/http/id-and-more":               suite.Passed,
			"generation-2/lifecycle/known-at-once":        suite.Failed,
			"generation-2/lifecycle/comes-to-an-end":      suite.Failed,
			"generation-2/lifecycle/error-has-reason":     suite.NotApplicable,
			"generation-2/lifecycle/responses-match":      suite.Failed,
			"generation-2/lifecycle/id-unchanged":         suite.NotApplicable,
			"generation-2/headers/content-type":           suite.NotApplicable,
		} {
			if r := result(t, report, name); r.Outcome != want {
				t.Errorf("%s: %s %s, want %s", name, r.Outcome, r.Problems, want)
			}
		}
		if created := sim.Ledger().Created; created != 1 {
			t.Errorf("%d jobs were created", created-1)
		}
	})
}

// A poll that takes longer than the patience leaves nothing to show.
func TestNoResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := served(hanging(func(r *http.Request) bool { return r.URL.Query().Get("generation_id") == "x" }))
		c.Generations, c.Patience, c.Run = []string{"x"}, time.Second, regexp.MustCompile("^generation-1/lifecycle/")
		report := run(t, t.Context(), c)
		if r := result(t, report, "generation-1/lifecycle/comes-to-an-end"); r.Outcome != suite.Failed || r.Exchanges != nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestNoInferenceID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := served(withoutHeader("X-Inference-Id")(simulator.New(simulator.WithKey(goodKey))))
		c.Run = regexp.MustCompile("^animate-move/headers/inference-id$")
		if r := run(t, t.Context(), c).Results[0]; r.Outcome != suite.NotApplicable {
			t.Errorf("%s %s", r.Outcome, r.Problems)
		}
	})
}

// Half of an id of fewer than 16 characters may be the id of another generation.
func TestShortIDs(t *testing.T) {
	for length, want := range map[int]suite.Outcome{15: suite.NotApplicable, 16: suite.Passed} {
		synctest.Test(t, func(t *testing.T) {
			c := served(renamedIDs(func(n int) string { return fmt.Sprintf("%0*d", length, n) })(simulator.New(simulator.WithKey(goodKey))))
			c.Run = regexp.MustCompile("^animate-move/http/id-cut$")
			if r := run(t, t.Context(), c).Results[0]; r.Outcome != want {
				t.Errorf("%d characters: %s %s", length, r.Outcome, r.Problems)
			}
		})
	}
}

func TestNoPoll(t *testing.T) {
	for _, test := range []struct {
		name, ends string
		wrap       func(http.Handler) http.Handler
		want       map[string]suite.Outcome
	}{
		{"no response", `received "" after 10 polls`, on(is(http.MethodGet), 404, "application/json", `{"message":"Generation not found","statusCode":404}`), map[string]suite.Outcome{
			"lifecycle/responses-match": suite.Failed, "lifecycle/comes-to-an-end": suite.Failed,
			"lifecycle/legal-order": suite.NotApplicable, "lifecycle/final-stays": suite.NotApplicable,
		}},
		{"foreign words", "expected a final status beside the result", onMembers(http.MethodGet, 200, func(m map[string]any) { m["status"] = "dreaming" }), map[string]suite.Outcome{
			"lifecycle/legal-order": suite.NotApplicable, "lifecycle/comes-to-an-end": suite.Failed,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := served(onMembers(http.MethodPost, 200, func(m map[string]any) { m["status"] = "dozing" })(test.wrap(simulator.New(simulator.WithKey(goodKey)))))
				c.Patience = time.Minute
				c.Run = regexp.MustCompile("^animate-move/lifecycle/")
				report := run(t, t.Context(), c)
				if r := result(t, report, "animate-move/lifecycle/comes-to-an-end"); !strings.Contains(r.Problems[0], test.ends) {
					t.Errorf("%q, want %q", r.Problems, test.ends)
				}
				for name, want := range test.want {
					if r := result(t, report, "animate-move/"+name); r.Outcome != want {
						t.Errorf("%s: %s %s, want %s", name, r.Outcome, r.Problems, want)
					}
				}
			})
		})
	}
}

func TestVideoTypes(t *testing.T) {
	const head = "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"
	for video, want := range map[string]string{
		head + "\x00\x00\x00\x08moov\x00\x00\x00\x0cmdatdata": "",
		"\x1aE\xdf\xa3\x87B\x82\x84webm\x18S\x80g\x80":        "",
		head: "expected a whole video; received 20 bytes without",
		head + "\x00\x00\x00\x08moov\x00\x00\x10\x00mdatdata": "expected a whole video; received 40 bytes without",
		"\x89PNG\r\n\x1a\n":      "expected a whole video; received 8 bytes of image/png",
		"{\"message\":\"gone\"}": "expected a whole video; received 18 bytes of application/json",
		"":                       "expected a whole video; received 0 bytes of text/plain",
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := served(on(download, 200, "video/mp4", video)(simulator.New(simulator.WithKey(goodKey))))
				c.Run = regexp.MustCompile("^animate-move/lifecycle/url-serves-a-video$")
				if r := run(t, t.Context(), c).Results[0]; !strings.HasPrefix(strings.Join(r.Problems, ""), want) || (r.Outcome == suite.Passed) != (want == "") {
					t.Errorf("%q: %s %s, want %s", video, r.Outcome, r.Problems, want)
				}
			})
		})
	}
}
