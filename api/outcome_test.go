package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
)

const canaryKey = "canary-key-7f3b9c2e"

// through returns a client of a transport, which need not read the bodies of requests.
func through(t *testing.T, transport roundTripper, opts ...api.Option) *api.Client {
	t.Helper()
	client, err := api.New(append([]api.Option{api.WithAPIKey(canaryKey), api.WithHTTPClient(&http.Client{Transport: transport})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// respond returns a client whose transport responds to each request.
func respond(t *testing.T, f func(*http.Request) *http.Response, opts ...api.Option) *api.Client {
	t.Helper()
	return through(t, func(r *http.Request) (*http.Response, error) {
		if r.Body != nil {
			io.Copy(io.Discard, r.Body)
		}
		return f(r), nil
	}, opts...)
}

// answering does the same with a handler.
func answering(t *testing.T, handler http.HandlerFunc, opts ...api.Option) *api.Client {
	t.Helper()
	return respond(t, func(r *http.Request) *http.Response {
		recorder := httptest.NewRecorder()
		handler(recorder, r)
		return recorder.Result()
	}, opts...)
}

// response has a body of unknown length.
func response(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(body))}
}

// Only a refusal is a refusal. Status codes that no server should send leave the outcome unknown.
func TestOutcomeByStatusCode(t *testing.T) {
	const documented = `{"message":"no","statusCode":400,"path":"/","requestId":"r"}`
	for _, tt := range []struct {
		code int
		body string
		want string
	}{
		{-1, documented, "unknown"}, {0, documented, "unknown"}, {99, documented, "unknown"}, {199, documented, "unknown: unusable response"},
		{304, "", "unknown"}, {402, documented, "rejected"}, {402, "", "unknown"}, {418, "<html>", "unknown"},
		{408, documented, "rejected"}, {408, "<html>", "unknown"}, {408, "", "unknown"}, {408, `{"message":"timeout"}`, "unknown"},
		{451, documented, "rejected"}, {499, documented, "unknown"}, {500, documented, "unknown"}, {503, documented, "unknown"},
		{520, documented, "unknown"}, {599, "", "unknown"}, {600, documented, "unknown"}, {999, documented, "unknown"},
	} {
		t.Run(fmt.Sprint(tt.code, tt.body), func(t *testing.T) {
			posts := 0
			client := respond(t, func(*http.Request) *http.Response {
				posts++
				return response(tt.code, tt.body)
			})
			_, err := client.AnimateMove(t.Context(), move)
			if got := outcome(err); got != tt.want && got != tt.want+": unusable response" || posts != 1 {
				t.Errorf("%s after %d submissions: %v", got, posts, err)
			}
		})
	}
}

// The vendor sends X-Inference-Id with refusals too: it names no generation there.
func TestRefusedWithInferenceID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, code := range []int{400, 401, 403, 404, 429} {
			posts := 0
			client := respond(t, func(*http.Request) *http.Response {
				posts++
				r := response(code, `{"message":"no","statusCode":400}`)
				if posts == 2 {
					r = response(http.StatusOK, `{"id":"gen-1","status":"queued"}`)
				}
				r.Header.Set("X-Inference-Id", "gen-1")
				return r
			})
			_, err := client.AnimateMove(t.Context(), move)
			if again := code == http.StatusTooManyRequests; again != (err == nil) || !again && (posts != 1 || !strings.HasPrefix(outcome(err), "rejected")) {
				t.Errorf("%d: %d submissions: %v", code, posts, err)
			}
		}
	})
}

// A response that echoes another client request id belongs to another request, whatever it says.
func TestEcho(t *testing.T) {
	for _, code := range []int{200, 400, 429} {
		posts := 0
		client := respond(t, func(*http.Request) *http.Response {
			posts++
			return &http.Response{
				StatusCode: code, Header: http.Header{"X-Client-Request-Id": {"another"}, "X-Inference-Id": {"gen-1"}},
				Body: io.NopCloser(bytes.NewBufferString(`{"id":"gen-1","status":"queued"}`)),
			}
		})
		_, err := client.AnimateMove(t.Context(), move, api.WithClientRequestID("mine"))
		unknown := (*api.UnknownOutcomeError)(nil)
		if !errors.As(err, &unknown) || unknown.GenerationID != "" || unknown.ClientRequestID != "mine" || posts != 1 {
			t.Errorf("%d: %d submissions: %v", code, posts, err)
		}
	}
}

// stuck is a body that neither a context nor Close ends.
type stuck struct{ done chan struct{} }

func (s stuck) Read([]byte) (int, error) { <-s.done; return 0, io.EOF }

func (s stuck) Close() error { <-s.done; return nil }

// drip is a body that never ends and obeys nothing.
type drip struct{}

func (drip) Read(p []byte) (int, error) {
	time.Sleep(20 * time.Millisecond)
	p[0] = ' '
	return 1, nil
}

func (drip) Close() error { return nil }

// The context ends a call even while a body blocks, or keeps coming, that obeys nothing.
func TestStuckBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const dripping = 0
		done := make(chan struct{})
		defer close(done)
		calls := map[string]func(context.Context, *api.Client) error{
			"submit": func(ctx context.Context, c *api.Client) error { _, err := c.AnimateMove(ctx, move); return err },
			"wait":   func(ctx context.Context, c *api.Client) error { _, err := c.Job("x").Wait(ctx); return err },
			"find": func(ctx context.Context, c *api.Client) error {
				_, err := c.FindSubmission(ctx, "mine", time.Now())
				return err
			},
			"download": func(ctx context.Context, c *api.Client) error {
				g, err := c.Job("done").Poll(ctx)
				if err == nil {
					_, err = g.Video.Download(ctx, io.Discard)
				}
				return err
			},
		}
		for _, code := range []int{101, 200, 206, 400, 502, dripping} {
			for name, call := range calls {
				client := respond(t, func(r *http.Request) *http.Response {
					if r.URL.Query().Get("generation_id") == "done" {
						return response(http.StatusOK, `{"id":"done","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`)
					}
					if code == dripping {
						return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: -1, Body: drip{}}
					}
					return &http.Response{StatusCode: code, Header: http.Header{}, ContentLength: -1, Body: stuck{done}}
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				start := time.Now()
				err := call(ctx, client)
				cancel()
				unknown := (*api.UnknownOutcomeError)(nil)
				if took := time.Since(start); err == nil || took > 2*time.Second || name == "submit" && !errors.As(err, &unknown) {
					t.Errorf("%s, %d: after %v: %v", name, code, took, err)
				}
			}
		}
		time.Sleep(time.Second) // until the last drop has come
	})
}

// After 101 Switching Protocols the body is the connection.
func TestSwitchingProtocols(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		}
	}()
	client, err := api.New(api.WithBaseURL("http://"+listener.Addr().String()), api.WithAPIKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.AnimateMove(t.Context(), move)
	if unknown, response := (*api.UnknownOutcomeError)(nil), (*api.ResponseError)(nil); !errors.As(err, &unknown) || !errors.As(err, &response) || response.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("submit: %v", err)
	}
	if _, err := client.Job("x").Poll(t.Context()); err == nil {
		t.Error("poll: no error")
	}
}

// A transport that reads the body only after RoundTrip has returned gets nothing, so that "not sent" stays true.
func TestLateRead(t *testing.T) {
	read := make(chan int64, 1)
	client := through(t, func(r *http.Request) (*http.Response, error) {
		returned := r.Context()
		go func() {
			<-returned.Done()
			n, _ := io.Copy(io.Discard, r.Body)
			read <- n
		}()
		return nil, errors.New("no connection")
	}, api.WithRetryWindow(0))
	if _, err := client.AnimateMove(t.Context(), move); outcome(err) != "not sent" {
		t.Errorf("%v", err)
	}
	if n := <-read; n != 0 {
		t.Errorf("%d bytes were read after the attempt", n)
	}
}

// Words of other models end a wait as failures.
func TestFailedStatuses(t *testing.T) {
	for _, status := range []string{"error", "failed", "canceled", "cancelled", "expired", "rejected", "FAILED"} {
		client := respond(t, func(*http.Request) *http.Response {
			return response(http.StatusOK, `{"id":"x","status":"`+status+`","error":null,"video":null}`)
		})
		_, err := client.Job("x").Wait(t.Context())
		if failed := (*api.FailedError)(nil); !errors.As(err, &failed) || failed.GenerationID != "x" {
			t.Errorf("%s: %v", status, err)
		}
	}
}

// A failure keeps what the API says, and progress is passed on.
func TestFailureMembers(t *testing.T) {
	polls := 0
	client := respond(t, func(*http.Request) *http.Response {
		body := `{"id":"x","status":"generating","progress":40}`
		if polls++; polls > 1 {
			body = `{"id":"x","status":"failed","error":{"name":"NSFW","message":"refused","code":17,"data":{"frame":3}}}`
		}
		return response(http.StatusOK, body)
	})
	var reported []float64
	_, err := client.Job("x").Wait(t.Context(), api.OnProgress(func(p api.Progress) {
		if p.Reported != nil {
			reported = append(reported, *p.Reported)
		}
	}))
	failed := (*api.FailedError)(nil)
	if !errors.As(err, &failed) || failed.Code != "17" || string(failed.Data) != `{"frame":3}` || failed.Name != "NSFW" {
		t.Errorf("%+v", failed)
	}
	if len(reported) != 1 || reported[0] != 40 {
		t.Errorf("progress %v", reported)
	}
}

// The error of a deadline keeps why the last poll failed.
func TestLastPollError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := respond(t, func(*http.Request) *http.Response {
			return response(http.StatusServiceUnavailable, "maintenance")
		})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := client.Job("x").Wait(ctx)
		response := (*api.ResponseError)(nil)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &response) || response.Message != "maintenance" {
			t.Errorf("%v", err)
		}
	})
}

// The details of a failed validation are in the error.
func TestErrorDetails(t *testing.T) {
	client := respond(t, func(*http.Request) *http.Response {
		body := `{"message":"Body validation error","statusCode":400,"meta":["num_frames: expected 81, received 3"]}`
		return response(http.StatusBadRequest, body)
	})
	_, err := client.AnimateMove(t.Context(), move)
	response := (*api.ResponseError)(nil)
	if !errors.As(err, &response) || response.Details["meta"] != `["num_frames: expected 81, received 3"]` {
		t.Errorf("%+v", response)
	}
	want := `wan: submission rejected by the server: the API returned status code 400: Body validation error; meta: ["num_frames: expected 81, received 3"]`
	if err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// A request that is too large has a way out.
func TestTooLarge(t *testing.T) {
	client := respond(t, func(*http.Request) *http.Response {
		return response(http.StatusRequestEntityTooLarge, "<h1>Too large</h1>")
	})
	if _, err := client.AnimateMove(t.Context(), move); !strings.HasSuffix(err.Error(), "Too large; host the file and give its URL") {
		t.Errorf("%v", err)
	}
}
