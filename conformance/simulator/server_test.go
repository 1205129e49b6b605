package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// After Close, all handlers have returned and nothing is logged.
func TestCloseWaits(t *testing.T) {
	var closed, late atomic.Bool
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Inject(simulator.Fault{Effect: simulator.Effect{Name: "slow end", Wrap: func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				simulator.Stall().Wrap(next).ServeHTTP(w, r)
				time.Sleep(time.Second)
			})
		}}})
		go func() {
			if sees := see(t, srv, newRequest(t, srv, "POST", generations, move)); sees != "broken off" {
				t.Error(sees)
			}
		}()
		synctest.Wait()
		srv.Close()
		closed.Store(true)
		if n := len(srv.Ledger().Requests); n != 1 {
			t.Errorf("%d requests are over when the server is closed, want 1", n)
		}
		time.Sleep(time.Minute)
		if late.Load() {
			t.Error("the log was written after the server was closed")
		}
	}, simulator.WithLog(func(simulator.Entry) { late.Store(late.Load() || closed.Load()) }))
}

// Up fails if the server is up.
func TestUpTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		if err := srv.Up(); err == nil || !strings.Contains(err.Error(), "isn't closed") {
			t.Errorf("up: %v", err)
		}
		srv.Close()
		srv.Close()
		if err := srv.Up(); err != nil {
			t.Errorf("closed: %v", err)
		}
		submit(t, srv, move)
	})
}

func TestWait(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		var ended atomic.Bool
		go func() {
			if err := srv.Wait(); err != nil {
				t.Error(err)
			}
			ended.Store(true)
		}()
		if synctest.Wait(); ended.Load() {
			t.Error("it doesn't wait")
		}
		srv.Close()
		if synctest.Wait(); !ended.Load() {
			t.Error("it waits on")
		}
	})
}

// A base path may contain "/files/".
func TestFilesInBasePath(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	const base = "/files/api"
	id := ask(t, srv, "POST", base+generations, move, "Authorization: Bearer "+srv.Key).decode(t).ID
	g := ask(t, srv, "GET", base+pollPath(id), "", "Authorization: Bearer "+srv.Key).decode(t)
	if g.ID != id || !strings.HasPrefix(g.Video.URL, srv.URL+base+"/files/") {
		t.Fatalf("%+v", g)
	}
	if a := ask(t, srv, "GET", g.Video.URL, ""); a.status != http.StatusOK || string(a.body) != string(videoFile(t, "854x480")) {
		t.Errorf("the result has status %d", a.status)
	}
	srv.Inject(simulator.Fault{On: simulator.Download, Times: 1, Effect: simulator.Expire()})
	if a := ask(t, srv, "GET", g.Video.URL, ""); a.status != http.StatusForbidden {
		t.Errorf("the expired result has status %d", a.status)
	}
}

// A request whose body stalls ends. One that has been sent may take as long as it likes.
func TestStalledBody(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		body, send := io.Pipe()
		defer send.Close()
		req := newRequest(t, srv, "POST", generations, move)
		req.Body, req.ContentLength = body, 1000
		go send.Write([]byte("{"))
		began := time.Now()
		res, err := srv.Client().Do(req)
		if err == nil {
			res.Body.Close()
		}
		if took := time.Since(began); took != 30*time.Second || err == nil && res.StatusCode != http.StatusBadRequest {
			t.Errorf("after %v: %v %v", took, res, err)
		}

		srv.Inject(simulator.Fault{Effect: simulator.Stall()})
		began = time.Now()
		if sees := see(t, srv, newRequest(t, srv, "POST", generations, move)); sees != "timeout after 1m0s" {
			t.Errorf("after %v: %s", time.Since(began), sees)
		}
	})
}
