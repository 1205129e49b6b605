package api_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	wan "github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// simulate starts a simulator, so that the examples run without a key. With a key, wan.New() does it all.
func simulate(timeline simulator.Timeline, faults ...simulator.Fault) (client *wan.Client, stop func()) {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(timeline), simulator.WithFaults(faults...))
	if err != nil {
		log.Fatal(err)
	}
	client, err = wan.New(wan.WithBaseURL(srv.URL), wan.WithAPIKey(srv.Key), wan.WithPollInterval(time.Millisecond, time.Millisecond))
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

// Submit, wait, save.
func Example() {
	client, stop := simulate(simulator.Complete(0, 10*time.Millisecond))
	defer stop()
	ctx := context.Background()

	job, err := client.AnimateMove(ctx, animatemove.Request{
		VideoURL:   wan.File("../conformance/testdata/dance.mp4"),
		ImageURL:   wan.URL("https://example.com/hero.png"),
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

// Another process resumes the job. It needs nothing but the id.
func ExampleClient_Job() {
	client, stop := simulate(simulator.Complete(0, 50*time.Millisecond))
	defer stop()

	job, err := client.VaceFunReframe(context.Background(), vacefunreframe.Request{
		VideoURL:    wan.URL("https://example.com/dance.mp4"),
		AspectRatio: vacefunreframe.AspectRatio9x16,
	})
	if err != nil {
		log.Fatal(err)
	}
	id := job.ID() // store it before anything else

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = job.Wait(ctx)
	var waiting *wan.WaitError
	fmt.Println(errors.As(err, &waiting), waiting.Status, waiting.GenerationID == id)

	_, err = client.Job(id).Wait(context.Background())
	fmt.Println(err)
	// Output:
	// true generating true
	// <nil>
}

// OnProgress reports the state after each poll.
func ExampleOnProgress() {
	client, stop := simulate(simulator.Timeline{{Status: "queued", For: 30 * time.Millisecond}, {Status: "completed"}})
	defer stop()
	ctx := context.Background()

	job, err := client.AnimateMove(ctx, move)
	if err != nil {
		log.Fatal(err)
	}
	var last wan.Status
	_, err = job.Wait(ctx, wan.OnProgress(func(p wan.Progress) {
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

// The type of the error says whether there may be a job.
func ExampleClient_Submit_errors() {
	client, stop := simulate(simulator.Fail("SafetyCheckFailed", "the image was refused"),
		simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Status(403, "You've run out of credits")},
		simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
	defer stop()
	ctx := context.Background()

	for range 3 {
		job, err := client.AnimateMove(ctx, move, wan.WithClientRequestID("order-4711"))
		var (
			rejected *wan.RejectedError
			notSent  *wan.NotSentError
			unknown  *wan.UnknownOutcomeError
		)
		switch {
		case errors.As(err, &rejected):
			fmt.Println("nothing was charged:", rejected.Err.Message)
			continue
		case errors.As(err, &notSent):
			fmt.Println("nothing was sent; submit it again later")
			continue
		case errors.As(err, &unknown):
			fmt.Println("it may be running; look for", unknown.ClientRequestID, "in the usage logs before you submit it again")
			continue
		case err != nil:
			log.Fatal(err) // an *wan.InputError
		}
		_, err = job.Wait(ctx)
		if failed, ok := errors.AsType[*wan.FailedError](err); ok {
			fmt.Println(failed.Name+":", failed.Message)
		}
	}
	// Output:
	// nothing was charged: You've run out of credits
	// it may be running; look for order-4711 in the usage logs before you submit it again
	// SafetyCheckFailed: the image was refused
}

// Local files are sent inside the request. A file that can't be right is an error before anything is sent.
func ExampleFile() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()
	ctx := context.Background()

	image, err := os.ReadFile("../conformance/testdata/hero.png")
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.AnimateMove(ctx, animatemove.Request{
		VideoURL: wan.File("../conformance/testdata/dance.mp4"),
		ImageURL: wan.Bytes(image), // for bytes that aren't in a file
	}, wan.OnUpload(func(sent, total int64) {
		if sent == total {
			fmt.Println("sent")
		}
	}))
	if err != nil {
		log.Fatal(err)
	}

	_, err = client.AnimateMove(ctx, animatemove.Request{
		VideoURL: wan.File("../conformance/testdata/hero.png"),
		ImageURL: wan.File("../conformance/testdata/hero.png"),
	})
	fmt.Println(err)
	// Output:
	// sent
	// wan: video_url: ../conformance/testdata/hero.png: image/png, not a video
}

// Use your own HTTP client, here with a transport that validates the traffic against the specs.
func ExampleWithHTTPClient() {
	srv, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Timeline{
		{Status: "completed", Set: map[string]any{"queue_position": 0}}, // not in the spec
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()
	ctx := context.Background()

	transport := &conformance.Transport{OnFinding: func(f conformance.Finding) { fmt.Println(f) }}
	client, err := wan.New(wan.WithBaseURL(srv.URL), wan.WithAPIKey(srv.Key),
		wan.WithHTTPClient(&http.Client{Transport: transport}))
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

// Submit takes models and properties that this version doesn't know.
func ExampleClient_Submit() {
	client, stop := simulate(simulator.Complete(0, 0))
	defer stop()

	job, err := client.Submit(context.Background(), map[string]any{
		"model":      "alibaba/wan2.2-vace-fun-a14b-reframe",
		"video_url":  wan.File("../conformance/testdata/dance.mp4"),
		"new_in_may": true,
	})
	fmt.Println(job != nil, err)
	// Output: true <nil>
}
