package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	wan "github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
)

func TestMarshalRequest(t *testing.T) {
	before := vacefunpose.Request{
		Model: vacefunpose.ModelID, Prompt: "p", Seed: new(7),
		VideoURL:  wan.File("clips/dance.mp4"),
		ImageURL:  wan.URL("https://example.com/a?b&c"),
		ImageList: []wan.Source{wan.File("hero.png"), wan.URL("data:image/png;base64,iVBORw0KGgo=")},
	}
	data, err := wan.MarshalRequest(before)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil || members["video_url"] != "clips/dance.mp4" || members["prompt"] != "p" {
		t.Errorf("got %s, %v", data, err)
	}
	var after vacefunpose.Request
	if err := wan.UnmarshalRequest(data, &after); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(after, before) {
		t.Errorf("%s was decoded as %+v", data, after)
	}
	// JSON that comes from elsewhere names no files of this machine.
	if err := json.Unmarshal(data, &after); err != nil || after.VideoURL.IsLocal() {
		t.Errorf("json.Unmarshal made %#v of a path, %v", after.VideoURL, err)
	}
}

func TestMarshalRequestFails(t *testing.T) {
	input := (*wan.InputError)(nil)
	_, err := wan.MarshalRequest(animatemove.Request{VideoURL: wan.URL("https://example.com/v"), ImageURL: wan.Bytes([]byte("x"))})
	if !errors.As(err, &input) || input.Property != "image_url" {
		t.Errorf("bytes in memory: %v", err)
	}
	var request animatemove.Request
	for _, data := range []string{`{"video_url":"s3://bucket/v.mp4"}`, `{"video_url":7}`, `[]`, `{`} {
		if err := wan.UnmarshalRequest([]byte(data), &request); !errors.As(err, &input) {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// An unusable value is never repeated in the error.
func TestUnusableMedia(t *testing.T) {
	client := newClient(t, simulator.Start(t))
	encoded := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAABQAAAALQCAYAAADPfd1W", 30000)
	for _, value := range []string{encoded, "s3://bucket/v.mp4?" + encoded, encoded[:40]} {
		_, err := client.Submit(t.Context(), map[string]any{"model": "m", "image_url": wan.URL(value)})
		if input := (*wan.InputError)(nil); !errors.As(err, &input) || input.Property != "image_url" || len(err.Error()) > 200 {
			t.Errorf("%.20s: %.300v", value, err)
		}
	}
}

// A stream that was read isn't sent again; one that wasn't read is.
func TestStream(t *testing.T) {
	data, err := os.ReadFile("../conformance/testdata/hero.png")
	if err != nil {
		t.Fatal(err)
	}
	request := func(source wan.Source) animatemove.Request {
		return animatemove.Request{VideoURL: wan.URL("https://example.com/v.mp4"), ImageURL: source}
	}
	srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{
		On: simulator.Submit, Times: 1, Effect: simulator.Status(http.StatusTooManyRequests, "slow down"),
	}))
	client := newClient(t, srv)
	stream := wan.Stream(bytes.NewReader(data), int64(len(data)))
	_, err = client.AnimateMove(t.Context(), request(stream))
	if rejected := (*wan.RejectedError)(nil); !errors.As(err, &rejected) || !errors.Is(err, wan.ErrTooManyRequests) {
		t.Errorf("after 429: %v", err)
	}
	_, err = client.AnimateMove(t.Context(), request(stream))
	if input := (*wan.InputError)(nil); !errors.As(err, &input) || input.Property != "image_url" {
		t.Errorf("a second submission of the stream: %v", err)
	}
	if n := len(srv.Ledger().Jobs); n != 0 {
		t.Fatalf("%d jobs", n)
	}
	stream = wan.Stream(bytes.NewReader(data), int64(len(data)))
	if _, err = client.AnimateMove(t.Context(), request(stream)); err != nil {
		t.Fatal(err)
	}
	whole := request(wan.Bytes(data))
	whole.Model = animatemove.ModelID
	want, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(want)
	if job := srv.Ledger().Jobs[0]; job.BodySHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the stream didn't arrive whole: %d bytes, want %d", job.BodySize, len(want))
	}
}

// slowSource has some bytes and blocks behind them.
type slowSource struct {
	io.Reader

	end <-chan struct{}
}

func (s slowSource) Read(p []byte) (int, error) {
	if n, _ := s.Reader.Read(p); n > 0 {
		return n, nil
	}
	<-s.end
	return 0, io.EOF
}

// closable also ends when it is closed.
type closable struct {
	slowSource

	end context.CancelFunc
}

func (c closable) Close() error { c.end(); return nil }

// The context ends a submission although a stream blocks, and closes the stream if it can.
func TestBlockedStream(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 5000)
	for _, test := range []struct{ name, first, mediaType, want string }{
		{"at the first byte", "", "", "not sent"},
		{"within the first bytes", png[:100], "", "not sent"},
		{"after the first bytes", png, "", "unknown"},
		{"at the first byte, with a media type", "", "image/png", "unknown"},
	} {
		for _, closes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/closes=%t", test.name, closes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					client := newClient(t, simulator.StartInMemory(t))
					ended, end := context.WithCancel(t.Context())
					defer end()
					slow := slowSource{strings.NewReader(test.first), ended.Done()}
					var r io.Reader = slow
					if closes {
						r = closable{slow, end}
					}
					request := move
					request.ImageURL = wan.Stream(r, 1<<20).WithMediaType(test.mediaType)
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					start := time.Now()
					_, err := client.AnimateMove(ctx, request)
					if took := time.Since(start); took != time.Second || outcome(err) != test.want || !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("after %v: %v", took, err)
					}
					synctest.Wait()
					if closed := ended.Err() != nil; closed != closes {
						t.Errorf("closed: %t", closed)
					}
				})
			})
		}
	}
}

// All findings come at once, and nothing is sent, unless the caller wants it.
func TestValidation(t *testing.T) {
	srv := simulator.Start(t)
	client := newClient(t, srv)
	request := vacefunpose.Request{VideoURL: wan.URL("https://example.com/v.mp4"), NumFrames: new(1), Resolution: "9p"}
	_, err := client.VaceFunPose(t.Context(), request)
	input, invalid := (*wan.InputError)(nil), (*wan.ValidationError)(nil)
	if !errors.As(err, &input) || !errors.As(err, &invalid) {
		t.Fatalf("got %v", err)
	}
	var properties []string
	for _, f := range invalid.Findings {
		properties = append(properties, f.Property)
		if !strings.Contains(err.Error(), f.Property) {
			t.Errorf("%q doesn't name %s", err, f.Property)
		}
	}
	if !slices.Contains(properties, "num_frames") || !slices.Contains(properties, "prompt") || !slices.Contains(properties, "resolution") {
		t.Errorf("the findings are about %q", properties)
	}
	if strings.Count(err.Error(), input.Property) != 1 || !strings.HasPrefix(err.Error(), "wan: invalid request: "+input.Property+" ") {
		t.Errorf("the error is %q", err)
	}
	if n := len(srv.Ledger().Requests); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	_, err = client.VaceFunPose(t.Context(), request, wan.WithoutValidation())
	if rejected := (*wan.RejectedError)(nil); !errors.As(err, &rejected) {
		t.Errorf("without validation: %v", err)
	}
	if _, err = client.Submit(t.Context(), (*vacefunpose.Request)(nil)); !errors.As(err, &input) {
		t.Errorf("a nil request: %v", err)
	}
}
