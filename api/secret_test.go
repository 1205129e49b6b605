package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
)

// Neither the API key nor the data of a medium appears in an error, a log line or a dump, whatever goes wrong, and even
// if the server repeats them.
func TestSecrets(t *testing.T) {
	const key = "canary-key-7f3b9c2e"
	data := []byte("\x89PNG\r\n\x1a\n" + strings.Repeat("canary-data", 100))
	canaries := []string{key, "canary-data", base64.StdEncoding.EncodeToString(data)[20:60]}
	image := "data:image/png;base64," + base64.StdEncoding.EncodeToString(data)
	request := animatemove.Request{
		VideoURL: api.URL("https://example.com/dance.mp4?signature=canary-key-7f3b9c2e"),
		ImageURL: api.Reader(bytes.NewReader(data), int64(len(data))),
	}
	withDataURI := request
	withDataURI.ImageURL = api.URL(image)
	echo := "Body validation error: received " + image + " with key " + key + " and\nAuthorization: Bearer " + key

	effects := []simulator.Effect{
		simulator.Status(400, echo), simulator.Status(401, echo), simulator.Status(403, echo), simulator.Status(500, echo),
		simulator.Body(`{"id":"other","status":"x","error":"` + key + image + `"}`), simulator.Body(`{"message":"` + strings.ReplaceAll(image, "/", `\/`) + `"}`), simulator.Body(`{"message":"` + image + `"}`),
		simulator.HTML(502), simulator.Reset(), simulator.Drop(), simulator.Truncate(), simulator.Cut(), simulator.Stall(),
		simulator.Redirect(302, "https://elsewhere.example.com/?key="+key),
		simulator.ContentType(key), simulator.RetryAfter(429, key),
	}
	check := func(t *testing.T, what, text string) {
		t.Helper()
		for _, canary := range canaries {
			if strings.Contains(text, canary) {
				t.Errorf("%s shows %q: %.300s", what, canary, text)
			}
		}
	}
	for _, operation := range []simulator.Operation{simulator.Submit, simulator.Poll, simulator.Download} {
		for _, effect := range effects {
			t.Run(fmt.Sprintf("%s/%s", operation, effect.Name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := simulator.StartInMemory(t, simulator.WithKey(key))
					srv.Inject(simulator.Fault{On: operation, Effect: effect})
					var log bytes.Buffer
					client := newClient(t, srv, api.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
					for _, r := range []animatemove.Request{request, withDataURI} {
						job, err := client.AnimateMove(t.Context(), r)
						var video *api.Video
						if err == nil {
							if g, _ := job.Poll(t.Context()); g != nil {
								check(t, "a generation", fmt.Sprintf("%+v %s", g, g.Raw))
							}
							video, err = job.Wait(t.Context(), api.OnProgress(func(p api.Progress) { check(t, "the progress", fmt.Sprintf("%+v", p)) }))
						}
						if err == nil {
							err = video.Save(t.Context(), filepath.Join(t.TempDir(), "out.mp4"))
						}
						for _, value := range []any{err, job, video, client, r} {
							check(t, fmt.Sprintf("a %T", value), fmt.Sprintf("%v %+v %s", value, value, value))
						}
						check(t, "the error's chain", chain(err))
						if err != nil && strings.Contains(err.Error(), "\n") {
							t.Errorf("the error has several lines: %v", err)
						}
					}
					check(t, "the log", log.String())
				})
			})
		}
	}
}

// chain prints what an error shows a program that looks into it.
func chain(err error) string {
	text := fmt.Sprint(err)
	if response := (*api.ResponseError)(nil); errors.As(err, &response) {
		text += fmt.Sprintf("\n%+v\n%s", *response, response.Body)
	}
	return text
}

// A request for a result carries nothing that belongs to the API.
func TestNoKeyToFiles(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	var headers http.Header
	srv.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.Effect{Name: "look", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			headers = r.Header.Clone()
			next.ServeHTTP(w, r)
		})
	}}})
	video := completed(t, newClient(t, srv))
	if err := video.Save(t.Context(), filepath.Join(t.TempDir(), "out.mp4")); err != nil {
		t.Fatal(err)
	}
	for name := range headers {
		if name != "User-Agent" && name != "Accept-Encoding" {
			t.Errorf("it carries %s", name)
		}
	}
}

// Nothing runs on after a call, however it ends: synctest fails a test that leaves a goroutine behind.
func TestNoGoroutinesLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t)
		client := newClient(t, srv)
		for _, effect := range []simulator.Effect{simulator.Stall(), simulator.StallBody(), simulator.Endless(), simulator.Reset()} {
			for _, operation := range []simulator.Operation{simulator.Submit, simulator.Poll, simulator.Download} {
				srv.ClearFaults()
				srv.Inject(simulator.Fault{On: operation, Effect: effect})
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				_ = makeVideo(ctx, client, filepath.Join(t.TempDir(), "out.mp4"))
				cancel()
			}
		}
	})
}
