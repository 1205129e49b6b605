package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// simulate starts a simulator, so that the examples need no key. With one, api.New() is all it takes.
func simulate(timeline simulator.Timeline, faults ...simulator.Fault) (client *api.Client, stop func()) {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(timeline), simulator.WithFaults(faults...))
	if err != nil {
		log.Fatal(err)
	}
	client, err = api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key), api.WithPollInterval(time.Millisecond, time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	return client, srv.Close
}

func temporaryFile(name string) string {
	directory, err := os.MkdirTemp("", "wan-go")
	if err != nil {
		log.Fatal(err)
	}
	return filepath.Join(directory, name)
}

// A first video: submit, wait, save.
func Example() {
	client, stop := simulate(simulator.Complete(0, 10*time.Millisecond))
	defer stop()
	ctx := context.Background()

	job, err := client.AnimateMove(ctx, animatemove.Request{
		VideoURL:   api.File("../conformance/testdata/dance.mp4"),
		ImageURL:   api.URL("https://example.com/hero.png"),
		Resolution: animatemove.Resolution720p,
	})
	if err != nil {
		log.Fatal(err)
	}
	video, err := job.Wait(ctx)
	if err != nil {
		log.Fatal(err)
	}
	path := temporaryFile("out.mp4")
	if err := video.Save(ctx, path); err != nil {
		log.Fatal(err)
	}
	fmt.Println(filepath.Base(path), "for", *video.Usage.Credits, "credits")
	// Output: out.mp4 for 420000 credits
}

// Another process goes on waiting: all it needs is the id.
func ExampleClient_Job() {
	client, stop := simulate(simulator.Complete(0, 50*time.Millisecond))
	defer stop()

	job, err := client.VaceFunReframe(context.Background(), vacefunreframe.Request{
		VideoURL:    api.URL("https://example.com/dance.mp4"),
		AspectRatio: vacefunreframe.AspectRatio9x16,
	})
	if err != nil {
		log.Fatal(err)
	}
	id := job.ID() // write it down first of all

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = job.Wait(ctx)
	var waiting *api.WaitError
	fmt.Println(errors.As(err, &waiting), waiting.Status, waiting.GenerationID == id)

	_, err = client.Job(id).Wait(context.Background())
	fmt.Println(err)
	// Output:
	// true generating true
	// <nil>
}

// Progress is told after each poll.
func ExampleOnProgress() {
	client, stop := simulate(simulator.Timeline{{Status: "queued", For: 30 * time.Millisecond}, {Status: "completed"}})
	defer stop()
	ctx := context.Background()

	job, err := client.AnimateMove(ctx, move)
	if err != nil {
		log.Fatal(err)
	}
	var last api.Status
	_, err = job.Wait(ctx, api.OnProgress(func(p api.Progress) {
		if p.Status != last {
			fmt.Println(p.Status)
		}
		last = p.Status
	}))
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// queued
	// completed
}

// What to do depends on whether there may be a job.
func ExampleClient_Submit_errors() {
	client, stop := simulate(simulator.Fail("SafetyCheckFailed", "the picture was refused"),
		simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.StatusMessage(403, "You've run out of credits")},
		simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
	defer stop()
	ctx := context.Background()

	for range 3 {
		job, err := client.AnimateMove(ctx, move, api.WithClientRequestID("order-4711"))
		var (
			rejected *api.RejectedError
			notSent  *api.NotSentError
			unknown  *api.UnknownOutcomeError
		)
		switch {
		case errors.As(err, &rejected):
			fmt.Println("nothing was charged:", rejected.Err.Message)
			continue
		case errors.As(err, &notSent):
			fmt.Println("nothing was sent; try again later")
			continue
		case errors.As(err, &unknown):
			fmt.Println("it may be running; look for", unknown.ClientRequestID, "in the usage logs before you submit it again")
			continue
		case err != nil:
			log.Fatal(err) // an *api.InputError
		}
		_, err = job.Wait(ctx)
		if failed, ok := errors.AsType[*api.FailedError](err); ok {
			fmt.Println(failed.Name+":", failed.Message)
		}
	}
	// Output:
	// nothing was charged: You've run out of credits
	// it may be running; look for order-4711 in the usage logs before you submit it again
	// SafetyCheckFailed: the picture was refused
}

// The bytes of local media travel inside the request. What can't be right is refused before anything is sent.
func ExampleFile() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()
	ctx := context.Background()

	picture, err := os.ReadFile("../conformance/testdata/hero.png")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.AnimateMove(ctx, animatemove.Request{
		VideoURL: api.File("../conformance/testdata/dance.mp4"),
		ImageURL: api.Reader(bytes.NewReader(picture), int64(len(picture))), // for bytes that aren't in a file
	}, api.OnUpload(func(sent, total int64) {
		if sent == total {
			fmt.Println("sent")
		}
	}))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.AnimateMove(ctx, animatemove.Request{
		VideoURL: api.File("../conformance/testdata/hero.png"),
		ImageURL: api.File("../conformance/testdata/hero.png"),
	})
	fmt.Println(err)
	// Output:
	// sent
	// wan: video_url: ../conformance/testdata/hero.png: image/png, not a video
}

// A client of one's own, here with the transport that holds what passes against the documents.
func ExampleWithHTTPClient() {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Timeline{
		{Status: "completed", Set: map[string]any{"queue_position": 0}}, // which no document speaks of
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()

	transport := &conformance.Transport{OnFinding: func(f conformance.Finding) { fmt.Println(f) }}
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key),
		api.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.AnimateMove(ctx, move)
	if err != nil {
		log.Fatal(err)
	}
	if _, err = job.Poll(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// undocumented: submitGeneration response 200: /queue_position: expected a documented property, received a number
	// undocumented: getGeneration response 200: /queue_position: expected a documented property, received a number
}

// Submit takes what the typed methods don't know yet.
func ExampleClient_Submit() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	job, err := client.Submit(context.Background(), map[string]any{
		"model":      "alibaba/wan2.2-vace-fun-a14b-reframe",
		"video_url":  api.File("../conformance/testdata/dance.mp4"),
		"new_in_may": true,
	})
	fmt.Println(job != nil, err)
	// Output: true <nil>
}
