package batch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// lines are n lines of one model, which need no local files.
func lines(n int) []Line {
	all := make([]Line, n)
	for i := range all {
		all[i] = Line{CustomID: fmt.Sprintf("shot-%04d", i+1), Body: map[string]any{
			"model": "alibaba/wan2.2-14b-animate-move", "video_url": "https://example.com/dance.mp4", "image_url": fmt.Sprintf("https://example.com/%d.png", i),
		}}
	}
	return all
}

// inMemory runs f in a synctest bubble with a simulator, a client and a batch of n lines.
func inMemory(t *testing.T, n int, f func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string), opts ...simulator.Option) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		sim := simulator.StartInMemory(t, opts...)
		client, err := api.New(api.WithBaseURL(sim.URL), api.WithAPIKey(sim.Key), api.WithHTTPClient(sim.Client()), api.WithRetryWindow(0))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Create(t.Context(), filepath.Join(dir, "batch.db"), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		if added, err := b.Add(t.Context(), slices.Values(lines(n))); err != nil || added != n {
			t.Fatalf("Add = %d, %v", added, err)
		}
		f(t, sim, client, b, dir)
	})
}

func output(dir string) string { return filepath.Join(dir, "{custom_id}.mp4") }

func mustStatus(t *testing.T, b *Batch) *Status {
	t.Helper()
	s, err := b.Status(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fileLines are the lines of a file; none if there is no file.
func fileLines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestRun(t *testing.T) {
	inMemory(t, 10, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		changes := map[State]int{}
		err := b.Run(t.Context(), client, Options{Output: output(dir), OnChange: func(c Change) {
			changes[c.State]++ // one call at a time
			mustStatus(t, b)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[State]int{Submitting: 10, InProgress: 10, Completed: 10, Saved: 10}; !maps.Equal(changes, want) {
			t.Errorf("changes: %v", changes)
		}
		s := mustStatus(t, b)
		if s.RequestCounts != (RequestCounts{Total: 10, Completed: 10}) {
			t.Errorf("counts are %+v", s.RequestCounts)
		}
		if l := sim.Ledger(); l.Created != 10 || l.Charged != 10 {
			t.Errorf("%d created, %d charged", l.Created, l.Charged)
		}
		for _, j := range sim.Ledger().Jobs {
			if !strings.HasPrefix(j.ClientRequestID, "wan:test:shot-") || !strings.HasSuffix(j.ClientRequestID, ":1") {
				t.Errorf("client request id %s", j.ClientRequestID)
			}
		}
		if got := fileLines(t, filepath.Join(dir, ResultsFile)); len(got) != 10 {
			t.Errorf("results: %d lines", len(got))
		}
		if info, err := os.Stat(filepath.Join(dir, "shot-0001.mp4")); err != nil || info.Size() == 0 {
			t.Errorf("no video: %v", err)
		}
		// The same again has nothing to do.
		if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil {
			t.Fatal(err)
		}
		if l := sim.Ledger(); l.Created != 10 {
			t.Errorf("%d created after a second run", l.Created)
		}
	}, simulator.WithTimeline(simulator.Complete(time.Second, 10*time.Second)))
}

func TestLostResponsesAreFound(t *testing.T) {
	const n = 30
	inMemory(t, n, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		if err := b.Run(t.Context(), client, Options{Output: output(dir), Search: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.RequestCounts.Completed != n {
			t.Errorf("%+v", s)
		}
		if l := sim.Ledger(); l.Created != n || l.Charged != n {
			t.Errorf("%d created, %d charged", l.Created, l.Charged)
		}
	}, simulator.WithFaults(simulator.Fault{On: simulator.Submit, Probability: 0.3, Effect: simulator.Drop()}), simulator.WithLogDelay(time.Minute))
}

// With the logs down, a lost submission stays unknown, and no later run sends it again. The user may.
func TestUnknownIsNeverResent(t *testing.T) {
	inMemory(t, 3, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		sim.Inject(simulator.Fault{On: simulator.Logs, Effect: simulator.Status(503)})
		sim.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
		reports := 0
		err := b.Run(t.Context(), client, Options{Output: output(dir), Search: time.Minute, OnChange: func(c Change) {
			if c.CustomID == "" {
				reports++
			}
		}})
		if err != nil || reports != 1 {
			t.Fatalf("%v, reported %d times that the logs are down", err, reports)
		}
		if n, err := b.Retry(t.Context()); n != 1 || err != nil {
			t.Fatalf("Retry = %d, %v", n, err)
		}
		if err := b.Run(t.Context(), client, Options{Output: output(dir), Search: -1}); err != nil { // without a search, it doesn't wait for them
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.States[Unknown] != 1 || s.States[Saved] != 2 || sim.Ledger().Created != 3 {
			t.Fatalf("%+v, %d created", s, sim.Ledger().Created)
		}
		errorLines := fileLines(t, filepath.Join(dir, ErrorsFile))
		if len(errorLines) == 0 || !strings.Contains(errorLines[0], `"state":"unknown"`) || !strings.Contains(errorLines[0], `"id":"wan:test:`) {
			t.Errorf("errors.jsonl: %q", errorLines)
		}
		if n, err := b.Resubmit(t.Context()); n != 1 || err != nil {
			t.Fatalf("Resubmit = %d, %v", n, err)
		}
		if err := b.Run(t.Context(), client, Options{Output: output(dir), MaxUSD: 1, Price: 0.3}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.States[Saved] != 3 || sim.Ledger().Created != 4 || s.USD.Unknown == 0 { // the lost attempt counts
			t.Errorf("%+v, %d created", s, sim.Ledger().Created)
		}
	})
}

// process is a process that runs the batch, as far as the test makes it.
func process(t *testing.T, b *Batch, client *api.Client, name string) *run {
	t.Helper()
	c, err := newClock(b.store, b.id, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := exec(t.Context(), b.db, `UPDATE batch SET concurrency = 8`); err != nil {
		t.Fatal(err)
	}
	return &run{Options: Options{Search: time.Hour, Output: "{custom_id}.mp4"}, batch: b, client: client, clock: c, worker: name, wake: make(chan struct{}, 1), late: t.Context()}
}

// claims returns how many submissions and saves a process claims.
func (r *run) claims(t *testing.T) claimed {
	t.Helper()
	c, err := r.claim(t.Context(), 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A process that dies between claim and response leaves a line that isn't sent again but found.
func TestExpiredLease(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		line := process(t, b, client, "dead").claims(t).submit[0]
		body, err := decodeBody(line.body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Submit(t.Context(), body, api.WithClientRequestID(line.clientRequestID)); err != nil {
			t.Fatal(err)
		}
		if err := b.Run(t.Context(), client, Options{Output: output(dir), Search: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.States[Saved] != 1 || sim.Ledger().Created != 1 {
			t.Errorf("%+v, %d created", s, sim.Ledger().Created)
		}
	})
}

// A process that dies before or during a download leaves a save that another one takes over, also if a third one, which
// submitted the line, lives.
func TestExpiredSave(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, _ string) {
		first, second, third := process(t, b, client, "first"), process(t, b, client, "second"), process(t, b, client, "third")
		first.submit(t.Context(), first.claims(t).submit[0])
		rows, err := b.rows(t.Context(), b.db, `state = 'in_progress'`)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%v, %v", rows, err)
		}
		for first.ring(t.Context(), alarm{rows[0].line, rows[0].generationID}) > 0 {
			time.Sleep(time.Second)
		}
		if c := second.claims(t); len(c.save) != 1 {
			t.Fatalf("%d saves", len(c.save))
		}
		second.held.Store(int64(1), true)
		for _, living := range []*run{second, first} {
			time.Sleep(leaseTime - time.Second)
			if c := third.claims(t); len(c.save) != 0 {
				t.Errorf("a live save was taken over before %s renewed", living.worker)
			}
			living.renew(t.Context())
		}
		time.Sleep(2 * time.Second)
		if c := third.claims(t); len(c.save) != 1 {
			t.Error("a dead save wasn't taken over")
		}
	})
}

// What a submission led to decides what happens to the line.
func TestOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect *simulator.Effect
		state  State
		code   string
	}{
		"accepted":       {nil, InProgress, ""},
		"refused":        {new(simulator.Status(400, "Body validation error")), Rejected, "rejected"},
		"forbidden":      {new(simulator.Status(403, "The model isn't for you")), Rejected, "rejected"},
		"out of credits": {new(simulator.Status(403, "Your balance is used up")), Pending, "out_of_credits"},
		"key":            {new(simulator.Status(401)), Pending, "unauthorized"},
		"rate":           {new(simulator.RetryAfter(429, "7")), Pending, "rate_limited"},
		"server error":   {new(simulator.Status(500)), InProgress, ""}, // it names a generation, and the polls decide
		"lost":           {new(simulator.Drop()), Unknown, "unknown"},
		"gone file":      {nil, Pending, "no_file"},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, _ string) {
				if test.effect != nil {
					sim.Inject(simulator.Fault{On: simulator.Submit, Effect: *test.effect})
				}
				r := process(t, b, client, "one")
				_, r.stop = context.WithCancelCause(t.Context())
				line := r.claims(t).submit[0]
				if name == "gone file" {
					line.body = `{"model":"alibaba/wan2.2-14b-animate-move","image_list":[{"url":{"$file":"/gone","size":1,"sha256":"0"}}]}`
				}
				r.submit(t.Context(), line)
				rows, err := b.rows(t.Context(), b.db, `line = 1`)
				if err != nil || rows[0].state != test.state || rows[0].errorCode != test.code || rows[0].clientRequestID != "wan:test:shot-0001:1" {
					t.Errorf("%+v, %v", rows, err)
				}
				if paused := mustStatus(t, b).Paused != ""; paused != (test.state == Pending && test.effect != nil) {
					t.Errorf("paused: %v", paused)
				}
			})
		})
	}
}

// A response that comes after the lease has expired heals the line, but not one that was resubmitted.
func TestLateResponse(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, _ string) {
		slow := process(t, b, client, "slow")
		line := slow.claims(t).submit[0]
		time.Sleep(leaseTime - time.Second)
		slow.held.Store(line.line, true)
		slow.renew(t.Context())
		time.Sleep(leaseTime - time.Second)
		other := process(t, b, client, "other")
		if other.claims(t); mustStatus(t, b).States[Submitting] != 1 {
			t.Error("a renewed lease has expired")
		}
		time.Sleep(2 * time.Second)
		if other.claims(t); mustStatus(t, b).States[Unknown] != 1 {
			t.Fatal("the lease hasn't expired")
		}
		if ok, err := slow.settle(t.Context(), line, outcome{state: InProgress, generationID: "late"}); !ok || err != nil {
			t.Errorf("settle = %v, %v", ok, err)
		}
		if s := mustStatus(t, b); s.States[InProgress] != 1 {
			t.Errorf("after the response: %+v", s.States)
		}
		if ok, err := slow.settle(t.Context(), line, outcome{state: Rejected}); ok || err != nil {
			t.Errorf("a second settle = %v, %v", ok, err)
		}
		if ok, err := slow.settle(t.Context(), line, outcome{state: InProgress, generationID: "later"}); ok || err != nil {
			t.Errorf("another generation: settle = %v, %v", ok, err)
		}
	})
}

// A process that was suspended between claim and submission sends nothing once the line isn't its own any more.
func TestSuspend(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, _ string) {
		slow, other := process(t, b, client, "slow"), process(t, b, client, "other")
		claimed := slow.claims(t).submit
		time.Sleep(2 * leaseTime)
		if other.claims(t); mustStatus(t, b).States[Unknown] != 2 {
			t.Fatal("the leases haven't expired")
		}
		if n, err := b.Resubmit(t.Context(), claimed[0].customID); n != 1 || err != nil {
			t.Fatalf("Resubmit = %d, %v", n, err)
		}
		if c := other.claims(t); len(c.submit) != 1 {
			t.Fatalf("%d claimed", len(c.submit))
		}
		for _, line := range claimed {
			slow.submit(t.Context(), line)
		}
		if s := mustStatus(t, b); sim.Ledger().Created != 0 || s.States[Submitting] != 1 || s.States[Pending] != 1 {
			t.Errorf("%d created, %+v", sim.Ledger().Created, s.States)
		}
		// Its own live submissions aren't lost by a suspend.
		third := process(t, b, client, "third")
		third.lastClaim = time.Now().Round(0)
		line := third.claims(t).submit[0]
		third.held.Store(line.line, true)
		time.Sleep(2 * leaseTime)
		third.claims(t)
		rows, err := b.rows(t.Context(), b.db, `line = $2`, line.line)
		if err != nil || rows[0].state != Submitting {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

// A 404 is believed only if the API says it again and again, and even then the generation's id isn't given up.
func TestDenied(t *testing.T) {
	t.Parallel()
	t.Run("by a gateway", func(t *testing.T) {
		inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Poll, Times: 10, Effect: simulator.HTML(404)})
			err := b.Run(t.Context(), client, Options{Output: output(dir), OnChange: func(c Change) {
				if c.State == Unknown {
					t.Error("unknown")
				}
			}})
			if s := mustStatus(t, b); err != nil || s.States[Saved] != 1 {
				t.Errorf("%v, %+v", err, s)
			}
		})
	})
	t.Run("by a replica after other errors", func(t *testing.T) {
		inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Poll, Times: 9, Effect: simulator.Status(502)})
			sim.Inject(simulator.Fault{On: simulator.Poll, Times: 1, Effect: simulator.Status(404)})
			err := b.Run(t.Context(), client, Options{Output: output(dir), OnChange: func(c Change) {
				if c.State == Unknown {
					t.Error("unknown")
				}
			}})
			if s := mustStatus(t, b); err != nil || s.States[Saved] != 1 {
				t.Errorf("%v, %+v", err, s)
			}
		})
	})
	t.Run("for long", func(t *testing.T) {
		inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Logs, Effect: simulator.Status(503)})
			sim.Inject(simulator.Fault{On: simulator.Poll, Times: 20, Effect: simulator.Status(404)})
			unknown := false
			err := b.Run(t.Context(), client, Options{Output: output(dir), Search: time.Hour, OnChange: func(c Change) { unknown = unknown || c.State == Unknown }})
			if s := mustStatus(t, b); err != nil || !unknown || s.States[Saved] != 1 || sim.Ledger().Created != 1 {
				t.Errorf("%v, %+v, unknown: %v", err, s, unknown)
			}
		})
	})
}

// The logs may have a refused attempt before the one that was accepted.
func TestRecoverAttempts(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		submit := func(attempt int64) error {
			_, err := client.Submit(t.Context(), lines(1)[0].Body, api.WithClientRequestID(clientRequestID("test", "shot-0001", attempt)))
			return err
		}
		sim.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Status(400)})
		if err := submit(1); err == nil {
			t.Fatal("not refused")
		}
		time.Sleep(3 * time.Minute) // longer than the server keeps an idle connection
		if err := submit(2); err != nil {
			t.Fatal(err)
		}
		if _, _, err := b.Recover(t.Context(), client, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil {
			t.Fatal(err)
		}
		rows, err := b.rows(t.Context(), b.db, `line = 1`)
		if err != nil || rows[0].state != Saved || rows[0].clientRequestID != "wan:test:shot-0001:2" || rows[0].attempt < 100 || sim.Ledger().Created != 1 {
			t.Errorf("%+v, %v, %d created", rows, err, sim.Ledger().Created)
		}
	}, simulator.WithLogDelay(time.Minute))
}

func TestCharged(t *testing.T) {
	for want, usage := range map[float64]api.Usage{0.3: {Credits: new(600000.0)}, 0.21: {Credits: new(1.0), USD: new(0.21)}} {
		if got := charged(usage); got == nil || *got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if charged(api.Usage{}) != nil {
		t.Error("a charge from nothing")
	}
}

// An API that returns one generation for two lines leaves the second one unknown.
func TestDuplicate(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, _ string) {
		r := process(t, b, client, "one")
		for _, line := range r.claims(t).submit {
			if ok, err := r.settle(t.Context(), line, outcome{state: InProgress, generationID: "same"}); !ok || err != nil {
				t.Errorf("settle = %v, %v", ok, err)
			}
		}
		if s := mustStatus(t, b); s.States[InProgress] != 1 || s.States[Unknown] != 1 || s.Failures[0].Error.Code != "duplicate" {
			t.Errorf("%+v", s)
		}
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	timeline := simulator.WithTimeline(simulator.Complete(time.Second, 10*time.Second))
	t.Run("concurrency", func(t *testing.T) {
		inMemory(t, 7, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			most := 0
			err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 3, OnChange: func(Change) {
				running := 0
				for _, j := range sim.Ledger().Jobs {
					if j.Status != "completed" {
						running++
					}
				}
				most = max(most, running)
			}})
			if err != nil || most != 3 {
				t.Errorf("%d at once, %v", most, err)
			}
		}, timeline)
	})
	t.Run("rate", func(t *testing.T) {
		inMemory(t, 7, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			if err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 20, Rate: 3}); err != nil {
				t.Fatal(err)
			}
			jobs := sim.Ledger().Jobs
			if len(jobs) != 7 {
				t.Fatalf("%d jobs", len(jobs))
			}
			for i := 3; i < len(jobs); i++ {
				if d := jobs[i].Created.Sub(jobs[i-3].Created); d < time.Minute-time.Second {
					t.Errorf("jobs %d to %d came within %v", i-3, i, d)
				}
			}
		}, timeline)
	})
	t.Run("max usd", func(t *testing.T) {
		inMemory(t, 7, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			err := b.Run(t.Context(), client, Options{Output: output(dir), MaxUSD: 1, Price: 0.21})
			if stopped, ok := errors.AsType[*StoppedError](err); !ok || stopped.Pending != 3 {
				t.Errorf("%v", err)
			}
			if l := sim.Ledger(); l.Created != 4 {
				t.Errorf("%d created for $1 at $0.21", l.Created)
			}
			if err := b.Run(t.Context(), client, Options{Output: output(dir), MaxUSD: 100, Price: 0.21}); err != nil || sim.Ledger().Created != 7 {
				t.Errorf("with a higher budget: %v, %d created", err, sim.Ledger().Created)
			}
		}, timeline)
	})
	t.Run("max usd later", func(t *testing.T) {
		inMemory(t, 7, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			drain := make(chan struct{})
			time.AfterFunc(4*time.Second, func() { close(drain) })
			if err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 4, Drain: drain}); err == nil || sim.Ledger().Created != 4 {
				t.Fatalf("%v, %d created", err, sim.Ledger().Created)
			}
			// What is in flight counts, although the first run had no budget.
			if err := b.Run(t.Context(), client, Options{Output: output(dir), MaxUSD: 1, Price: 0.21}); err == nil || sim.Ledger().Created != 4 {
				t.Errorf("%v, %d created", err, sim.Ledger().Created)
			}
		}, timeline)
	})
	t.Run("max usd without a price", func(t *testing.T) {
		inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Models, Effect: simulator.Status(503)})
			if err := b.Run(t.Context(), client, Options{Output: output(dir), MaxUSD: 1}); !errors.Is(err, errNoEstimate) || sim.Ledger().Created != 0 {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("until", func(t *testing.T) {
		inMemory(t, 7, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 1, Until: time.Now().Add(30 * time.Second)})
			if _, ok := errors.AsType[*StoppedError](err); !ok {
				t.Error(err)
			}
			if s := mustStatus(t, b); s.States[Pending]+s.States[Saved] != 7 || s.States[Saved] == 0 || s.States[Pending] == 0 {
				t.Errorf("%+v", s.States)
			}
		}, timeline)
	})
	t.Run("failures", func(t *testing.T) {
		inMemory(t, 20, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 2, StopAfterFailures: 4})
			if _, ok := errors.AsType[*StoppedError](err); !ok {
				t.Error(err)
			}
			s := mustStatus(t, b)
			if s.States[Failed] < 4 || s.States[Failed] > 5 {
				t.Errorf("%+v", s.States)
			}
			if n, err := b.Retry(t.Context()); n != s.States[Failed] || err != nil {
				t.Errorf("Retry = %d, %v", n, err)
			}
		}, simulator.WithTimeline(simulator.Fail("NSFW", "refused")))
	})
}

// What isn't the line's fault pauses the batch and rejects nothing.
func TestPauses(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]simulator.Effect{
		"429":            simulator.RetryAfter(429, "30"),
		"out of credits": simulator.Status(403, "You've run out of credits"),
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, 10, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
				sim.Inject(simulator.Fault{On: simulator.Submit, After: 4, Times: 6, Effect: effect})
				paused := false
				err := b.Run(t.Context(), client, Options{Output: output(dir), OnChange: func(c Change) {
					if c.CustomID == "" && c.Err != nil {
						paused = true
					}
				}})
				if s := mustStatus(t, b); err != nil || s.States[Saved] != 10 || !paused {
					t.Errorf("%v, %+v, paused: %v", err, s.States, paused)
				}
			})
		})
	}
	t.Run("out of credits until", func(t *testing.T) {
		inMemory(t, 10, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Submit, After: 4, Effect: simulator.Status(403, "You've run out of credits")})
			reports := 0
			err := b.Run(t.Context(), client, Options{Output: output(dir), Until: time.Now().Add(10 * time.Minute), OnChange: func(c Change) {
				if c.CustomID == "" && errors.Is(c.Err, api.ErrForbidden) {
					reports++
				}
			}})
			if _, ok := errors.AsType[*StoppedError](err); !ok || !errors.Is(err, api.ErrForbidden) {
				t.Errorf("stopped with %v", err)
			}
			if s := mustStatus(t, b); s.States[Saved] != 4 || s.States[Pending] != 6 || reports != 1 {
				t.Errorf("%+v, reported %d times", s.States, reports)
			}
		})
	})
	t.Run("401", func(t *testing.T) {
		inMemory(t, 10, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
			sim.Inject(simulator.Fault{On: simulator.Submit, After: 2, Effect: simulator.Status(401)})
			err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 1})
			if s := mustStatus(t, b); !errors.Is(err, api.ErrUnauthorized) || s.States[Pending] != 8 {
				t.Errorf("%v, %+v", err, s.States)
			}
		})
	})
	t.Run("network down", func(t *testing.T) {
		inMemory(t, 2, func(t *testing.T, sim *simulator.Server, _ *api.Client, b *Batch, dir string) {
			up := time.Now().Add(time.Minute)
			transport := roundTripper(func(r *http.Request) (*http.Response, error) {
				if time.Now().Before(up) {
					return nil, &net.OpError{Op: "dial", Err: errors.New("network is unreachable")}
				}
				return sim.Client().Transport.RoundTrip(r)
			})
			client, err := api.New(api.WithBaseURL(sim.URL), api.WithAPIKey(sim.Key), api.WithHTTPClient(&http.Client{Transport: transport}), api.WithRetryWindow(0))
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil || sim.Ledger().Created != 2 {
				t.Errorf("%v, %d created", err, sim.Ledger().Created)
			}
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A refusal of one line is final for it, and for nobody else.
func TestRejected(t *testing.T) {
	inMemory(t, 3, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		sim.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Status(400, "Body validation error")})
		if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.States[Rejected] != 1 || s.States[Saved] != 2 {
			t.Errorf("%+v", s.States)
		}
		got := fileLines(t, filepath.Join(dir, ErrorsFile))
		if len(got) != 1 || !strings.Contains(got[0], `"status_code":400`) || !strings.Contains(got[0], `"code":"rejected"`) {
			t.Errorf("errors.jsonl: %q", got)
		}
	})
}

func TestStopAndGoOn(t *testing.T) {
	t.Parallel()
	for _, hard := range []bool{false, true} {
		t.Run(fmt.Sprintf("hard=%v", hard), func(t *testing.T) {
			inMemory(t, 15, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				drain := make(chan struct{})
				stop := func() { close(drain) }
				if hard {
					stop = cancel
				}
				time.AfterFunc(15*time.Second, stop)
				err := b.Run(ctx, client, Options{Output: output(dir), Concurrency: 5, Drain: drain})
				if _, ok := errors.AsType[*StoppedError](err); !ok {
					t.Errorf("stopped with %v", err)
				}
				if s := mustStatus(t, b); s.States[Submitting] != 0 || s.States[Unknown] != 0 {
					t.Errorf("%+v", s.States)
				}
				if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil || sim.Ledger().Created != 15 {
					t.Errorf("%v, %d created", err, sim.Ledger().Created)
				}
				if got := fileLines(t, filepath.Join(dir, ResultsFile)); len(got) != 15 {
					t.Errorf("results: %d lines", len(got))
				}
			}, simulator.WithTimeline(simulator.Complete(time.Second, 7*time.Second)))
		})
	}
}

// A ledger that can't be written stops the run before anything more is paid. Once it can be, the next run resumes.
func TestLedgerCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, statements := range map[string][2]string{
		"disk full": {"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"}, // the pages that are there stay
		"read-only": {
			"CREATE TRIGGER b BEFORE UPDATE ON batch BEGIN SELECT RAISE(FAIL, 'read-only'); END; CREATE TRIGGER g BEFORE UPDATE ON generation BEGIN SELECT RAISE(FAIL, 'read-only'); END",
			"DROP TRIGGER b; DROP TRIGGER g",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, 40, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
				created := 0
				time.AfterFunc(20*time.Second, func() {
					if err := exec(t.Context(), b.db, statements[0]); err != nil {
						t.Error(err)
					}
					created = sim.Ledger().Created
				})
				err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 5})
				if _, ok := errors.AsType[*StoppedError](err); !ok || !strings.Contains(err.Error(), "can't be written") {
					t.Errorf("%v", err)
				}
				// What was claimed before may have been sent, and what fits into the pages that are there.
				if now := sim.Ledger().Created; created == 0 || now > created+2*submitters || now == 40 {
					t.Errorf("%d created, then %d", created, now)
				}
				if err := exec(t.Context(), b.db, statements[1]); err != nil {
					t.Fatal(err)
				}
				if err := b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 40}); err != nil {
					t.Fatal(err)
				}
				if s := mustStatus(t, b); s.States[Saved] != 40 || sim.Ledger().Created != 40 {
					t.Errorf("%+v, %d created", s.States, sim.Ledger().Created)
				}
			}, simulator.WithTimeline(simulator.Complete(time.Second, 4*time.Second)))
		})
	}
}

func TestAddAgain(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, _ *simulator.Server, _ *api.Client, b *Batch, dir string) {
		if added, err := b.Add(t.Context(), slices.Values(lines(5))); added != 3 || err != nil {
			t.Errorf("a grown manifest: %d, %v", added, err)
		}
		changed := lines(5)
		changed[1].Body["resolution"] = "720p"
		changed[4].Body["image_url"] = "https://example.com/other.png"
		added, err := b.Add(t.Context(), slices.Values(changed))
		difference, ok := errors.AsType[*ChangedError](err)
		if !ok || added != 0 || len(difference.Differences) != 2 || !strings.Contains(err.Error(), `shot-0002: resolution (none) -> "720p"`) {
			t.Errorf("%d, %v", added, err)
		}
		// Without custom ids they are made from the content, also where it stands twice.
		anonymous := lines(2)
		anonymous[0].CustomID, anonymous[1].CustomID, anonymous[1].Body = "", "", anonymous[0].Body
		for want := range []int{2, 0} {
			if added, err := b.Add(t.Context(), slices.Values(anonymous)); err != nil || added != []int{2, 0}[want] {
				t.Errorf("anonymous: %d, %v", added, err)
			}
		}
	})
}

// What has changed is shown without signatures, escape sequences and the ledger's form of a file.
func TestDifference(t *testing.T) {
	file := func(path, sum string) string {
		return `{"image_url":{"$file":"` + path + `","size":1,"sha256":"` + sum + `"}}`
	}
	for _, test := range []struct{ before, after, want string }{
		{file("/a/hero2.png", "1"), file("/b/hero2.png", "2"), "image_url hero2.png has changed since"},
		{file("/a/hero.png", "1"), `{"image_url":"https://e.com/a.png?sig=SECRET"}`, `image_url "hero.png" -> "https://e.com/a.png?..."`},
		{`{"video_url":"https://e.com/a.mp4?sig=SECRET"}`, `{"video_url":"https://e.com/a.mp4?sig=SECRET2"}`, "video_url https://e.com/a.mp4?... has changed since"},
		{file("/a/hero.png", "1"), file("/b/hero.png", "1"), ""},
		{`{"seed":1}`, `{"seed":2}`, "seed 1 -> 2"},
	} {
		if got := difference(test.before, test.after); got != test.want {
			t.Errorf("%s", got)
		}
	}
}

func TestLocalFiles(t *testing.T) {
	inMemory(t, 0, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		video, err := os.ReadFile("../../conformance/testdata/dance.mp4")
		if err != nil {
			t.Fatal(err)
		}
		var all []Line
		for _, name := range []string{"same", "changed", "gone"} {
			path := filepath.Join(dir, name+"-input.mp4")
			if err := os.WriteFile(path, video, 0o600); err != nil {
				t.Fatal(err)
			}
			line := lines(1)[0]
			line.CustomID, line.Body["video_url"] = name, api.File(path)
			all = append(all, line)
		}
		if _, err := b.Add(t.Context(), slices.Values(all)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "changed-input.mp4"), append(video, 0), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "gone-input.mp4")); err != nil {
			t.Fatal(err)
		}
		// A file that is missing is the fault of this machine, one that has changed that of its line.
		err = b.Run(t.Context(), client, Options{Output: output(dir)})
		if s := mustStatus(t, b); !is[*StoppedError](err) || !strings.Contains(err.Error(), "gone-input.mp4") || s.States[Rejected] != 1 || s.States[Pending] != 1 {
			t.Errorf("%v, %+v", err, s)
		}
		if err := os.WriteFile(filepath.Join(dir, "gone-input.mp4"), video, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, b); s.States[Saved] != 2 || s.States[Rejected] != 1 || sim.Ledger().Created != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestOnSaved(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		failing := errors.New("no bucket")
		run := func() {
			err := b.Run(t.Context(), client, Options{Output: output(dir), OnSaved: func(_ context.Context, r Record) error {
				if _, err := os.Stat(r.File); err != nil {
					return err
				}
				if r.CustomID == "shot-0002" {
					return failing
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		run()
		if s := mustStatus(t, b); s.States[Saved] != 1 || s.States[Completed] != 1 || len(s.Failures) != 1 || s.Failures[0].Error.Code != "exec" {
			t.Errorf("%+v", s)
		}
		failing = nil
		downloads := sim.Ledger().Downloads
		if n, err := b.Retry(t.Context()); n != 1 || err != nil {
			t.Errorf("Retry = %d, %v", n, err)
		}
		run()
		if s := mustStatus(t, b); s.States[Saved] != 2 || sim.Ledger().Downloads != downloads {
			t.Errorf("%+v, %d more downloads", s.States, sim.Ledger().Downloads-downloads)
		}
	})
}

// After a failed OnSaved a video is only taken as saved if it is there, whole.
func TestOnSavedWithoutFile(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			inMemory(t, 1, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, dir string) {
				failing := errors.New("no bucket")
				onSaved := func(context.Context, Record) error { return failing }
				if err := b.Run(t.Context(), client, Options{Output: output(dir), OnSaved: onSaved}); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "shot-0001.mp4")
				if err := spoil(path); err != nil {
					t.Fatal(err)
				}
				failing = nil
				if _, err := b.Retry(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := b.Run(t.Context(), client, Options{Output: output(dir), OnSaved: onSaved}); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(path); err != nil || info.Size() < 100 || mustStatus(t, b).States[Saved] != 1 {
					t.Errorf("%v, %v", err, mustStatus(t, b).States)
				}
			})
		})
	}
}

// The next run saves what this one has given up.
func TestSavedByTheNextRun(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, dir string) {
		failing := errors.New("no bucket")
		for _, want := range []State{Completed, Saved} {
			err := b.Run(t.Context(), client, Options{Output: output(dir), OnSaved: func(context.Context, Record) error { return failing }})
			if s := mustStatus(t, b); err != nil || s.States[want] != 1 {
				t.Errorf("%v, %+v", err, s.States)
			}
			failing = nil
		}
	})
}

// A line in flight doesn't overwrite a file of the user, neither one that is there at the start nor one that appears.
func TestFilesOfOthersStay(t *testing.T) {
	inMemory(t, 1, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		other := filepath.Join(dir, "other")
		mine := filepath.Join(other, "shot-0001.mp4")
		write := func() {
			if err := os.MkdirAll(other, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		drain := make(chan struct{})
		err := b.Run(t.Context(), client, Options{Output: output(dir), Drain: drain, OnChange: func(c Change) {
			if c.State == InProgress {
				close(drain)
			}
		}})
		if !is[*StoppedError](err) {
			t.Fatal(err)
		}
		write()
		if err := b.Run(t.Context(), client, Options{Output: output(other)}); !is[*OutputError](err) {
			t.Errorf("a file that is there: %v", err)
		}
		if err := os.Remove(mine); err != nil {
			t.Fatal(err)
		}
		err = b.Run(t.Context(), client, Options{Output: output(other), OnChange: func(c Change) {
			if c.State == Completed && c.Err == nil {
				write()
			}
		}})
		if got := fileLines(t, mine); err != nil || got[0] != "mine" || mustStatus(t, b).States[Completed] != 1 {
			t.Errorf("a file that appears: %v, %v, %v", err, got, mustStatus(t, b).States)
		}
	})
}

// A rebuilt ledger knows its files by results.jsonl.
func TestRecoveredFiles(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, _ *simulator.Server, client *api.Client, b *Batch, dir string) {
		if err := b.Run(t.Context(), client, Options{Output: output(dir)}); err != nil {
			t.Fatal(err)
		}
		rebuilt, err := Create(t.Context(), filepath.Join(dir, "rebuilt.db"), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer rebuilt.Close()
		if _, err := rebuilt.AddManifest(t.Context(), slices.Values(lines(2)), output(dir)); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(dir, ResultsFile)); err != nil {
			t.Fatal(err)
		}
		other, err := Create(t.Context(), filepath.Join(dir, "other.db"), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if _, err := other.AddManifest(t.Context(), slices.Values(lines(2)), output(dir)); !is[*OutputError](err) {
			t.Errorf("without results.jsonl: %v", err)
		}
	})
}

// A database that doesn't answer keeps no process: all that is written after the context's end takes 5 seconds.
func TestDatabaseThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		late, end := afterwards(ctx)
		defer end()
		r := &run{late: late}
		cancel()
		start := time.Now()
		for range 3 {
			err := r.persist(ctx, func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			})
			if err == nil {
				t.Error("no error")
			}
		}
		if got := time.Since(start); got != grace {
			t.Errorf("it took %v", got)
		}
	})
}

// A directory that can't be written stops submitting before more is paid for.
func TestUnwritableOutput(t *testing.T) {
	const n = 30
	inMemory(t, n, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		videos := filepath.Join(dir, "videos")
		blocked := false
		err := b.Run(t.Context(), client, Options{Output: filepath.Join(videos, "of", "{custom_id}.mp4"), Concurrency: 2, OnChange: func(c Change) {
			if c.State == Completed && !blocked {
				blocked = true
				if err := errors.Join(os.RemoveAll(videos), os.WriteFile(videos, nil, 0o600)); err != nil {
					t.Error(err)
				}
			}
		}})
		if !is[*StoppedError](err) || !strings.Contains(err.Error(), "can't be saved") || sim.Ledger().Created > 6 {
			t.Errorf("%v, %d created", err, sim.Ledger().Created)
		}
	})
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestOutputIsChecked(t *testing.T) {
	inMemory(t, 2, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		twins := lines(2)
		twins[0].CustomID, twins[1].CustomID = "a/b", "A:b"
		if _, err := b.Add(t.Context(), slices.Values(twins)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "shot-0001.mp4"), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		err := b.Run(t.Context(), client, Options{Output: output(dir)})
		problems, ok := errors.AsType[*OutputError](err)
		if !ok || len(problems.Problems) != 2 || sim.Ledger().Created != 0 {
			t.Errorf("%v, %d created", err, sim.Ledger().Created)
		}
	})
}

func TestRecover(t *testing.T) {
	inMemory(t, 10, func(t *testing.T, sim *simulator.Server, client *api.Client, b *Batch, dir string) {
		drain := make(chan struct{})
		time.AfterFunc(20*time.Second, func() { close(drain) })
		_ = b.Run(t.Context(), client, Options{Output: output(dir), Concurrency: 4, Drain: drain})
		created := sim.Ledger().Created
		if created == 0 || created == 10 {
			t.Fatalf("%d created", created)
		}
		// The ledger is lost.
		lost, err := Create(t.Context(), filepath.Join(dir, "new.db"), "test")
		if err != nil {
			t.Fatal(err)
		}
		defer lost.Close()
		reversed := lines(12)
		slices.Reverse(reversed) // the order doesn't matter
		if _, err := lost.Add(t.Context(), slices.Values(reversed)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // the last ones complete
		found, missing, err := lost.Recover(t.Context(), client, time.Now().Add(-time.Hour))
		if found != created || missing != 12-created || err != nil {
			t.Errorf("Recover = %d, %d, %v", found, missing, err)
		}
		// The search for those that aren't in the logs takes half an hour.
		if err := exec(t.Context(), lost.db, `UPDATE generation SET search_until = $1`, millis(time.Now().Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(dir, "other", "{custom_id}.mp4")
		if err := lost.Run(t.Context(), client, Options{Output: other, Search: time.Minute}); err != nil {
			t.Fatal(err)
		}
		if s := mustStatus(t, lost); s.States[Saved] != created || s.States[Unknown] != 12-created || sim.Ledger().Created != created {
			t.Errorf("%+v, %d created", s.States, sim.Ledger().Created)
		}
		if _, _, err := lost.Recover(t.Context(), client, time.Now().Add(-time.Hour)); err == nil {
			t.Error("a ledger that isn't lost was overwritten")
		}
	}, simulator.WithTimeline(simulator.Complete(time.Second, 10*time.Second)))
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	first, err := Create(t.Context(), filepath.Join(dir, "batch.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	second, err := Create(t.Context(), filepath.Join(dir, "batch.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	unlock, err := first.lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.lock(); !errors.Is(err, ErrRunning) {
		t.Errorf("a second lock: %v", err)
	}
	unlock()
	if unlock, err = second.lock(); err != nil {
		t.Fatal(err)
	}
	unlock()
}

// What a crash has left in a result file is completed, without a line twice.
func TestResultFile(t *testing.T) {
	for before, want := range map[string]string{
		"":                                 "a\nb\n",
		"x\na\n":                           "x\na\nb\n",
		"x\na":                             "x\na\nb\n",
		"b\na\n":                           "b\na\n",
		"x\n" + strings.Repeat("y", 10000): "x\na\nb\n",
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, ResultsFile)
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := openResults(dir)
		if err != nil {
			t.Fatal(err)
		}
		r.good.records = map[string]bool{"a\n": true, "b\n": true}
		end, err := r.good.append()
		r.close()
		if got, _ := os.ReadFile(path); err != nil || string(got) != want || end != int64(len(want)) {
			t.Errorf("%.20q became %.20q, %d, %v", before, got, end, err)
		}
	}
}

func TestClientRequestID(t *testing.T) {
	for _, customID := range []string{"a", "shot-0042", strings.Repeat("x", 200), "é ö", "a:b", "", "sha256-x"} {
		id := clientRequestID(strings.Repeat("b", 32), customID, 1<<62)
		if !wire.ValidClientRequestID(id) {
			t.Errorf("%q: %s", customID, id)
		}
		if strings.Count(id, ":") != 3 {
			t.Errorf("%q: %s", customID, id)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(t.Context(), filepath.Join(dir, "batch.db"), ""); !errors.Is(err, ErrNoBatch) {
		t.Errorf("%v", err)
	}
	if _, err := Create(t.Context(), filepath.Join(dir, "batch.db"), "a:b"); err == nil {
		t.Error("an id with a colon")
	}
	_, err := Open(t.Context(), "postgres://user:secret@127.0.0.1:1/x?connect_timeout=1", "")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
