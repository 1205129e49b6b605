package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/animatereplace"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
)

// Each model's method sends what was set and nothing else: unset, 0 and false are three things.
func TestModels(t *testing.T) {
	video, image := api.URL("https://example.com/v.mp4"), api.URL("https://example.com/i.png")
	tests := []struct {
		name   string
		submit func(context.Context, *api.Client) (*api.Job, error)
		want   string
	}{
		{"animate-move", func(ctx context.Context, c *api.Client) (*api.Job, error) {
			return c.AnimateMove(ctx, animatemove.Request{VideoURL: video, ImageURL: image, Resolution: animatemove.Resolution720p, Shift: new(0.0)})
		}, `{"image_url":"https://example.com/i.png","model":"alibaba/wan2.2-14b-animate-move","resolution":"720p","shift":0,"video_url":"https://example.com/v.mp4"}`},
		{"animate-replace", func(ctx context.Context, c *api.Client) (*api.Job, error) {
			return c.AnimateReplace(ctx, animatereplace.Request{VideoURL: video, ImageURL: image, Seed: new(0), EnableSafetyChecker: new(false)})
		}, `{"enable_safety_checker":false,"image_url":"https://example.com/i.png","model":"alibaba/wan2.2-14b-animate-replace","seed":0,"video_url":"https://example.com/v.mp4"}`},
		{"vace-fun-pose", func(ctx context.Context, c *api.Client) (*api.Job, error) {
			return c.VaceFunPose(ctx, vacefunpose.Request{VideoURL: video, Prompt: "p", NegativePrompt: new(""), ImageList: []api.Source{image, image}})
		}, `{"image_list":["https://example.com/i.png","https://example.com/i.png"],"model":"alibaba/wan2.2-vace-fun-a14b-pose","negative_prompt":"","prompt":"p","video_url":"https://example.com/v.mp4"}`},
		{"vace-fun-reframe", func(ctx context.Context, c *api.Client) (*api.Job, error) {
			return c.VaceFunReframe(ctx, vacefunreframe.Request{VideoURL: video, AspectRatio: vacefunreframe.AspectRatio9x16, TrimBorders: new(false), AutoDownsampleMinFPS: new(7.5)})
		}, `{"aspect_ratio":"9:16","auto_downsample_min_fps":7.5,"model":"alibaba/wan2.2-vace-fun-a14b-reframe","trim_borders":false,"video_url":"https://example.com/v.mp4"}`},
		{"any", func(ctx context.Context, c *api.Client) (*api.Job, error) {
			return c.Submit(ctx, map[string]any{"model": animatemove.ModelID, "video_url": video, "image_url": image, "mood": "happy"})
		}, `{"image_url":"https://example.com/i.png","model":"alibaba/wan2.2-14b-animate-move","mood":"happy","video_url":"https://example.com/v.mp4"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := simulator.Start(t)
			job, err := test.submit(t.Context(), newClient(t, srv))
			if err != nil {
				t.Fatal(err)
			}
			recorded := srv.Ledger().Jobs[0]
			if string(recorded.Body) != test.want {
				t.Errorf("sent %s\nwant %s", recorded.Body, test.want)
			}
			if recorded.ID != job.ID() || recorded.ClientRequestID != job.ClientRequestID() || job.ClientRequestID() == "" {
				t.Errorf("the job is %s %q, the ledger has %s %q", job.ID(), job.ClientRequestID(), recorded.ID, recorded.ClientRequestID)
			}
		})
	}
}

// Local media arrive byte for byte, wherever in the request they stand.
func TestLocalMedia(t *testing.T) {
	srv := simulator.Start(t)
	client := newClient(t, srv)
	dance, hero := "../conformance/testdata/dance.mp4", "../conformance/testdata/hero.png"
	image, err := os.ReadFile(hero)
	if err != nil {
		t.Fatal(err)
	}
	request := vacefunpose.Request{
		VideoURL:  api.File(dance),
		Prompt:    "p",
		ImageURL:  api.Reader(bytes.NewReader(image), int64(len(image))),
		ImageList: []api.Source{api.File(hero), api.URL("https://example.com/i.png")},
	}
	if _, err := client.VaceFunPose(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	request.Model = vacefunpose.ModelID
	want, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(want, []byte(base64.StdEncoding.EncodeToString(image))) {
		t.Fatal("encoding/json doesn't write the image")
	}
	sum := sha256.Sum256(want)
	if got := srv.Ledger().Jobs[0]; got.BodySHA256 != hex.EncodeToString(sum[:]) || got.BodySize != len(want) {
		t.Errorf("%d bytes arrived, %d were meant: %s", got.BodySize, len(want), got.Body)
	}
}

// Bad input is refused before anything is sent.
func TestInputErrors(t *testing.T) {
	srv := simulator.Start(t)
	client := newClient(t, srv, api.WithMaxMedia(10000))
	tests := []struct {
		name     string
		request  any
		property string
		opts     []api.SubmitOption
	}{
		{"required media", animatemove.Request{Model: animatemove.ModelID, VideoURL: api.URL("https://example.com/v.mp4")}, "image_url", nil},
		{"required text", vacefunpose.Request{Model: vacefunpose.ModelID, VideoURL: api.URL("https://example.com/v.mp4")}, "prompt", nil},
		{"enum", vacefunreframe.Request{Model: vacefunreframe.ModelID, VideoURL: api.URL("https://example.com/v.mp4"), Resolution: "1080p"}, "resolution", nil},
		{"model", animatemove.Request{Model: "other", VideoURL: move.VideoURL, ImageURL: move.ImageURL}, "model", nil},
		{"missing file", animatemove.Request{Model: animatemove.ModelID, VideoURL: api.File("nowhere.mp4"), ImageURL: move.ImageURL}, "video_url", nil},
		{"no video", animatemove.Request{Model: animatemove.ModelID, VideoURL: api.File("../conformance/testdata/hero.png"), ImageURL: move.ImageURL}, "video_url", nil},
		{"no image in a list", map[string]any{"model": "m", "image_list": []any{api.File("client.go")}}, "image_list", nil},
		{"a path as a URL", animatemove.Request{Model: animatemove.ModelID, VideoURL: api.URL("dance.mp4"), ImageURL: move.ImageURL}, "video_url", nil},
		{"nothing in a map", map[string]any{"model": "m", "image_url": api.File("")}, "image_url", nil},
		{"nothing in a list", map[string]any{"model": "m", "image_list": []api.Source{move.ImageURL, {}}}, "image_list", nil},
		{"too large", map[string]any{"model": "m", "image_url": api.File("../conformance/testdata/hero.png")}, "image_url", nil},
		{"no model", map[string]any{"a": 1}, "model", nil},
		{"an empty model", struct {
			Model string `json:"model"`
		}{}, "model", nil},
		{"a stream of unknown size", animatemove.Request{VideoURL: api.Stream(http.NoBody, -1), ImageURL: move.ImageURL}, "video_url", nil},
		{"request id", move, "client request id", []api.SubmitOption{api.WithClientRequestID("with space")}},
		{"long request id", move, "client request id", []api.SubmitOption{api.WithClientRequestID(strings.Repeat("x", 129))}},
		{"empty request id", move, "client request id", []api.SubmitOption{api.WithClientRequestID("")}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := client.Submit(t.Context(), test.request, test.opts...)
			if input := (*api.InputError)(nil); !errors.As(err, &input) || input.Property != test.property {
				t.Errorf("got %v, want an error about %s", err, test.property)
			}
		})
	}
	if ledger := srv.Ledger(); len(ledger.Requests) != 0 {
		t.Errorf("%d requests were sent", len(ledger.Requests))
	}
}

// One error has all that is wrong with media.
func TestSeveralInputErrors(t *testing.T) {
	client := newClient(t, simulator.Start(t))
	requests := map[string]any{
		"struct": animatemove.Request{VideoURL: api.Stream(http.NoBody, -1), ImageURL: api.File("nowhere.png")},
		"map":    map[string]any{"model": "m", "video_url": api.Stream(http.NoBody, -1), "image_url": api.File("nowhere.png")},
	}
	for name, request := range requests {
		_, err := client.Submit(t.Context(), request)
		const want = "wan: image_url: nowhere.png: no such file or directory; video_url: a reader: its size isn't known (-1); save it to a file first"
		if err == nil || err.Error() != want || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err := client.Submit(t.Context(), map[string]any{"model": "m", "image_list": []api.Source{{}, api.URL("ftp://example.com/")}})
	if input := (*api.InputError)(nil); !errors.As(err, &input) || err.Error() != "wan: image_list: empty; image_list: ftp:// isn't supported; give an https URL, such as a presigned one, or a file" {
		t.Errorf("list: got %v", err)
	}
}

func TestClientRequestID(t *testing.T) {
	srv := simulator.Start(t)
	id := strings.Repeat("aZ0._:-", 18) // 126 characters
	job, err := newClient(t, srv).AnimateMove(t.Context(), move, api.WithClientRequestID(id))
	if err != nil {
		t.Fatal(err)
	}
	if got := srv.Ledger().Jobs[0].ClientRequestID; got != id || job.ClientRequestID() != id {
		t.Errorf("the ledger has %q, the job %q", got, job.ClientRequestID())
	}
}

func TestNotSent(t *testing.T) {
	closed := simulator.Start(t)
	closed.Close()
	plain := simulator.Start(t)
	tests := []struct{ name, baseURL string }{
		{"refused", closed.URL},
		{"no such host", "https://wan-go.invalid"},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, err := api.New(api.WithBaseURL(test.baseURL), api.WithAPIKey("k"), api.WithRetryWindow(0))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.AnimateMove(t.Context(), move, api.WithClientRequestID("mine"))
			if notSent := (*api.NotSentError)(nil); !errors.As(err, &notSent) || notSent.ClientRequestID != "mine" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A server that is away for a while costs nothing but time.
func TestNotSentIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		srv.Close()
		time.AfterFunc(2*time.Second, func() {
			if err := srv.Up(); err != nil {
				t.Error(err)
			}
		})
		if _, err := newClient(t, srv).AnimateMove(t.Context(), move); err != nil {
			t.Fatal(err)
		}
		if ledger := srv.Ledger(); ledger.Created != 1 {
			t.Errorf("%d jobs", ledger.Created)
		}
	})
}

func TestNotSentGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		srv.Close()
		start := time.Now()
		_, err := newClient(t, srv).AnimateMove(t.Context(), move)
		if got := outcome(err); got != "not sent" {
			t.Errorf("%s: %v", got, err)
		}
		if took := time.Since(start); took < 3*time.Second || took > time.Minute {
			t.Errorf("it gave up after %v", took)
		}
	})
}

// The end of the context is obeyed at once, and what is known of the submission is reported.
func TestSubmitCancelled(t *testing.T) {
	tests := []struct {
		name    string
		fault   simulator.Effect
		down    bool
		after   time.Duration
		want    string
		created int
	}{
		{"before", simulator.Effect{}, false, 0, "not sent", 0},
		{"while it is tried again", simulator.Status(429), false, time.Millisecond, "rejected: too many requests", 0},
		{"while there is no server", simulator.Effect{}, true, time.Millisecond, "not sent", 0},
		{"before the answer", simulator.Stall(), false, time.Second, "unknown", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := simulator.StartInMemory(t)
				client := newClient(t, srv)
				if test.fault.Wrap != nil {
					srv.Inject(simulator.Fault{Effect: test.fault})
				}
				if test.down {
					srv.Close()
				}
				ctx, cancel := context.WithTimeout(t.Context(), test.after)
				defer cancel()
				start := time.Now()
				_, err := client.AnimateMove(ctx, move)
				if got := outcome(err); got != test.want || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", got, err)
				}
				if took := time.Since(start); took != test.after {
					t.Errorf("it took %v, not %v", took, test.after)
				}
				if ledger := srv.Ledger(); ledger.Created != test.created {
					t.Errorf("%d jobs, want %d", ledger.Created, test.created)
				}
			})
		})
	}
}

// A transport that knows nothing of httptrace may have sent what it read.
func TestForeignTransport(t *testing.T) {
	tests := []struct {
		name      string
		transport roundTripper
		want      string
	}{
		{"read and lost", func(r *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, r.Body)
			return nil, errors.New("lost")
		}, "unknown"},
		{"read by a first transport, a second one can't connect", func(r *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, r.Body)
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}, "unknown"},
		{"never read", func(*http.Request) (*http.Response, error) {
			return nil, errors.New("no way")
		}, "not sent"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			client, err := api.New(api.WithAPIKey("k"), api.WithRetryWindow(0), api.WithHTTPClient(&http.Client{
				Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
					calls++
					if r.GetBody != nil { // with it, HTTP/2 sends the submission again after a GOAWAY or a refused stream
						t.Error("the transport could send the body again")
					}
					return test.transport(r)
				}),
			}))
			if err != nil {
				t.Fatal(err)
			}
			_, err = client.AnimateMove(t.Context(), move)
			if got := outcome(err); got != test.want || calls != 1 {
				t.Errorf("%s after %d calls: %v", got, calls, err)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A file that changes while it is sent can't become a job.
func TestFileChanges(t *testing.T) {
	srv := simulator.Start(t)
	path := filepath.Join(t.TempDir(), "hero.png")
	data, err := os.ReadFile("../conformance/testdata/hero.png")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	// The transport truncates the file just before it reads it.
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := os.Truncate(path, 100); err != nil {
			return nil, err
		}
		return srv.Client().Transport.RoundTrip(r)
	})
	client := newClient(t, srv, api.WithHTTPClient(&http.Client{Transport: transport}))
	_, err = client.AnimateMove(t.Context(), animatemove.Request{VideoURL: move.VideoURL, ImageURL: api.File(path)})
	if got := outcome(err); got != "unknown" || !strings.Contains(fmt.Sprint(err), "changed its size") {
		t.Errorf("%s: %v", got, err)
	}
	if ledger := srv.Ledger(); ledger.Created != 0 {
		t.Errorf("%d jobs", ledger.Created)
	}
}

func TestRejectedError(t *testing.T) {
	srv := simulator.Start(t)
	_, err := newClient(t, srv).VaceFunPose(t.Context(), vacefunpose.Request{VideoURL: move.VideoURL, Prompt: "p", NumFrames: new(242)},
		api.WithClientRequestID("mine"), api.WithoutValidation())
	rejected, response := (*api.RejectedError)(nil), (*api.ResponseError)(nil)
	if !errors.As(err, &rejected) || !errors.As(err, &response) {
		t.Fatal(err)
	}
	if rejected.ClientRequestID != "mine" || response.StatusCode != http.StatusBadRequest || response.Path != "/v2/video/generations" ||
		response.RequestID == "" || response.Timestamp.IsZero() || len(response.Body) == 0 {
		t.Errorf("%+v", *response)
	}
	want := "wan: submission rejected by the server: the API returned status code 400: " + response.Message + " (request " +
		response.RequestID + ")"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
