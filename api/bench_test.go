package api_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/gen/animatemove"
)

const (
	benchID     = "b5592d70-dd31-4e5a-bc5c-5063660c001b:alibaba/wan2.2-14b-animate-move"
	benchAnswer = `{"id":"` + benchID + `","status":"completed","video":{"url":"https://example.com/v.mp4"},"meta":{"usage":{"credits_used":1}}}`
)

// canned responds within the process, behind net/http's own transport, so that only the client's work is measured.
func canned(body string) *http.Client {
	header := http.Header{"Content-Type": {"application/json"}}
	transport := new(http.Transport)
	transport.RegisterProtocol("https", roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		}, nil
	}))
	return &http.Client{Transport: transport}
}

func benchClient(b *testing.B, httpClient *http.Client, opts ...api.Option) *api.Client {
	b.Helper()
	client, err := api.New(append([]api.Option{api.WithAPIKey("key"), api.WithHTTPClient(httpClient)}, opts...)...)
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// BenchmarkPoll compares a poll with what one would write by hand.
func BenchmarkPoll(b *testing.B) {
	httpClient := canned(benchAnswer)
	b.Run("facade", func(b *testing.B) {
		job := benchClient(b, httpClient).Job(benchID)
		b.ReportAllocs()
		for b.Loop() {
			if g, err := job.Poll(b.Context()); err != nil || g.Video == nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by-hand", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, api.DefaultBaseURL+"/v2/video/generations?generation_id="+url.QueryEscape(benchID), nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer key")
			answer, err := byHand(httpClient, r)
			if err != nil || answer.Video.URL == "" {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSubmit does the same for a submission.
func BenchmarkSubmit(b *testing.B) {
	httpClient := canned(`{"id":"` + benchID + `","status":"queued"}`)
	b.Run("facade", func(b *testing.B) {
		client := benchClient(b, httpClient)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := client.AnimateMove(b.Context(), move); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by-hand", func(b *testing.B) {
		request := move
		request.Model = animatemove.ModelID
		b.ReportAllocs()
		for b.Loop() {
			body, err := json.Marshal(request)
			if err != nil {
				b.Fatal(err)
			}
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, api.DefaultBaseURL+"/v2/video/generations", bytes.NewReader(body))
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer key")
			r.Header.Set("Content-Type", "application/json")
			answer, err := byHand(httpClient, r)
			if err != nil || answer.ID == "" {
				b.Fatal(err)
			}
		}
	})
}

type handAnswer struct {
	ID     string
	Status string
	Video  struct{ URL string }
	Error  struct{ Name, Message string }
	Meta   struct {
		Usage struct {
			Credits float64 `json:"credits_used"`
		}
	}
}

func byHand(client *http.Client, r *http.Request) (answer handAnswer, err error) {
	response, err := client.Do(r)
	if err != nil {
		return answer, err
	}
	defer response.Body.Close()
	if response.StatusCode >= 400 {
		return answer, fmt.Errorf("status %d", response.StatusCode)
	}
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}

// BenchmarkWait tells what ten thousand waiting jobs cost, all of them between two polls.
func BenchmarkWait(b *testing.B) {
	const jobs = 10000
	for b.Loop() {
		var polls atomic.Int64
		answer := canned(`{"id":"x","status":"generating"}`).Transport
		client := benchClient(b, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			polls.Add(1)
			return answer.RoundTrip(r)
		})}, api.WithPollInterval(time.Hour, time.Hour))
		before := memory()
		var waiting sync.WaitGroup
		ctx, cancel := context.WithCancel(b.Context())
		for range jobs {
			waiting.Go(func() { _, _ = client.Job("x").Wait(ctx) })
		}
		for polls.Load() < jobs {
			runtime.Gosched()
		}
		after := memory()
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/jobs, "heap-B/job")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/jobs, "stack-B/job")
		b.ReportMetric(float64(runtime.NumGoroutine())/jobs, "goroutines/job")
		cancel()
		waiting.Wait()
	}
}

// memory collects garbage until stacks have shrunk, too.
func memory() (m runtime.MemStats) {
	for range 5 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m
}

// BenchmarkSave compares saving a video of 256 MiB with copying the body to a file.
func BenchmarkSave(b *testing.B) {
	const size = 256 << 20
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(size))
		io.Copy(w, io.LimitReader(newMovie(size), size))
	}))
	defer files.Close()
	b.Run("facade", func(b *testing.B) {
		answer := canned(`{"id":"x","status":"completed","video":{"url":"` + files.URL + `"}}`).Transport
		client := benchClient(b, &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(files.URL, "http://"+r.URL.Host) {
				return http.DefaultTransport.RoundTrip(r)
			}
			return answer.RoundTrip(r)
		})}, api.WithBaseURL("http://localhost"))
		video, err := client.Job("x").Wait(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		for b.Loop() {
			if err := video.Save(b.Context(), filepath.Join(b.TempDir(), "out.mp4")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("io.Copy", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			response, err := http.Get(files.URL)
			if err != nil {
				b.Fatal(err)
			}
			f, err := os.Create(filepath.Join(b.TempDir(), "out.mp4"))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(f, response.Body); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil { // as Save does
				b.Fatal(err)
			}
			response.Body.Close()
			f.Close()
		}
	})
}

// newMovie makes an MP4 file of any size: three boxes, and nothing in them.
func newMovie(size int) io.Reader {
	head := []byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp42\x00\x00\x00\x08moov\x00\x00\x00\x00mdat")
	binary.BigEndian.PutUint32(head[28:], uint32(size-28))
	return io.MultiReader(bytes.NewReader(head), zeros{})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
