package simulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// A log that nobody reads holds up no one but the request whose line it is stuck on.
func TestLogStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		released := make(chan struct{})
		var log lockedBuilder
		sim := simulator.New(simulator.WithLog(writerFunc(func(p []byte) (int, error) {
			<-released
			return log.Write(p)
		})))
		ask := func(i int) {
			sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, fmt.Sprint("/unknown/", i), nil))
		}
		go ask(0)
		synctest.Wait()
		var want strings.Builder
		for i := range 100 {
			if i > 0 {
				ask(i)
			}
			fmt.Fprintf(&want, "00:00:00.000 404 GET  /unknown/%d Cannot GET /unknown/%d\n", i, i)
		}
		if n := len(sim.Ledger().Requests); n != 100 {
			t.Errorf("%d requests are over, want 100", n)
		}
		close(released)
		if synctest.Wait(); log.String() != want.String() {
			t.Errorf("the log is\n%s", log.String())
		}
	})
}

// What a log does with the simulator that it is told of is its own business.
func TestLogLooksBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sim *simulator.Simulator
		var seen []int
		ask := func() { sim.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/unknown", nil)) }
		sim = simulator.New(simulator.WithLog(writerFunc(func(p []byte) (int, error) {
			if seen = append(seen, len(sim.Ledger().Requests)); len(seen) == 1 {
				ask()
			}
			return len(p), nil
		})))
		ask()
		if synctest.Wait(); fmt.Sprint(seen) != "[1 2]" {
			t.Errorf("it saw %v requests", seen)
		}
	})
}

// Once the server is closed, all lines are written, also those that nobody has waited for.
func TestLogSlow(t *testing.T) {
	lines := 0
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() { ask(t, srv, "GET", pollPath("x"), "") })
		}
		all.Wait()
		if srv.Close(); lines != 5 {
			t.Errorf("%d lines are written", lines)
		}
	}, simulator.WithLog(writerFunc(func(p []byte) (int, error) {
		time.Sleep(time.Second)
		lines++
		return len(p), nil
	})))
}

// Lines come whole and one at a time, whoever asks meanwhile.
func TestLogWhole(t *testing.T) {
	var writing sync.Mutex
	lines := 0
	srv := simulator.Start(t, simulator.WithLog(writerFunc(func(p []byte) (int, error) {
		if !writing.TryLock() {
			t.Error("two lines are written at a time")
			return len(p), nil
		}
		defer writing.Unlock()
		if lines++; strings.Count(string(p), "\n") != 1 || !strings.HasSuffix(string(p), "\n") {
			t.Errorf("not a line: %q", p)
		}
		return len(p), nil
	})))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				ask(t, srv, "GET", pollPath("x"), "")
			}
		})
	}
	all.Wait()
	if srv.Close(); lines != 400 {
		t.Errorf("%d lines", lines)
	}
}

// A writer that panics loses one line, also while others wait.
func TestLogPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines atomic.Int64
		second := make(chan struct{})
		srv := simulator.StartInMemory(t, simulator.WithLog(writerFunc(func(p []byte) (int, error) {
			if lines.Add(1) == 1 {
				<-second
				panic("no")
			}
			return len(p), nil
		})))
		go see(t, srv, newRequest(t, srv, "POST", generations, move))
		synctest.Wait()
		see(t, srv, newRequest(t, srv, "POST", generations, move))
		close(second)
		srv.Close()
		if n := lines.Load(); n != 2 {
			t.Errorf("%d lines, want 2", n)
		}
	})
}
