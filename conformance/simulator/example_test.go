package simulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// A program's own test: a lost response to a submission.
func ExampleStart() {
	t := new(T) // a test has its own t
	defer t.done()
	srv := simulator.Start(t)
	srv.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})

	body := `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/dance.mp4"}`
	req, _ := http.NewRequest(http.MethodPost, srv.URL+"/v2/video/generations", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+srv.Key)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Client-Request-Id", "clip-42")
	if _, err := http.DefaultClient.Do(req); err == nil {
		t.Fatalf("the response arrived")
	}
	srv.Advance(time.Minute)
	l := srv.Ledger()
	fmt.Println(l.Created, "created,", l.Charged, "charged:", l.Jobs[0].ClientRequestID, l.Jobs[0].Status)
	// Output:
	// 1 created, 1 charged: clip-42 completed
}

// Timelines of a command line or a file have a text form.
func ExampleParseTimeline() {
	timeline, err := simulator.ParseTimeline(`queued 1s, generating 2s, error NSFW "The image was refused"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range timeline {
		fmt.Println(step.Status, step.For, step.Set)
	}
	// Output:
	// queued 1s map[]
	// generating 2s map[]
	// error 0s map[error:map[message:The image was refused name:NSFW]]
}

// T stands in for testing.T, which examples don't have.
type T struct{ cleanups []func() }

func (*T) Helper()                           {}
func (t *T) Cleanup(f func())                { t.cleanups = append(t.cleanups, f) }
func (*T) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *T) done() {
	for _, f := range t.cleanups {
		f()
	}
}

// A simulator is an http.Handler that can be mounted anywhere.
func ExampleNew() {
	sim := simulator.New(simulator.WithKey("test"), simulator.WithTimeline(simulator.Fail("NSFW", "Refused")))
	mux := http.NewServeMux()
	mux.Handle("/video-api/", sim)
	server := httptest.NewServer(mux)
	defer server.Close()

	body := `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/dance.mp4"}`
	req, _ := http.NewRequest(http.MethodPost, server.URL+"/video-api/v2/video/generations", strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer test")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	var generation struct{ Status string }
	json.NewDecoder(res.Body).Decode(&generation)
	sim.Advance(time.Second)
	fmt.Println(res.StatusCode, generation.Status, "then", sim.Ledger().Jobs[0].Status)
	// Output:
	// 200 generating then error
}
