package api_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
)

// TestLostSubmissions drops three of ten responses to 200 submissions: each generation is found through the logs.
func TestLostSubmissions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t, simulator.WithTimeline(simulator.Complete(time.Second, 5*time.Second)), simulator.WithLogDelay(20*time.Second))
		var mu sync.Mutex
		random := rand.New(rand.NewPCG(1, 2))
		srv.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "drop some", Wrap: wrapIf(simulator.Drop(), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return random.Float64() < 0.3
		})}})
		client := newClient(t, srv)
		lost, saved := 0, 0
		var wait sync.WaitGroup
		for range 200 {
			wait.Go(func() {
				began := time.Now()
				job, err := client.AnimateMove(t.Context(), move)
				if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
					job, err = findLater(t.Context(), client, unknown.ClientRequestID, began)
					mu.Lock()
					lost++
					mu.Unlock()
				}
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := job.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				saved++
				mu.Unlock()
			})
		}
		wait.Wait()
		ledger := srv.Ledger()
		if saved != 200 || ledger.Created != 200 || ledger.Charged != 200 || lost < 30 {
			t.Errorf("%d videos, %d lost responses, %d jobs, %d charged", saved, lost, ledger.Created, ledger.Charged)
		}
		for _, r := range ledger.Requests {
			if r.Status == http.StatusTooManyRequests {
				t.Error("the logs refused a request as one too many")
				break
			}
		}
	})
}

// findLater looks a submission up until its row appears.
func findLater(ctx context.Context, client *api.Client, id string, since time.Time) (*api.Job, error) {
	for {
		found, err := client.FindSubmission(ctx, id, since)
		if missing := (*api.SubmissionNotFoundError)(nil); !errors.As(err, &missing) {
			if err != nil {
				return nil, err
			}
			return found.Job, nil
		}
		select {
		case <-time.After(10 * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// While the logs are down, lost submissions stay unknown with an id to look up, and nothing is submitted again.
func TestLogsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		random := rand.New(rand.NewPCG(1, 2))
		srv.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "drop some", Wrap: wrapIf(simulator.Drop(), func() bool {
			return random.Float64() < 0.3
		})}})
		srv.Inject(simulator.Fault{On: simulator.Logs, Effect: simulator.Status(503)})
		client := newClient(t, srv)
		lost := map[string]bool{}
		for range 200 {
			_, err := client.AnimateMove(t.Context(), move)
			unknown, ok := errors.AsType[*api.UnknownOutcomeError](err)
			if !ok {
				continue
			}
			lost[unknown.ClientRequestID] = true
			if !strings.Contains(err.Error(), "FindSubmission") {
				t.Errorf("%v", err)
			}
			_, err = client.FindSubmission(t.Context(), unknown.ClientRequestID, time.Now())
			if reading, ok := errors.AsType[*api.AccountError](err); !ok || reading.What != "logs" {
				t.Errorf("%v", err)
			}
		}
		ledger := srv.Ledger()
		if ledger.Created != 200 || len(lost) < 30 {
			t.Errorf("%d jobs, %d lost responses", ledger.Created, len(lost))
		}
		for _, job := range ledger.Jobs {
			delete(lost, job.ClientRequestID)
		}
		if len(lost) != 0 {
			t.Errorf("%d errors name a client request id that no job has", len(lost))
		}
	})
}

func TestFindSubmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		srv.Script(simulator.Complete(0, time.Second), simulator.Fail("NSFW", "refused"))
		client := newClient(t, srv)
		since := time.Now()
		for _, id := range []string{"good", "bad"} {
			if _, err := client.AnimateMove(t.Context(), move, api.WithClientRequestID(id)); err != nil {
				t.Fatal(err)
			}
		}
		for range 150 { // a second page
			if _, err := client.AnimateMove(t.Context(), move); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Minute)
		good, err := client.FindSubmission(t.Context(), "good", since)
		if err != nil {
			t.Fatal(err)
		}
		if good.Failed || good.Usage.USD == nil || *good.Usage.USD != simulator.USDPerJob || good.Model != string(animatemove.ModelID) || good.Job.ClientRequestID() != "good" {
			t.Errorf("%+v", good)
		}
		if _, err := good.Job.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		bad, err := client.FindSubmission(t.Context(), "bad", since)
		if err != nil || !bad.Failed || *bad.Usage.USD != 0 {
			t.Errorf("%+v %v", bad, err)
		}
		_, err = client.FindSubmission(t.Context(), "other", since)
		if missing, ok := errors.AsType[*api.SubmissionNotFoundError](err); !ok || missing.Rows != 152 {
			t.Errorf("%v", err)
		}
		_, err = client.FindSubmission(t.Context(), "no id", since)
		if _, ok := errors.AsType[*api.InputError](err); !ok {
			t.Errorf("%v", err)
		}
	})
}

// The logs may give the id without the model behind it, or with it; polls decide.
func TestFormsOfIDs(t *testing.T) {
	for _, actual := range []string{"gen-1", "gen-1:vendor/model"} {
		for _, logged := range []string{"gen-1", "gen-1:vendor/model"} {
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/v2/logs":
					fmt.Fprintf(w, `{"data":[{"created":"2026-08-01T00:00:00Z","status":"succeeded","model":"vendor/model","cost":{"usd":1,"credits":2000000},"inference_id":%q,"client_request_id":"mine"}],"pagination":{"has_more":false}}`, logged)
				case "/v2/billing/transactions":
					fmt.Fprintf(w, `{"data":[{"created_at":"2026-08-01T00:00:00Z","direction":"CHARGE","type":"MODEL_USAGE","amount":{"usd":2,"credits":4000000},"model":null,"reference_id":%q}],"pagination":{"next_cursor":null,"has_more":false}}`, logged)
				default:
					if r.URL.Query().Get("generation_id") != actual {
						w.WriteHeader(http.StatusNotFound)
						return
					}
					fmt.Fprintf(w, `{"id":%q,"status":"generating"}`, actual)
				}
			})
			found, err := client.FindSubmission(t.Context(), "mine", time.Now())
			if err != nil || found.Job.ID() != actual || *found.Usage.USD != 2 {
				t.Errorf("logged as %s: %+v %v", logged, found, err)
			}
		}
	}
}

// Logs that can't be read never look like logs without the submission.
func TestUnreadableLogs(t *testing.T) {
	for _, body := range []string{
		`{}`, `[]`, `null`, `"OK"`, ``, `{"data":null,"pagination":{"has_more":false}}`, `{"data":{},"pagination":{"has_more":false}}`,
		`{"data":[]}`, `{"data":[],"pagination":{"has_more":true}}`, `{"status":"maintenance"}`, `<html>`,
		logsWith(`{"status":"succeeded","model":"m","inference_id":"","client_request_id":"mine"}`),
	} {
		client := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		_, err := client.FindSubmission(t.Context(), "mine", time.Now())
		if reading, ok := errors.AsType[*api.AccountError](err); !ok || reading.What != "logs" || !errors.Is(err, api.ErrBadResponse) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func logsWith(row string) string {
	row = strings.Replace(row, "{", `{"created":"2026-08-01T00:00:00Z","cost":{"usd":1,"credits":2000000},`, 1)
	return `{"data":[` + row + `],"pagination":{"has_more":false}}`
}

// All attempts of a submission have one client request id. While a later attempt may still run, the row of a refused one
// doesn't mean that the submission failed.
func TestRefusedAttemptIsNoOutcome(t *testing.T) {
	status, body := http.StatusNotFound, `{"message":"Not found","statusCode":404}`
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/logs" {
			fmt.Fprint(w, logsWith(`{"status":"failed","model":"vendor/model","inference_id":"req-1","client_request_id":"mine"}`))
			return
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	_, err := client.FindSubmission(t.Context(), "mine", time.Now())
	if missing, ok := errors.AsType[*api.SubmissionNotFoundError](err); !ok || missing.Refused != 1 || missing.Rows != 1 {
		t.Errorf("%v", err)
	}
	status, body = http.StatusServiceUnavailable, ""
	_, err = client.FindSubmission(t.Context(), "mine", time.Now())
	if _, ok := errors.AsType[*api.PollError](err); !ok {
		t.Errorf("%v", err)
	}
	status, body = http.StatusOK, `{"id":"req-1","status":"error","error":{"name":"NSFW","message":"refused"}}`
	if found, err := client.FindSubmission(t.Context(), "mine", time.Now()); err != nil || !found.Failed {
		t.Errorf("%+v %v", found, err)
	}
	body = `{"id":"req-1","status":"generating"}` // evidence decides over labels
	if found, err := client.FindSubmission(t.Context(), "mine", time.Now()); err != nil || found.Failed {
		t.Errorf("%+v %v", found, err)
	}
}

func TestPriceText(t *testing.T) {
	for want, price := range map[string]api.Price{
		"variable":             {Kind: "variable"},
		"unknown":              {},
		"$0.21 per generation": {Kind: "fixed", Currency: "USD", Units: []api.Rate{{Unit: "generation", Price: 0.21, Per: 1}}},
		"$0.2 per 2 seconds (resolution 480p)": {
			Kind: "variants", Variants: []api.Rate{{When: map[string]any{"resolution": "480p"}, Unit: "second", Price: 0.2, Per: 2}},
		},
		"1 EUR per second (fps 16, resolution 720p)": {
			Kind: "variants", Currency: "EUR", Variants: []api.Rate{{When: map[string]any{"resolution": "720p", "fps": 16}, Unit: "second", Price: 1, Per: 1}},
		},
	} {
		if got := price.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBalance(t *testing.T) {
	srv := simulator.Start(t, simulator.WithBalance(12.5))
	balance, err := newClient(t, srv).Balance(t.Context())
	if err != nil || balance.USD != 12.5 || balance.Currency != "USD" {
		t.Errorf("%+v %v", balance, err)
	}
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey("another"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Balance(t.Context()); err != nil && !errors.Is(err, api.ErrUnauthorized) {
		t.Error(err)
	}
}

// clip writes an MP4 file that states a length and has nothing else.
func clip(t *testing.T, seconds float64) string {
	t.Helper()
	mvhd := make([]byte, 108)
	copy(mvhd[4:], "mvhd")
	binary.BigEndian.PutUint32(mvhd, uint32(len(mvhd)))
	binary.BigEndian.PutUint32(mvhd[20:], 1000)
	binary.BigEndian.PutUint32(mvhd[24:], uint32(seconds*1000))
	moov := binary.BigEndian.AppendUint32(nil, uint32(8+len(mvhd)))
	data := append([]byte("\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp42\x00\x00\x00\x10mdat12345678"), append(append(moov, "moov"...), mvhd...)...)
	path := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEstimate(t *testing.T) {
	perSecond := simulator.Price{Kind: "variants", Dimensions: []string{"resolution"}, Variants: []simulator.Rate{
		{When: map[string]any{"resolution": "480p"}, Price: 0.2, Unit: "second", Per: 2},
		{When: map[string]any{"resolution": "720p"}, Price: 0.39, Unit: "second", Per: 1},
	}}
	srv := simulator.Start(t, simulator.WithPrices(map[string]simulator.Price{
		"animate-move": perSecond, "vace-fun-pose": perSecond, "vace-fun-reframe": {Kind: "variable"},
	}))
	client := newClient(t, srv)
	local := api.File(clip(t, 5))
	pose := vacefunpose.Request{Model: vacefunpose.ModelID, VideoURL: local, Prompt: "p", Resolution: "720p"}
	with := func(change func(*vacefunpose.Request)) vacefunpose.Request {
		r := pose
		change(&r)
		return r
	}
	for _, tt := range []struct {
		name    string
		request any
		want    float64 // 0: unknown
	}{
		{"a local video", animatemove.Request{VideoURL: local, ImageURL: move.ImageURL, Resolution: "720p"}, 1.95},
		{"a price for two seconds", animatemove.Request{VideoURL: local, ImageURL: move.ImageURL, Resolution: "480p"}, 0.5},
		{"as a map", map[string]any{"model": "alibaba/wan2.2-14b-animate-move", "video_url": local, "resolution": "720p"}, 1.95},
		{"a remote video", animatemove.Request{VideoURL: move.VideoURL, ImageURL: move.ImageURL, Resolution: "720p"}, 0},
		{"no resolution", animatemove.Request{VideoURL: local, ImageURL: move.ImageURL}, 0},
		{"frames", with(func(r *vacefunpose.Request) { r.NumFrames, r.FramesPerSecond = new(160), new(16) }), 3.9},
		{"frames without a rate", with(func(r *vacefunpose.Request) { r.NumFrames = new(160) }), 0},
		{"neither", pose, 0},
		{"matched to the input", with(func(r *vacefunpose.Request) {
			r.MatchInputNumFrames, r.MatchInputFramesPerSecond = new(true), new(true)
		}), 1.95},
		{"half matched", with(func(r *vacefunpose.Request) {
			r.NumFrames, r.FramesPerSecond, r.MatchInputNumFrames = new(160), new(16), new(true)
		}), 0},
		{"a variable price", map[string]any{"model": "alibaba/wan2.2-vace-fun-a14b-reframe"}, 0},
		{"a fixed price", map[string]any{"model": "alibaba/wan2.2-14b-animate-replace"}, simulator.USDPerJob},
	} {
		t.Run(tt.name, func(t *testing.T) {
			estimate, err := client.Estimate(t.Context(), tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if estimate.Reason == "" || (estimate.USD == nil) != (tt.want == 0) || estimate.USD != nil && (*estimate.USD < tt.want-1e-9 || *estimate.USD > tt.want+1e-9) {
				t.Errorf("%+v, want %v", estimate, tt.want)
			}
		})
	}
	if _, err := client.Price(t.Context(), "no/such"); err == nil {
		t.Error("a model that isn't in the catalogue has a price")
	}
	if price, err := client.Price(t.Context(), "wan2.2-14b-animate-move"); err != nil || price.Model != "alibaba/wan2.2-14b-animate-move" { // by its alias
		t.Errorf("%+v %v", price, err)
	} else if e, err := price.Estimate(animatemove.Request{VideoURL: local, ImageURL: move.ImageURL, Resolution: "720p"}); err != nil || *e.USD < 1.949 || *e.USD > 1.951 { // one price for many
		t.Errorf("%+v %v", e, err)
	}
}

// A server may send fewer rows than it was asked for, and rows that name no generation.
func TestShortPages(t *testing.T) {
	row := func(status, client, id string) string {
		return fmt.Sprintf(`{"created":"2026-08-01T00:00:00Z","status":%q,"model":"m","cost":{"usd":1,"credits":2000000.5},"inference_id":%s,"client_request_id":%q}`, status, id, client)
	}
	rows := []string{row("succeeded", "other", `"a"`), row("failed", "mine", "null"), row("succeeded", "mine", `""`), row("succeeded", "mine", `"gen-1"`)}
	client := answering(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/logs":
			var offset int
			fmt.Sscan(r.URL.Query().Get("offset"), &offset)
			fmt.Fprintf(w, `{"data":[%s],"pagination":{"has_more":%t}}`, rows[offset], offset < len(rows)-1)
		case "/v2/billing/transactions":
			fmt.Fprint(w, `{"data":[],"pagination":{"next_cursor":null,"has_more":false}}`)
		default:
			fmt.Fprintf(w, `{"id":%q,"status":"generating"}`, r.URL.Query().Get("generation_id"))
		}
	})
	found, err := client.FindSubmission(t.Context(), "mine", time.Now())
	if err != nil || found.Job.ID() != "gen-1" {
		t.Errorf("%+v %v", found, err)
	}
}
