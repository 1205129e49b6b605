package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	wan "github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// Watch is the iterator form of Wait.
func ExampleJob_Watch() {
	client, stop := simulate(simulator.Timeline{{Status: "queued", For: 30 * time.Millisecond}, {Status: "completed"}})
	defer stop()
	ctx := context.Background()

	job, err := client.AnimateMove(ctx, move)
	if err != nil {
		log.Fatal(err)
	}
	var video *wan.Video
	for p, err := range job.Watch(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		video = p.Video
	}
	fmt.Println(video != nil)
	// Output: true
}

// A web handler submits, stores the id, and responds 202 at once. After a restart, resume the ids in the store.
func Example_webHandler() {
	client, stop := simulate(simulator.Complete(0, 10*time.Millisecond))
	defer stop()
	var store sync.Map // your database: generation id -> state

	finish := func(ctx context.Context, id string) {
		if _, err := client.Job(id).Wait(ctx); err != nil {
			store.Store(id, err.Error())
			return
		}
		store.Store(id, "done")
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		job, err := client.AnimateMove(r.Context(), animatemove.Request{
			VideoURL: wan.URL("https://example.com/dance.mp4"),
			ImageURL: wan.Stream(r.Body, r.ContentLength), // read once, never held in memory
		})
		var unknown *wan.UnknownOutcomeError
		switch {
		case errors.As(err, &unknown): // may be running: look the client request id up before you submit it again
			http.Error(w, unknown.ClientRequestID, http.StatusBadGateway)
			return
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		store.Store(job.ID(), "running")
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, job.ID())
	}

	image, err := os.Open("../conformance/testdata/hero.png")
	if err != nil {
		log.Fatal(err)
	}
	defer image.Close()
	info, err := image.Stat()
	if err != nil {
		log.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodPost, "/videos", image)
	request.ContentLength = info.Size()
	response := httptest.NewRecorder()
	handler(response, request)
	fmt.Println(response.Code)

	// In the process that started after a restart:
	store.Range(func(id, state any) bool {
		finish(context.Background(), id.(string))
		return true
	})
	state, _ := store.Load(response.Body.String())
	fmt.Println(state)
	// Output:
	// 202
	// done
}

// Run many jobs, at most ten at a time. One failure doesn't end the others. For thousands of jobs that must survive a
// crash use package batch.
func Example_manyJobs() {
	client, stop := simulate(simulator.Complete(0, time.Millisecond))
	defer stop()
	ctx := context.Background()
	directory, err := os.MkdirTemp("", "wan-go")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(directory)

	var wg sync.WaitGroup
	slots := make(chan struct{}, 10)
	for i := range 50 {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			job, err := client.AnimateMove(ctx, move, wan.WithClientRequestID(fmt.Sprintf("order-%d", i)))
			if err != nil {
				log.Print(err) // says whether it may be submitted again
				return
			}
			video, err := job.Wait(ctx)
			if err == nil {
				_, err = video.SaveIn(ctx, directory)
			}
			if err != nil {
				log.Print(err) // has the generation id
			}
		})
	}
	wg.Wait()
	videos, err := filepath.Glob(filepath.Join(directory, "*.mp4"))
	fmt.Println(len(videos), err)
	// Output: 50 <nil>
}

// tracing stands for otelhttp.NewTransport, which wraps a transport in the same way.
type tracing struct{ next http.RoundTripper }

func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(r)
	if err == nil {
		fmt.Println(r.Method, r.URL.Path, response.StatusCode)
	}
	return response, err
}

// For OpenTelemetry wrap the transport: otelhttp.NewTransport(http.DefaultTransport). It must not repeat a POST.
func ExampleWithHTTPClient_openTelemetry() {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(0, 0)))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	client, err := wan.New(wan.WithBaseURL(srv.URL), wan.WithAPIKey(srv.Key),
		wan.WithHTTPClient(&http.Client{Transport: tracing{http.DefaultTransport}}))
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.AnimateMove(context.Background(), move)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := job.Wait(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// POST /v2/video/generations 200
	// GET /v2/video/generations 200
}

// The Client logs to your logger. Records have ids, statuses and errors, never the API key or media.
func ExampleWithLogger() {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(0, 0)))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "generation" { // they differ in each run
				return slog.Attr{}
			}
			return a
		},
	}))
	client, err := wan.New(wan.WithBaseURL(srv.URL), wan.WithAPIKey(srv.Key), wan.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.AnimateMove(context.Background(), move, wan.WithClientRequestID("order-4711")); err != nil {
		log.Fatal(err)
	}
	// Output: level=INFO msg="submission accepted" client_request_id=order-4711
}

// A queue keeps the request with the paths of its files. The client request id is made before, so that a submission of
// unknown outcome can be looked up.
func ExampleMarshalRequest() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()
	type message struct {
		ClientRequestID string
		Request         json.RawMessage
	}
	queue := make(chan message, 1)

	request, err := wan.MarshalRequest(vacefunreframe.Request{
		VideoURL:    wan.File("../conformance/testdata/dance.mp4"),
		AspectRatio: vacefunreframe.AspectRatio9x16,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(request))
	queue <- message{"order-4711", request}

	m := <-queue // in a worker with access to the files
	var received vacefunreframe.Request
	if err := wan.UnmarshalRequest(m.Request, &received); err != nil {
		log.Fatal(err)
	}
	job, err := client.VaceFunReframe(context.Background(), received, wan.WithClientRequestID(m.ClientRequestID))
	fmt.Println(job != nil, err)
	// Output:
	// {"aspect_ratio":"9:16","model":"","video_url":"../conformance/testdata/dance.mp4"}
	// true <nil>
}

// A Stream sends a body of known size without a copy in memory.
func ExampleStream() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	image, err := os.Open("../conformance/testdata/hero.png")
	if err != nil {
		log.Fatal(err)
	}
	defer image.Close()
	info, err := image.Stat()
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.AnimateMove(context.Background(), animatemove.Request{
		VideoURL: wan.URL("https://example.com/dance.mp4"),
		ImageURL: wan.Stream(image, info.Size()),
	})
	fmt.Println(err)
	// Output: <nil>
}
