package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// BenchmarkPoll measures GETs over loopback with keep-alive, beside a bare handler that writes the same bytes.
func BenchmarkPoll(b *testing.B) {
	srv := simulator.Start(b, simulator.WithTimeline(simulator.Complete(0, 0)))
	path := pollPath(submit(b, srv, move))
	body := ask(b, srv, "GET", path, "").body
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}))
	defer bare.Close()
	for _, bench := range []struct{ name, url string }{{"simulator", srv.URL + path}, {"bare", bare.URL + path}} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				req := newRequest(b, srv, "GET", bench.url, "")
				for pb.Next() {
					res, err := srv.Client().Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					if n, err := io.Copy(io.Discard, res.Body); n != int64(len(body)) || err != nil {
						b.Errorf("%d bytes: %v", n, err)
						return
					}
					res.Body.Close()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "GETs/s")
		})
	}
}

// BenchmarkSubmit measures the simulator's work on a submission, without a network.
func BenchmarkSubmit(b *testing.B) {
	sim := simulator.New(simulator.WithRetention(0))
	b.ReportAllocs()
	for b.Loop() {
		if status := serve(sim, "POST", generations, move); status != http.StatusOK {
			b.Fatal(status)
		}
	}
}

// BenchmarkMemory measures what ten thousand jobs keep on the heap, each polled to its end.
func BenchmarkMemory(b *testing.B) {
	const jobs = 10_000
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	serve(simulator.New(), "POST", generations, move) // loads the documents
	var perJob float64
	for b.Loop() {
		before := heap()
		sim := simulator.New(simulator.WithTimeline(simulator.Complete(0, 0)))
		for range jobs {
			if status := serve(sim, "POST", generations, move); status != http.StatusOK {
				b.Fatal(status)
			}
		}
		for _, job := range sim.Ledger().Jobs {
			if status := serve(sim, "GET", pollPath(job.ID), ""); status != http.StatusOK {
				b.Fatal(status)
			}
		}
		perJob = float64(heap()-before) / jobs
		runtime.KeepAlive(sim)
	}
	b.ReportMetric(perJob, "heap-B/job")
}

// serve calls the simulator without a network.
func serve(sim *simulator.Simulator, method, path, body string) (status int) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer key")
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	sim.ServeHTTP(w, req)
	return w.Code
}
