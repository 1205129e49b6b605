package simulator_test

import (
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

func TestTenThousandJobs(t *testing.T) {
	const jobs, connections = 10_000, 8
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(time.Hour, time.Hour)), simulator.WithRetention(24*time.Hour))
	each := func(do func(i int)) {
		t.Helper()
		var wg sync.WaitGroup
		for c := range connections {
			wg.Go(func() {
				for i := c; i < jobs && !t.Failed(); i += connections {
					do(i)
				}
			})
		}
		if wg.Wait(); t.Failed() {
			t.FailNow()
		}
	}
	try := func(method, path, body string) (g generation) {
		res, err := srv.Client().Do(newRequest(t, srv, method, path, body))
		if err != nil {
			t.Error(err)
			return g
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
			return g
		}
		return response{body: b}.decode(t)
	}
	ids := make([]string, jobs)
	each(func(i int) {
		g := try("POST", generations, move)
		if ids[i] = g.ID; g.Status != "queued" {
			t.Errorf("submission %d got %+v", i, g)
		}
	})
	for _, status := range []string{"generating", "completed"} {
		srv.Advance(time.Hour)
		each(func(i int) {
			if g := try("GET", pollPath(ids[i]), ""); g.ID != ids[i] || g.Status != status {
				t.Errorf("job %s got %+v, want %s", ids[i], g, status)
			}
		})
	}
	if l := srv.Ledger(); l.Created != jobs || l.Charged != jobs || l.Polls != 2*jobs || len(l.Jobs) != jobs || l.Rejected != 0 {
		t.Errorf("%s, %d polls, %d remembered", summary(l), l.Polls, len(l.Jobs))
	}
}

// Forgotten jobs are freed.
func TestForgottenJobsAreFreed(t *testing.T) {
	const jobs, size = 500, 10 << 10
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	large := strings.Replace(move, "{", `{"x":[`+strings.Repeat(`"`+block[:1000]+`",`, size/1000)+`0],`, 1)
	sim := simulator.New()
	before := heap()
	for i := range jobs {
		if status := serve(sim, "POST", generations, large); status != http.StatusOK {
			t.Fatal(status)
		}
		if i%50 == 0 {
			sim.Advance(2 * time.Hour)
		}
	}
	if grown := heap() - before; grown > jobs*size/2 {
		t.Errorf("%d bytes are kept after %d jobs of %d bytes, all but 50 of them forgotten", grown, jobs, size)
	}
	runtime.KeepAlive(sim)
}

// endless is a reader of base64.
type endless struct{}

var block = strings.Repeat("A", 32<<10)

func (endless) Read(p []byte) (int, error) { return copy(p, block), nil }

// underRace reports whether the race detector is on, which makes encoding/json ten times slower.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

func TestLargeBodies(t *testing.T) {
	const mib = 1 << 20
	large := int64(100 * mib)
	if underRace() {
		large = 10 * mib
	}
	head, tail, _ := strings.Cut(move, "https://example.com/v.mp4")
	head += "data:video/mp4;base64,"
	// Padded with spaces to a multiple of four.
	tail += strings.Repeat(" ", 3-(len(head)+len(tail)+3)%4)
	tests := []struct {
		name    string
		size    int64
		max     int64
		chunked bool
		want    int
	}{
		{"1 MiB", mib, 128 * mib, false, 200},
		{"100 MiB", large, 128 * mib, false, 200},
		{"as much as may be", mib, mib, false, 200},
		{"as much as may be, of unknown length", mib, mib, true, 200},
		{"a little too much", mib + 4, mib, false, 413},
		{"a little too much, of unknown length", mib + 4, mib, true, 413},
		{"far too much", 200 * mib, 128 * mib, false, 413},
		{"far too much, of unknown length", 100 * mib, mib, true, 413},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := simulator.Start(t, simulator.WithMaxBody(test.max))
			req := newRequest(t, srv, "POST", generations, move)
			data := io.LimitReader(endless{}, test.size-int64(len(head)+len(tail)))
			req.Body = io.NopCloser(io.MultiReader(strings.NewReader(head), data, strings.NewReader(tail)))
			if req.ContentLength = test.size; test.chunked {
				req.ContentLength = -1
			}
			res, err := srv.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != test.want {
				t.Errorf("status %d, want %d: %.500s %v", res.StatusCode, test.want, b, err)
			}
			l := srv.Ledger()
			if test.want == http.StatusOK && (l.Created != 1 || l.Jobs[0].BodySize != int(test.size) || len(l.Jobs[0].Body) > 1000) {
				t.Errorf("%s, with %+v", summary(l), l.Jobs)
			}
			if test.want != http.StatusOK && summary(l) != "0 created, 0 charged, 1 rejected" {
				t.Error(summary(l))
			}
		})
	}
}

func TestDeepBodies(t *testing.T) {
	srv := simulator.Start(t)
	for _, test := range []struct {
		open, close string
		depth, want int
	}{
		{"[", "]", 5_000, 200},
		{`{"x":`, "}", 5_000, 200},
		{"[", "]", 50_000, 400},
		{`{"x":`, "}", 50_000, 400},
		{"[", "]", 5_000_000, 400},
	} {
		deep := strings.Repeat(test.open, test.depth) + "1" + strings.Repeat(test.close, test.depth)
		a := ask(t, srv, "POST", generations, strings.Replace(move, "{", `{"deep":`+deep+`,`, 1))
		if a.status != test.want {
			t.Errorf("%d times %s has status %d: %.500s", test.depth, test.open, a.status, a.body)
		}
	}
	if a := ask(t, srv, "GET", "/simulator/state", ""); a.status != 200 || !strings.Contains(string(a.body), `"created": 2`) {
		t.Errorf("the state has status %d: %.500s", a.status, a.body)
	}
}
