package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
)

// every stands for a fault that doesn't go away.
const every = 0

// TestFaults runs submission, wait and download through each fault of the simulator, and tells how it ends. Whatever
// happens, a call makes at most one job, and a job that was accepted can be found by what the error says.
func TestFaults(t *testing.T) {
	submit, poll, download := simulator.Submit, simulator.Poll, simulator.Download
	tests := []struct {
		on      simulator.Operation
		times   int
		effect  simulator.Effect
		outcome string // what the caller gets
		created int    // jobs in the ledger
		charged int
	}{
		// Submission: rejected.
		{submit, every, simulator.Status(400), "rejected", 0, 0},
		{submit, every, simulator.Status(401), "rejected: the API key isn't valid", 0, 0},
		{submit, every, simulator.Status(403, "You've run out of credits"), "rejected: forbidden, or out of credits", 0, 0},
		{submit, every, simulator.Status(404), "rejected: not found", 0, 0},
		{submit, every, simulator.Status(408), "rejected", 0, 0},
		{submit, every, simulator.HTML(403), "rejected: forbidden, or out of credits", 0, 0},
		{submit, every, simulator.Empty(413), "rejected", 0, 0},
		{submit, every, simulator.Status(405), "rejected", 0, 0},
		{submit, every, simulator.Status(415), "rejected", 0, 0},
		{submit, every, simulator.Status(422), "rejected", 0, 0},
		{submit, every, simulator.Status(402), "rejected", 0, 0}, // the API's own error body
		{submit, every, simulator.Status(409), "rejected", 0, 0},
		// Submission: tried again.
		{submit, every, simulator.Status(429), "rejected: too many requests", 0, 0},
		{submit, 3, simulator.Status(429), "saved", 1, 1},
		{submit, 2, simulator.RetryAfter(429, "5"), "saved", 1, 1},
		{submit, 1, simulator.RetryAfter(429, "rubbish"), "saved", 1, 1},
		{submit, 1, simulator.RetryAfter(429, "3600"), "saved", 1, 1}, // a minute is all it waits
		// Submission: unknown. The simulator has a job wherever it handled the request.
		{submit, 1, simulator.Status(502), "unknown", 0, 0}, // another server may have begun
		{submit, 1, simulator.Status(504), "unknown", 0, 0},
		{submit, 1, simulator.Status(500), "unknown", 0, 0}, // in the API's own words too
		{submit, 1, simulator.Status(503), "unknown", 0, 0},
		{submit, 1, simulator.Status(520), "unknown", 0, 0},
		{submit, 1, simulator.Status(499), "unknown", 0, 0},
		{submit, 1, simulator.HTML(402), "unknown", 0, 0}, // a 4xx that nothing documents, not in the API's words
		{submit, 1, simulator.Redirect(307, "https://elsewhere.example.com/"), "unknown", 0, 0},
		{submit, 1, simulator.Redirect(302, "/elsewhere"), "unknown", 0, 0},
		{submit, 1, simulator.HTML(500), "unknown", 0, 0},
		{submit, 1, simulator.HTML(502), "unknown", 0, 0},
		{submit, 1, simulator.Empty(503), "unknown", 0, 0},
		{submit, 1, simulator.Empty(504), "unknown", 0, 0},
		{submit, 1, simulator.Reset(), "unknown", 0, 0},
		{submit, 1, simulator.Drop(), "unknown", 1, 1},
		{submit, 1, simulator.Stall(), "unknown", 1, 1},
		{submit, 1, simulator.StallBody(), "unknown", 1, 1},
		{submit, 1, simulator.Truncate(), "unknown: unusable response", 1, 1},
		{submit, 1, simulator.Endless(), "unknown: unusable response", 1, 1},
		{submit, 1, simulator.HTML(200), "unknown: unusable response", 0, 0},
		// Submission: accepted. X-Inference-Id has the id that the body lacks.
		{submit, 1, simulator.Cut(), "saved", 1, 1},
		{submit, 1, simulator.Body("{}"), "saved", 1, 1},
		{submit, 1, simulator.Body(`{"id":null,"status":"queued"}`), "saved", 1, 1},
		{submit, 1, simulator.Body("[]"), "saved", 1, 1},
		{submit, 1, simulator.ContentType("text/plain"), "saved", 1, 1},
		{submit, 1, simulator.ContentType(""), "saved", 1, 1},
		{submit, 1, simulator.Slow(100), "saved", 1, 1},

		// Wait: ends at once.
		{poll, every, simulator.Status(400), "stopped waiting after 1 polls", 1, 1},
		{poll, every, simulator.Status(422), "stopped waiting after 1 polls", 1, 1},
		// Wait: ends after three refusals over 10 seconds, since the key has worked and the generation is new.
		{poll, every, simulator.Status(401), "stopped waiting: the API key isn't valid", 1, 1},
		{poll, every, simulator.Status(403), "stopped waiting: forbidden, or out of credits", 1, 1},
		{poll, every, simulator.Status(404), "stopped waiting: not found", 1, 1},
		{poll, 2, simulator.Status(401), "saved", 1, 1},
		{poll, 2, simulator.Status(403), "saved", 1, 1},
		{poll, 2, simulator.Status(404), "saved", 1, 1},
		// Wait: a missed poll, as long as it doesn't go on.
		{poll, 9, simulator.Status(408), "saved", 1, 1},
		{poll, 9, simulator.Status(425), "saved", 1, 1},
		{poll, 9, simulator.Status(429), "saved", 1, 1},
		{poll, 9, simulator.RetryAfter(429, "7"), "saved", 1, 1},
		{poll, 9, simulator.Status(500), "saved", 1, 1},
		{poll, 9, simulator.HTML(502), "saved", 1, 1},
		{poll, 9, simulator.Empty(503), "saved", 1, 1},
		{poll, 9, simulator.HTML(200), "saved", 1, 1},
		{poll, 9, simulator.Reset(), "saved", 1, 1},
		{poll, 9, simulator.Drop(), "saved", 1, 1},
		{poll, 9, simulator.Stall(), "saved", 1, 1},
		{poll, 9, simulator.StallBody(), "saved", 1, 1},
		{poll, 9, simulator.Truncate(), "saved", 1, 1},
		{poll, 9, simulator.Cut(), "saved", 1, 1},
		{poll, 9, simulator.Body("{}"), "saved", 1, 1},
		{poll, 9, simulator.Body(`{"id":"other","status":"completed"}`), "saved", 1, 1},
		{poll, 9, simulator.Endless(), "saved", 1, 1},
		{poll, 9, simulator.HTML(403), "saved", 1, 1}, // a gateway's, not the API's
		{poll, 9, simulator.HTML(404), "saved", 1, 1},
		{poll, 9, simulator.Empty(400), "saved", 1, 1},
		{poll, 9, simulator.Empty(202), "saved", 1, 1},
		{poll, 9, simulator.Empty(204), "saved", 1, 1},
		{poll, 9, simulator.Redirect(302, "https://elsewhere.example.com/"), "saved", 1, 1},
		{poll, every, simulator.ContentType("text/html"), "saved", 1, 1},
		// Wait: too many missed polls.
		{poll, every, simulator.Status(503), "stopped waiting after 10 polls", 1, 1},
		{poll, every, simulator.Body("{}"), "stopped waiting after 10 polls: unusable response", 1, 1},
		{poll, every, simulator.Stall(), "stopped waiting after 10 polls", 1, 1},
		{poll, every, simulator.Status(429), "stopped waiting after 10 polls: too many requests", 1, 1},

		// Download: resumed.
		{download, 3, simulator.Truncate(), "saved", 1, 1},
		{download, 3, simulator.Reset(), "saved", 1, 1},
		{download, 3, simulator.Drop(), "saved", 1, 1},
		{download, 3, simulator.Stall(), "saved", 1, 1},
		{download, 3, simulator.StallBody(), "saved", 1, 1},
		{download, 5, simulator.Status(503), "saved", 1, 1},
		{download, 3, simulator.Status(429), "saved", 1, 1},
		{download, every, simulator.Slow(500), "saved", 1, 1}, // more than a minute
		{download, every, simulator.IgnoreRange(), "saved", 1, 1},
		{download, every, simulator.ContentType("application/octet-stream"), "saved", 1, 1},
		{download, 2, simulator.Expire(), "saved", 1, 1},
		// Download: not to be had. The error has the id, with which the video can be fetched later.
		{download, every, simulator.Expire(), "not saved", 1, 1},
		{download, every, simulator.Status(404), "not saved", 1, 1},
		{download, every, simulator.Status(400), "not saved", 1, 1},
		{download, every, simulator.Status(500), "not saved", 1, 1},
		{download, every, simulator.Reset(), "not saved", 1, 1},
		{download, every, simulator.HTML(200), "not saved: not a complete video", 1, 1},
		{download, every, simulator.Body("{}"), "not saved: not a complete video", 1, 1},
		{download, every, simulator.Endless(), "not saved: not a complete video", 1, 1},
		{download, every, simulator.Redirect(302, "ftp://elsewhere.example.com/"), "not saved", 1, 1},
	}
	for _, test := range tests {
		times := fmt.Sprintf("%d times", test.times)
		if test.times == every {
			times = "always"
		}
		t.Run(fmt.Sprintf("%s/%s/%s", test.on, test.effect.Name, times), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(20*time.Second, 40*time.Second)))
				srv.Inject(simulator.Fault{On: test.on, Times: test.times, Effect: test.effect})
				client := newClient(t, srv)

				target := filepath.Join(t.TempDir(), "out.mp4")
				err := makeVideo(t.Context(), client, target)
				if got := outcome(err); got != test.outcome {
					t.Errorf("the outcome is %q, want %q: %v", got, test.outcome, err)
				}
				time.Sleep(2 * time.Minute) // until every job has come to its end
				ledger := srv.Ledger()
				if ledger.Created != test.created {
					t.Errorf("%d jobs were created, want %d", ledger.Created, test.created)
				}
				if ledger.Charged != test.charged {
					t.Errorf("%d jobs were charged, want %d", ledger.Charged, test.charged)
				}
				if ledger.Leaks != 0 {
					t.Errorf("%d downloads carried what belongs to the API only", ledger.Leaks)
				}
				checkReachable(t, client, srv, err)
				checkDirectory(t, target, err == nil)
			})
		})
	}
}

func newClient(t *testing.T, srv *simulator.Server, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(append([]api.Option{
		api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key), api.WithHTTPClient(srv.Client()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

var move = animatemove.Request{
	VideoURL: api.URL("https://example.com/dance.mp4"),
	ImageURL: api.URL("https://example.com/hero.png"),
}

func makeVideo(ctx context.Context, client *api.Client, target string) error {
	job, err := client.AnimateMove(ctx, move)
	if err != nil {
		return err
	}
	video, err := job.Wait(ctx)
	if err != nil {
		return err
	}
	return video.Save(ctx, target)
}

// outcome says in a few words what an error is, by its type and by the conditions that errors.Is finds.
func outcome(err error) string {
	var (
		rejected *api.RejectedError
		notSent  *api.NotSentError
		unknown  *api.UnknownOutcomeError
		waiting  *api.WaitError
		failed   *api.FailedError
		download *api.DownloadError
		text     string
	)
	switch {
	case err == nil:
		return "saved"
	case errors.As(err, &rejected):
		text = "rejected"
	case errors.As(err, &notSent):
		text = "not sent"
	case errors.As(err, &unknown):
		text = "unknown"
	case errors.As(err, &waiting):
		text = "stopped waiting"
		if refusal := (*api.ResponseError)(nil); !errors.As(err, &refusal) || refusal.StatusCode != http.StatusUnauthorized && refusal.StatusCode != http.StatusForbidden && refusal.StatusCode != http.StatusNotFound {
			text += fmt.Sprintf(" after %d polls", waiting.Polls)
		}
	case errors.As(err, &failed):
		text = "failed"
	case errors.As(err, &download):
		text = "not saved"
	default:
		text = "another error"
	}
	for _, condition := range []error{
		api.ErrUnauthorized, api.ErrForbidden, api.ErrNotFound, api.ErrTooManyRequests, api.ErrNoVideo, api.ErrBadResponse, api.ErrNotVideo,
	} {
		if errors.Is(err, condition) && (download == nil || condition != api.ErrNotFound) {
			text += ": " + condition.Error()
		}
	}
	return text
}

// checkReachable checks that a job in the ledger can be found by what the error says.
func checkReachable(t *testing.T, client *api.Client, srv *simulator.Server, err error) {
	t.Helper()
	ledger := srv.Ledger()
	if err == nil || ledger.Created == 0 {
		return
	}
	job := ledger.Jobs[0]
	if unknown := (*api.UnknownOutcomeError)(nil); errors.As(err, &unknown) {
		if unknown.ClientRequestID != job.ClientRequestID {
			t.Errorf("the error names the client request id %q, the job has %q", unknown.ClientRequestID, job.ClientRequestID)
		}
		if unknown.GenerationID != "" && unknown.GenerationID != job.ID {
			t.Errorf("the error names the generation %q, the job is %q", unknown.GenerationID, job.ID)
		}
		return
	}
	id := generationID(err)
	if id != job.ID {
		t.Fatalf("the error names the generation %q, the job is %q", id, job.ID)
	}
	srv.ClearFaults()
	video, err := client.Job(id).Wait(t.Context())
	if err != nil {
		t.Fatalf("another wait: %v", err)
	}
	if err := video.Save(t.Context(), filepath.Join(t.TempDir(), "again.mp4")); err != nil {
		t.Errorf("saving after another wait: %v", err)
	}
}

func generationID(err error) string {
	var (
		waiting  *api.WaitError
		failed   *api.FailedError
		download *api.DownloadError
	)
	switch {
	case errors.As(err, &waiting):
		return waiting.GenerationID
	case errors.As(err, &failed):
		return failed.GenerationID
	case errors.As(err, &download):
		return download.GenerationID
	}
	return ""
}

// checkDirectory checks that a video is there whole or not at all, with nothing beside it.
func checkDirectory(t *testing.T, target string, saved bool) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		t.Fatal(err)
	}
	want := 0
	if saved {
		want = 1
	}
	if len(entries) != want {
		t.Errorf("the directory holds %v", entries)
	}
	if !saved {
		return
	}
	got, err := os.ReadFile(target)
	if err != nil {
		t.Fatal(err)
	}
	if sample := sample(t, "854x480"); string(got) != string(sample) {
		t.Errorf("the file has %d bytes, the sample %d", len(got), len(sample))
	}
}

// sample returns one of the simulator's results.
func sample(t *testing.T, size string) []byte {
	t.Helper()
	data, err := os.ReadFile("../conformance/simulator/videos/" + size + ".mp4")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wrapIf makes an effect depend on a condition.
func wrapIf(effect simulator.Effect, condition func() bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		hit := effect.Wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if condition() {
				hit.ServeHTTP(w, r)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}
