package suite_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// hanging responds to some requests never.
func hanging(when func(r *http.Request) bool) http.Handler {
	sim := simulator.New(simulator.WithKey(goodKey))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if when(r) {
			<-r.Context().Done()
			return
		}
		sim.ServeHTTP(w, r)
	})
}

// A target that hangs ends the run with a report, which says so and isn't OK.
func TestHanging(t *testing.T) {
	all := func(*http.Request) bool { return true }
	for _, test := range []struct {
		name   string
		when   func(r *http.Request) bool
		config suite.Config
		takes  time.Duration // at most
		reason string
	}{
		{"from the start", all, suite.Config{}, 2 * time.Minute, "the first request got no response within 2m0s"},
		{"with a timeout", all, suite.Config{Timeout: 5 * time.Second}, 5 * time.Second, "the target hangs"},
		{"with a maximum time", all, suite.Config{MaxTime: 3 * time.Second}, 3 * time.Second, "the run reached its limit of 3s"},
		{"at submissions", is(http.MethodPost), suite.Config{}, 5 * time.Minute, "5 consecutive requests got no response"},
		{"at submissions, one at a time", is(http.MethodPost), suite.Config{Concurrency: 1}, 15 * time.Minute, "5 consecutive requests got no response"},
		{"at polls", is(http.MethodGet), suite.Config{}, 2 * time.Minute, "the target hangs"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := served(hanging(test.when))
				c.Timeout, c.MaxTime, c.Concurrency = test.config.Timeout, test.config.MaxTime, test.config.Concurrency
				start := time.Now()
				report := run(t, t.Context(), c)
				if took := time.Since(start); took > test.takes || report.OK() || !report.Interrupted {
					t.Errorf("after %v: %v", took, report.Counts)
				}
				if text := summary(t, report); !strings.Contains(text, test.reason) || strings.Contains(text, "PASS") || strings.Contains(text, "interrupted") {
					t.Error(text)
				}
			})
		})
	}
}

// Ten seconds for each response would take hours in all.
func TestMaxTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.WithKey(goodKey))
		c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(10 * time.Second) // of the bubble
			sim.ServeHTTP(w, r)
		}))
		start := time.Now()
		report := run(t, t.Context(), c)
		if took := time.Since(start); took < 15*time.Minute || took > 16*time.Minute {
			t.Errorf("it took %v", took)
		}
		if report.OK() || report.Counts[suite.LeftOut] == 0 || !strings.Contains(summary(t, report), "FAIL: the run reached its limit of 15m0s") {
			t.Error(summary(t, report))
		}
	})
}

// What a run does by itself: 8 requests at once, and polls every 10 s at most until the patience of 10 minutes is over.
func TestDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		flight, most := 0, 0
		var polls []time.Time
		sim := simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Timeline{{Status: "queued"}}))
		c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if flight++; r.Header.Get("X-Client-Request-Id") == "" {
				most = max(most, flight)
			} else if is(http.MethodGet)(r) {
				polls = append(polls, time.Now())
			}
			mu.Unlock()
			time.Sleep(time.Millisecond) // of the bubble
			mu.Lock()
			flight--
			mu.Unlock()
			sim.ServeHTTP(w, r)
		}))
		c.Run = regexp.MustCompile("^animate-move/(shift/|lifecycle/comes-to-an-end)")
		start := time.Now()
		run(t, t.Context(), c)
		if took := time.Since(start); took.Round(time.Second) != 10*time.Minute {
			t.Errorf("it took %v", took)
		}
		if most != 8+1 { // and the generation's
			t.Errorf("%d requests at once", most)
		}
		gap := time.Duration(0)
		for i := range polls[1:] {
			gap = max(gap, polls[i+1].Sub(polls[i]))
		}
		if gap.Round(time.Second) != 10*time.Second {
			t.Errorf("%v between two polls", gap)
		}
	})
}

// A video may take five times as long as another response.
func TestSlowDownload(t *testing.T) {
	for takes, want := range map[time.Duration]suite.Outcome{9 * time.Minute: suite.Passed, 11 * time.Minute: suite.Failed} {
		synctest.Test(t, func(t *testing.T) {
			sim := simulator.New(simulator.WithKey(goodKey))
			c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if download(r) {
					time.Sleep(takes) // of the bubble
				}
				sim.ServeHTTP(w, r)
			}))
			c.Run, c.Patience = regexp.MustCompile("^animate-move/lifecycle/url-serves-a-video$"), 14*time.Minute
			if r := run(t, t.Context(), c).Results[0]; r.Outcome != want {
				t.Errorf("%v: %s %s", takes, r.Outcome, r.Problems)
			}
		})
	}
}

func TestFailFast(t *testing.T) {
	c := served(onMembers("POST", 400, func(m map[string]any) { m["message"] = "" })(simulator.New(simulator.WithKey(goodKey))))
	c.FailFast, c.Skip, c.Concurrency = true, regexp.MustCompile("lifecycle|headers"), 1
	report := run(t, t.Context(), c)
	if report.Counts[suite.Failed] != 1 || report.Counts[suite.LeftOut] < 1000 || report.OK() {
		t.Errorf("%v", report.Counts)
	}
	if text := summary(t, report); !strings.Contains(text, "FAIL: 1 of ") || !strings.Contains(text, "the run ended after the first failure") {
		t.Error(text)
	}
}

// The body of a 101 is the connection, which nobody closes.
func TestSwitchingProtocols(t *testing.T) {
	sim := simulator.New(simulator.WithKey(goodKey))
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			sim.ServeHTTP(w, r)
			return
		}
		conn, buffer, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprint(buffer, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		buffer.Flush()
		<-release
	}))
	defer srv.Close()
	defer close(release)
	report := run(t, t.Context(), suite.Config{Target: srv.URL, Key: goodKey, Spend: -1, Run: regexp.MustCompile("^animate-move/shift/null$")})
	if r := report.Results[0]; r.Outcome != suite.Failed || !strings.Contains(r.Problems[0], "101 Switching Protocols") {
		t.Errorf("%s %s", r.Outcome, r.Problems)
	}
}

// A result under a status that isn't final ends the observation at once.
func TestPrematureResult(t *testing.T) {
	for name, change := range map[string]func(m map[string]any){
		"video": func(m map[string]any) { m["status"] = "uploading" },
		"error": func(m map[string]any) {
			m["status"], m["video"], m["error"] = "failed", nil, map[string]any{"name": "n", "message": "m"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := served(onMembers("GET", 200, func(m map[string]any) {
					if m["status"] == "completed" {
						change(m)
					}
				})(simulator.New(simulator.WithKey(goodKey))))
				c.Run = regexp.MustCompile("^animate-move/lifecycle/comes-to-an-end$")
				start := time.Now()
				report := run(t, t.Context(), c)
				r := report.Results[0]
				if took := time.Since(start); took > time.Minute || r.Outcome != suite.Failed || !strings.Contains(r.Problems[0], "expected a final status beside the result") {
					t.Errorf("after %v: %s %s", took, r.Outcome, r.Problems)
				}
			})
		})
	}
}

// A run that waits reports for what, and for how long.
func TestProgressWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []suite.Progress
		c := served(simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Timeline{{Status: "queued"}})))
		c.Run = regexp.MustCompile("^(animate-move|vace-fun-pose)/lifecycle/legal-order$")
		c.Patience = time.Minute
		c.Progress = func(p suite.Progress) { seen = append(seen, p) }
		run(t, t.Context(), c)
		if len(seen) < 59 || seen[10].Waiting != 2 || seen[10].Patience > 50*time.Second || seen[10].Patience < 45*time.Second {
			t.Errorf("%d: %+v", len(seen), seen[:min(len(seen), 12)])
		}
	})
}

// Every wait ends with the context.
func TestCanceledWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		c := served(simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Timeline{{Status: "queued"}})))
		c.Run = regexp.MustCompile("lifecycle")
		start := time.Now()
		report, err := suite.Run(ctx, c)
		if !errors.Is(err, context.Canceled) || time.Since(start) != 5*time.Second || report.OK() {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
