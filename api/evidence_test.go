package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// Wherever an answer names a generation, it isn't lost.
func TestIDsInAnswers(t *testing.T) {
	const (
		documented = `{"message":"no","statusCode":%d}`
		nano       = "V1StGXR8_Z5jdHi6B-myT"
		full       = "b5592d70-dd31-4e5a-bc5c-5063660c001b:alibaba/wan2.2-14b-animate-move"
	)
	tests := []struct {
		name, header, body string
		status             int
		want, id           string
	}{
		{"accepted", "gen-1", `{"id":"gen-1","status":"queued"}`, 200, "accepted", "gen-1"},
		{"accepted, without the header", "", `{"id":"gen-1"}`, 201, "accepted", "gen-1"},
		{"a number", "", `{"status":"queued","id":17}`, 200, "accepted", "17"},
		{"in capitals", "", `{"ID":"gen-1"}`, 200, "accepted", "gen-1"},
		{"cut behind the id", "", `{"id":"gen-1","status":"que`, 200, "accepted", "gen-1"},
		{"cut within the id", "", `{"id":"gen`, 200, "unknown: unusable response", ""},
		{"cut within the id, with the header", "gen-1", `{"id":"gen`, 200, "accepted", "gen-1"},
		{"only in the header", "gen-1", ``, 202, "accepted", "gen-1"},
		{"generation_id first", "", `{"id":"request-1","generation_id":"gen-1"}`, 200, "accepted", "gen-1"},
		{"within data", "", `{"data":{"id":"gen-1"}}`, 200, "accepted", "gen-1"},
		{"in a list", "", `[{"id":"gen-1","status":"queued"}]`, 200, "accepted", "gen-1"},
		{"in a list within data", "", `{"data":[{"generation_id":"gen-1"}]}`, 200, "accepted", "gen-1"},
		{"behind a byte order mark", "", "\xef\xbb\xbf" + `{"id":"gen-1"}`, 200, "accepted", "gen-1"},
		{"an error body", "gen-1", fmt.Sprintf(documented, 400), 200, "unknown: unusable response", "gen-1"},
		{"no object", "", `["id","gen-1"]`, 200, "unknown: unusable response", ""},
		{"redirected", "gen-1", "", 302, "unknown", ""},
		{"refused, in the body", "", `{"id":"gen-1","status":"queued","message":"too busy","statusCode":409}`, 409, "unknown", "gen-1"},
		{"too many, in the body", "", `{"id":"gen-1","status":"queued","message":"too busy","statusCode":429}`, 429, "unknown: too many requests", "gen-1"},
		{"an id of the error's own", "", `{"id":"err-1","status":400,"message":"no","statusCode":400}`, 400, "rejected", ""},
		{"an empty id before another", "", `{"id":"","ID":"gen-1"}`, 200, "accepted", "gen-1"},
		{"refused", "gen-1", fmt.Sprintf(documented, 400), 400, "rejected", ""},
		{"timed out", "gen-1", fmt.Sprintf(documented, 408), 408, "rejected", ""},
		{"conflict", "gen-1", fmt.Sprintf(documented, 409), 409, "rejected", ""},
		{"too many, cut behind the id", "", `{"id":"gen-1","status":"queued"`, 429, "unknown: too many requests", "gen-1"},
		{"refused, cut behind the id", "", `{"id":"gen-1","sta`, 400, "unknown", "gen-1"},
		{"a generation within data, refused", "", `{"data":{"id":"gen-1","status":"queued"}}`, 400, "unknown", "gen-1"},
		{"failed", "gen-1", fmt.Sprintf(documented, 500), 500, "unknown", "gen-1"},
		{"failed, without the header", "", fmt.Sprintf(documented, 500), 500, "unknown", ""},
		{"elsewhere", "", "", 303, "unknown", ""},
		{"outside of JSON", "", `<html><script>{"id":"x"}</script>`, 200, "unknown: unusable response", ""},
		{"outside of JSON, refused", "", `<html><script>{"id":"x"}</script>`, 403, "rejected: forbidden, or out of credits", ""},
		{"a generation's id beside a message", "", `{"id":"` + full + `","message":"slow down"}`, 429, "unknown: too many requests", full},
		{"a short id beside a message", "", `{"id":"` + nano + `","message":"slow down"}`, 429, "unknown: too many requests", nano},
		{"the id of the header beside a message", "gen-1", `{"id":"gen-1","message":"slow down"}`, 403, "unknown: forbidden, or out of credits", "gen-1"},
		{"in an error", "", `{"error":{"generation_id":"abc"},"message":"x","statusCode":404}`, 404, "unknown: not found", "abc"},
		{"generationId", "", `{"message":"x","generationId":"` + nano + `"}`, 403, "unknown: forbidden, or out of credits", nano},
		{"generationId, accepted", "", `{"generationId":"gen-1","status":"queued"}`, 200, "accepted", "gen-1"},
		{"generationId before data", "", `{"message":"x","generationId":"gen-1","data":{"id":"other"}}`, 400, "unknown", "gen-1"},
		{"generationId, cut", "", `{"generationId":"gen-1","mess`, 400, "unknown", "gen-1"},
		{"a job", "", `{"message":"x","job":{"id":"` + nano + `"}}`, 400, "unknown", nano},
		{"a job beside an error's own id", "", `{"id":"err-1","message":"x","job":{"id":"gen-1"}}`, 400, "unknown", "gen-1"},
		{"generationId in a result", "", `{"id":"err-1","message":"x","result":{"generationId":"gen-1"}}`, 422, "unknown", "gen-1"},
		{"in data without an id", "", `{"message":"x","data":{},"error":{"generationId":"gen-1"}}`, 400, "unknown", "gen-1"},
		{"an error with the id", "", `{"error":{"id":"` + full + `","message":"x"}}`, 400, "unknown", full},
		{"generation_id in data", "", `{"message":"x","statusCode":429,"id":"req_1","data":{"generation_id":"gen-1"}}`, 429, "unknown: too many requests", "gen-1"},
		{"behind a byte order mark, refused", "", "\xef\xbb\xbf" + `{"message":"x","job":{"id":"gen-1"}}`, 400, "unknown", "gen-1"},
		{"a request id", "gen-1", `{"id":"req_7f3b9c2e","message":"no"}`, 400, "rejected", ""},
		{"a request id of 21 characters", "gen-1", `{"id":"req_7f3b9c2e7f3b9c2e7","message":"no"}`, 400, "rejected", ""},
		{"requestId", "", `{"message":"no","statusCode":404,"requestId":"` + nano + `"}`, 404, "rejected: not found", ""},
		{"a word of 21 characters", "", `{"id":"authentication_failed","message":"no"}`, 401, "rejected: the API key isn't valid", ""},
		{"a number of the error's own", "", `{"id":17,"message":"no"}`, 400, "rejected", ""},
		{"an error's own id in it", "", `{"error":{"id":"err_17","message":"no"}}`, 400, "rejected", ""},
		{"requestId in an error", "", `{"error":{"requestId":"` + nano + `","message":"no"}}`, 422, "rejected", ""},
		{"a model's id", "", `{"message":"no","model":{"id":"` + nano + `"},"statusCode":400}`, 400, "rejected", ""},
		{"an empty generation", "", `{"message":"no","generation":null,"job":{},"generation_id":"","statusCode":400}`, 400, "rejected", ""},
		{"a URL of 21 characters", "", `{"id":"https://example.com/1","message":"no"}`, 400, "rejected", ""},
		{"a generation beside a message", "", `{"message":"slow down","generation":{"id":"x","status":"queued"}}`, 429, "unknown: too many requests", "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			posts := 0
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				posts++
				if test.header != "" {
					w.Header().Set("X-Inference-Id", test.header)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			})
			job, err := client.AnimateMove(t.Context(), move)
			got, id := "accepted", ""
			if unknown := (*api.UnknownOutcomeError)(nil); err != nil {
				if got = outcome(err); errors.As(err, &unknown) {
					id = unknown.GenerationID
				}
				// What came instead is there for whoever has to find out.
				if response := (*api.ResponseError)(nil); !errors.As(err, &response) || response.StatusCode != test.status || string(response.Body) != test.body {
					t.Errorf("the answer is %+v", response)
				}
			} else {
				id = job.ID()
			}
			if got != test.want || id != test.id {
				t.Errorf("%s with the id %q, want %s with %q: %v", got, id, test.want, test.id, err)
			}
			if posts != 1 {
				t.Errorf("%d submissions were sent", posts)
			}
		})
	}
}

// An answer that breaks off behind the id is still no acceptance, but the id is known.
func TestIDInBrokenAnswer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "500")
		io.WriteString(w, `{"id":"gen-1","status":"queued"}`)
	}))
	defer srv.Close()
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.AnimateMove(t.Context(), move)
	unknown := (*api.UnknownOutcomeError)(nil)
	if !errors.As(err, &unknown) || unknown.GenerationID != "gen-1" || !errors.Is(err, api.ErrBadResponse) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// The transport's own errors and what servers echo can hold the key, too, and ids can hold anything.
func TestHostileAnswers(t *testing.T) {
	const key = canaryKey
	t.Run("a header line that is none", func(t *testing.T) {
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
				if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					io.Copy(io.Discard, r.Body)
				}
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nAuthorization Bearer "+key+"\r\n\r\n")
				conn.Close()
			}
		}()
		client, err := api.New(api.WithBaseURL("http://"+listener.Addr().String()), api.WithAPIKey(key))
		if err != nil {
			t.Fatal(err)
		}
		_, submitted := client.AnimateMove(t.Context(), move)
		_, polled := client.Job("x").Poll(t.Context())
		for _, err := range []error{submitted, polled} {
			if err == nil || !strings.Contains(err.Error(), "malformed MIME header") || strings.Contains(err.Error(), key) {
				t.Errorf("%v", err)
			}
		}
	})
	t.Run("a transport that tells all", func(t *testing.T) {
		client := through(t, func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("refused\n %v by https://user:password@proxy/?token=secret", r.Header)
		})
		_, err := client.Job("x").Poll(t.Context())
		if want := "wan: polling generation x: refused map[Accept:[application/json] Authorization:[Bearer [API key]] User-Agent:[wan-go]] by https://proxy/?..."; err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	})
	t.Run("the key where an error is cut", func(t *testing.T) {
		for before := 470; before <= 500; before++ {
			client := through(t, func(*http.Request) (*http.Response, error) {
				return nil, errors.New(strings.Repeat("x", before) + key)
			})
			if _, err := client.Job("x").Poll(t.Context()); strings.Contains(err.Error(), key[:8]) {
				t.Fatalf("behind %d bytes: %.40q", before, err.Error()[len(err.Error())-40:])
			}
		}
	})
	t.Run("a transport that has sent nothing", func(t *testing.T) {
		client := through(t, func(r *http.Request) (*http.Response, error) {
			return nil, notSentError{"refused: " + r.Header.Get("Authorization")}
		})
		_, err := client.AnimateMove(t.Context(), move)
		if input := (*api.InputError)(nil); !errors.As(err, &input) || strings.Contains(err.Error(), key) {
			t.Errorf("%v", err)
		}
	})
	t.Run("words that repeat what was sent", func(t *testing.T) {
		for _, sent := range []string{
			"data:video/mp4;base64,SECRET", "DATA:video/mp4;base64,SECRET", `data:video/mp4;codecs="avc1";base64,SECRET`, "data:video/mp4; x=1;base64,SECRET",
			"data:,SECRET", "https://example.com/v.mp4?signature=SECRET", "HTTPS://example.com/v.mp4?a=b&signature=SECRET",
		} {
			client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_ = json.NewEncoder(w).Encode(map[string]any{"message": "metadata: no, I can't fetch " + sent + " now", "statusCode": 400})
			})
			_, err := client.AnimateMove(t.Context(), move)
			if err == nil || strings.Contains(err.Error(), "SECRET") || !strings.HasPrefix(err.Error(), "wan: submission rejected by the server: the API returned status code 400: metadata: no, I can't fetch ") ||
				!strings.HasSuffix(err.Error(), " now") {
				t.Errorf("%s: %v", sent, err)
			}
		}
	})
	t.Run("the key at the end of what is kept", func(t *testing.T) {
		client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, strings.Repeat("x", 64<<10-len(key)+1)+key)
		})
		_, err := client.Job("x").Poll(t.Context())
		response := (*api.ResponseError)(nil)
		if !errors.As(err, &response) || len(response.Body) > 64<<10 || bytes.Contains(response.Body, []byte(key[:8])) {
			t.Errorf("%v: %q", err, response.Body[len(response.Body)-30:])
		}
	})
	t.Run("an id that moves the cursor", func(t *testing.T) {
		const id = "a\n\x1b[2Jb"
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				io.WriteString(w, `{"id":"a\n\u001b[2Jb","status":"queued"}`)
				return
			}
			http.NotFound(w, r)
		})
		job, err := client.AnimateMove(t.Context(), move)
		if err != nil || job.ID() != id {
			t.Fatalf("%q %v", job, err)
		}
		_, polled := job.Poll(t.Context())
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, waited := job.Wait(ctx)
		for _, err := range []error{polled, waited, &api.DownloadError{GenerationID: id, Err: polled}, &api.FailedError{GenerationID: id},
			&api.UnknownOutcomeError{GenerationID: id, Err: polled}} {
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q", err)
			}
		}
	})
	t.Run("an answer that repeats the key", func(t *testing.T) {
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"id":17,"status":"queued","you":"`+r.Header.Get("Authorization")+`","sent":"data:image/png;base64,AAAA"}`)
		})
		g, err := client.Job("17").Poll(t.Context())
		if want := `{"id":17,"status":"queued","you":"Bearer [API key]","sent":"data:..."}`; err != nil || string(g.Raw) != want || g.ID != "17" {
			t.Errorf("%+v %v", g, err)
		}
	})
	t.Run("a status that repeats the key", func(t *testing.T) {
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"id":"x","status":"bad `+r.Header.Get("Authorization")+`"}`)
		})
		if g, err := client.Job("x").Poll(t.Context()); err != nil || g.Status != "bad Bearer [API key]" {
			t.Errorf("%+v %v", g, err)
		}
	})
	t.Run("a price that is no number", func(t *testing.T) {
		client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Aimlapi-Usd-Spent", "NaN")
			w.Header().Set("X-Aimlapi-Credits-Used", "-Inf")
			io.WriteString(w, `{"id":"x","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`)
		})
		video, err := client.Job("x").Wait(t.Context())
		if err != nil || video.Usage.USD != nil || video.Usage.Credits != nil {
			t.Errorf("%+v %v", video, err)
		}
	})
	t.Run("a Location that can't be parsed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client := answering(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("generation_id") == "done" {
					io.WriteString(w, `{"id":"done","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`)
					return
				}
				w.Header().Set("Location", "//user:secret@cdn.example.com:port/?signature=secret&key="+key)
				w.WriteHeader(http.StatusFound)
			})
			_, submitted := client.AnimateMove(t.Context(), move)
			_, polled := client.Job("x").Poll(t.Context())
			video, err := client.Job("done").Wait(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, downloaded := video.Download(t.Context(), io.Discard)
			for _, err := range []error{submitted, polled, downloaded} {
				if err == nil || !strings.Contains(err.Error(), "Location") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), key) {
					t.Errorf("%v", err)
				}
			}
		})
	})
	t.Run("a redirect that takes the key off TLS", func(t *testing.T) {
		requests := 0
		client := answering(t, func(w http.ResponseWriter, r *http.Request) {
			requests++
			http.Redirect(w, r, "http://"+r.URL.Host+r.URL.RequestURI(), http.StatusFound)
		})
		if _, err := client.Job("x").Poll(t.Context()); err == nil || requests != 1 {
			t.Errorf("%d requests: %v", requests, err)
		}
	})
}

type notSentError struct{ text string }

func (e notSentError) Error() string { return e.text }

func (notSentError) NotSent() bool { return true }

// Once Submit has returned, nobody is called any more, although the transport may still be reading.
func TestOnUploadEnds(t *testing.T) {
	data := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 20<<20)...)
	request := move
	request.ImageURL = api.Reader(bytes.NewReader(data), int64(len(data)))
	for range 5 {
		srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{On: simulator.Submit, Effect: simulator.Empty(http.StatusBadRequest)}))
		var over atomic.Bool
		_, err := newClient(t, srv).AnimateMove(t.Context(), request, api.OnUpload(func(int64, int64) {
			if over.Load() {
				t.Error("it is called after the end")
			}
		}))
		over.Store(true)
		if err == nil {
			t.Error("accepted")
		}
		srv.Close()
	}
}

// A result that has come counts, whatever the context says by then.
func TestDoneAtTheEndOfTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		cancel()
		io.WriteString(w, `{"id":"x","status":"completed","video":{"url":"https://cdn.example.com/video.mp4"}}`)
	})
	if _, err := client.Job("x").Wait(ctx); err != nil {
		t.Error(err)
	}
}

// Media may take longer to send than a submission may stand still.
func TestSlowUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := simulator.StartInMemory(t, simulator.WithFaults(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{
			Name: "slow reader",
			Wrap: func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Body = slowly{r.Body}
					next.ServeHTTP(w, r)
				})
			},
		}}))
		data := append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 1<<20)...)
		request := move
		request.ImageURL = api.Reader(bytes.NewReader(data), int64(len(data)))
		start := time.Now()
		if _, err := newClient(t, srv).AnimateMove(t.Context(), request); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 4*time.Minute {
			t.Errorf("it took %v only", took)
		}
	})
}

// slowly reads at most a megabyte in five minutes.
type slowly struct{ io.ReadCloser }

func (s slowly) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p[:min(len(p), 32<<10)])
	time.Sleep(time.Duration(n) * 5 * time.Minute >> 20)
	return n, err
}

// A type of the caller's own is sent as it is.
func TestSubmitOwnType(t *testing.T) {
	srv := simulator.Start(t)
	_, err := newClient(t, srv).Submit(t.Context(), struct {
		Model          string `json:"model"`
		NegativePrompt string `json:"negative_prompt"`
	}{Model: "some/new-model"})
	if got := outcome(err); got != "rejected" { // by the simulator, which doesn't know the model
		t.Errorf("%s: %v", got, err)
	}
}
