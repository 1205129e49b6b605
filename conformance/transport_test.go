package conformance_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
	"github.com/aimlvideo/wan-go/spec"
)

// Client and simulator conform to the specs: submission, polls and download cause no finding.
func TestTransportWithClient(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	_, high, _ := numFrames(t)
	for _, strict := range []bool{false, true} {
		transport := &conformance.Transport{Strict: strict}
		client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key), api.WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			t.Fatal(err)
		}
		job, err := client.VaceFunPose(t.Context(), vacefunpose.Request{
			VideoURL: api.File("testdata/dance.mp4"), Prompt: "p", ImageURL: api.File("testdata/hero.png"), NumFrames: new(high),
		})
		if err != nil {
			t.Fatal(err)
		}
		video, err := job.Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := video.Save(t.Context(), filepath.Join(t.TempDir(), "out.mp4")); err != nil {
			t.Fatal(err)
		}
		if findings := transport.Findings(); findings != nil {
			t.Errorf("strict=%t: %v", strict, findings)
		}
	}
	// Equal sizes: the bodies arrived unchanged.
	if jobs := srv.Ledger().Jobs; len(jobs) != 2 || jobs[0].BodySHA256 != jobs[1].BodySHA256 {
		t.Errorf("%+v", jobs)
	}
}

// In strict mode, an invalid request is not sent, and the client reports it.
func TestTransportStrict(t *testing.T) {
	srv := simulator.Start(t)
	_, high, integer := numFrames(t)
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key),
		api.WithHTTPClient(&http.Client{Transport: &conformance.Transport{Strict: true}}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.VaceFunPose(t.Context(), vacefunpose.Request{VideoURL: api.URL("https://example.com/v.mp4"), Prompt: "p", NumFrames: new(high + 1)}, api.WithoutValidation())
	input, strict := (*api.InputError)(nil), (*conformance.StrictError)(nil)
	if !errors.As(err, &input) || !errors.As(err, &strict) || !strings.Contains(err.Error(), fmt.Sprintf("/num_frames: expected %s, received %d", integer, high+1)) {
		t.Errorf("%T %v", err, err)
	}
	if requests := srv.Ledger().Requests; len(requests) != 0 {
		t.Errorf("%d requests were sent", len(requests))
	}
}

func TestTransportFindings(t *testing.T) {
	const get = "/v2/video/generations?generation_id=x"
	ok := fmt.Sprintf(move, "")
	json := http.Header{"Content-Type": {"application/json"}}
	with := func(name, value string) http.Header {
		h := json.Clone()
		h.Set(name, value)
		return h
	}
	var models []string
	for _, d := range spec.Models() {
		models = append(models, d.Model)
	}
	tests := []struct {
		name           string
		method, target string
		header         http.Header
		body           string
		status         int
		responseHeader http.Header
		response       string
		want           string
	}{
		{"all well", "POST", "/v2/video/generations", nil, ok, 201, json, `{"id":"x","status":"queued"}`, ""},
		{"below a prefix", "POST", "/proxy/v2/video/generations", nil, `{}`, 400, json, `{"message":"m","statusCode":400}`,
			"violation: submitGeneration request: /model: expected one of " + strings.Join(models, ", ") + ", received nothing"},
		{"not the API", "GET", "/files/x.mp4", http.Header{"Authorization": nil}, "", 500, nil, `rubbish`, ""},

		{"request", "POST", "/v2/video/generations", nil, fmt.Sprintf(move, `,"shift":"5","mood":{}`), 200, json, `{"id":"x","status":"queued"}`,
			"violation: submitGeneration request: /shift: expected a number, received \"5\"\n" +
				"undocumented: submitGeneration request: /mood: expected a documented property, received an object"},
		{"no key", "GET", get, http.Header{"Authorization": nil}, "", 401, json, `{"message":"m","statusCode":401}`,
			"violation: getGeneration request: Authorization: expected a bearer key, received none"},
		{"request id", "GET", get, with("X-Client-Request-Id", "a b"), "", 200, json, `{"id":"x","status":"queued"}`,
			`violation: getGeneration request: X-Client-Request-Id: expected 1 to 128 letters, digits and ._:-, received a string of 3 characters`},
		{"lower case", "GET", get, with("Authorization", "bearer kkk"), "", 200, json, `{"id":"x","status":"queued"}`, ""},
		{"content type", "POST", "/v2/video/generations", http.Header{"Content-Type": {"text/plain"}}, ok, 200, json, `{"id":"x","status":"queued"}`,
			`violation: submitGeneration request: Content-Type: expected application/json, received "text/plain"`},
		{"no id asked for", "GET", "/v2/video/generations", nil, "", 400, json, `{"message":"m","statusCode":400}`,
			"violation: getGeneration request: ?generation_id: expected a generation id, received nothing"},

		{"response", "GET", get, nil, "", 200, json, `{"id":"x","status":7,"extra":1,"meta":{"usage":{"credits_used":1,"more":[]}}}`,
			"violation: getGeneration response 200: /status: expected one of queued, waiting, active, generating, completed, error, received 7\n" +
				"undocumented: getGeneration response 200: /extra: expected a documented property, received a number\n" +
				"undocumented: getGeneration response 200: /meta/usage/more: expected a documented property, received an array"},
		{"foreign word", "GET", get, nil, "", 200, json, `{"id":"x","status":"dreaming"}`,
			`undocumented: getGeneration response 200: /status: expected one of queued, waiting, active, generating, completed, error, received "dreaming"`},
		{"empty word", "GET", get, nil, "", 200, json, `{"id":"x","status":""}`,
			`violation: getGeneration response 200: /status: expected one of queued, waiting, active, generating, completed, error, received an empty string`},
		{"undocumented success", "POST", "/v2/video/generations", nil, ok, 202, json, `{"id":"","status":"queued"}`,
			"undocumented: submitGeneration response 202: status code: expected a documented one, received 202\n" +
				"violation: submitGeneration response 202: /id: expected a non-empty string, received an empty string"},
		{"undocumented success without JSON", "GET", get, nil, "", 202, http.Header{"Content-Type": {"text/html; a=b"}}, `<html>`,
			"undocumented: getGeneration response 202: status code: expected a documented one, received 202\n" +
				"undocumented: getGeneration response 202: Content-Type: expected application/json, received \"text/html\"\n" +
				"violation: getGeneration response 202: body: expected well-formed JSON, received something else at byte 0"},
		{"identity", "GET", get, nil, "", 200, http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"identity"}}, `{"id":"","status":"queued"}`,
			"violation: getGeneration response 200: /id: expected a non-empty string, received an empty string"},
		{"undocumented status", "GET", get, nil, "", 418, json, `{}`, "undocumented: getGeneration response 418: status code: expected a documented one, received 418"},
		{"no JSON", "GET", get, nil, "", 502, http.Header{"Content-Type": {"text/html"}}, `<html>`,
			"undocumented: getGeneration response 502: Content-Type: expected application/json, received \"text/html\"\n" +
				"violation: getGeneration response 502: body: expected well-formed JSON, received something else at byte 0"},
		{"completed without a URL", "GET", get, nil, "", 200, json, `{"id":"x","status":"completed","video":null}`,
			"violation: getGeneration response 200: /video/url: expected the URL of the video, received nothing"},
		{"error without a reason", "GET", get, nil, "", 200, json, `{"id":"x","status":"error"}`,
			"violation: getGeneration response 200: /error: expected an error with name and message, received null"},
		{"error too soon", "GET", get, nil, "", 200, json, `{"id":"x","status":"queued","error":{"name":"n","message":"m"}}`,
			"violation: getGeneration response 200: /error: expected none with the status queued, received an object"},
		{"video too soon", "GET", get, nil, "", 200, json, `{"id":"x","status":"generating","video":{"url":"https://a/v.mp4"}}`,
			"violation: getGeneration response 200: /video: expected none with the status generating, received an object"},
		{"error with a foreign word", "GET", get, nil, "", 200, json, `{"id":"x","status":"failed","error":{"name":"n","message":"m"}}`,
			`undocumented: getGeneration response 200: /status: expected one of queued, waiting, active, generating, completed, error, received "failed"`},
		{"the id with its model", "GET", get, nil, "", 200, json, `{"id":"x:vendor/model","status":"queued"}`, ""},
		{"another id", "GET", get, nil, "", 200, json, `{"id":"X","status":"queued"}`,
			"violation: getGeneration response 200: /id: expected the requested id, received another one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			transport := &conformance.Transport{Base: roundTripper(func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					if got, err := io.ReadAll(r.Body); string(got) != test.body || err != nil {
						t.Errorf("the server gets %q %v", got, err)
					}
				}
				header := test.responseHeader
				return &http.Response{StatusCode: test.status, Header: header, Body: io.NopCloser(strings.NewReader(test.response)), ContentLength: -1, Request: r}, nil
			})}
			r, err := http.NewRequest(test.method, "https://api.example.com"+test.target, strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = http.Header{"Authorization": {"Bearer secret"}, "Content-Type": {"application/json"}}
			maps.Copy(r.Header, test.header)
			before := r.Header.Clone()
			response, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(response.Body); string(got) != test.response || err != nil {
				t.Errorf("the caller gets %q %v", got, err)
			}
			var got []string
			for _, f := range transport.Findings() {
				got = append(got, f.String())
			}
			if s := strings.Join(got, "\n"); s != test.want {
				t.Errorf("got\n%s\nwant\n%s", s, test.want)
			}
			if fmt.Sprint(before) != fmt.Sprint(r.Header) {
				t.Errorf("the request's header was changed: %v", r.Header)
			}
		})
	}
}

// What a Transport keeps is bounded: findings, and the text of a body without data URIs.
func TestTransportBounds(t *testing.T) {
	transport := &conformance.Transport{Base: roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody, Request: r}, nil
	})}
	request := poll(t, "https://api.example.com")
	for range 10_001 {
		if _, err := transport.RoundTrip(request); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(transport.Findings()); n != 10_000 {
		t.Errorf("%d findings", n)
	}
	for length, want := range map[int]string{1 << 20: "", 1<<20 + 1: "undocumented: getGeneration response 200: body: expected at most 1048576 bytes without data URIs, received more, not validated"} {
		var found []string
		transport := &conformance.Transport{OnFinding: func(f conformance.Finding) { found = append(found, f.String()) }, Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			body := `{"id":"x","status":"queued"` + strings.Repeat(" ", length-len(`{"id":"x","status":"queued"}`)) + `}`
			return respond(r, body), nil
		})}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, response.Body)
		if got := strings.Join(found, "\n"); got != want {
			t.Errorf("%d bytes: found %s", length, got)
		}
	}
}

// A strict transport reads the body before it sends it, but not for longer than the request's context allows.
func TestTransportStrictCanceled(t *testing.T) {
	body, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://api.example.com/v2/video/generations", body)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.WriteString(writer, `{"model":`)
		cancel()
	}()
	if _, err := (&conformance.Transport{Strict: true}).RoundTrip(request); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// Per server, a final status must stay for the requests sent after it was seen.
func TestTransportFinalStays(t *testing.T) {
	const (
		completed  = `{"id":"x","status":"completed","video":{"url":"https://a/v.mp4"}}`
		generating = `{"id":"x","status":"generating"}`
	)
	// A step sends a poll, or reads the body of an earlier one.
	type step struct {
		send, read int
		host, body string
	}
	tests := []struct {
		name  string
		steps []step
		want  int
	}{
		{"it stays", []step{{send: 1, body: completed}, {read: 1}, {send: 2, body: completed}, {read: 2}}, 0},
		{"it changes", []step{{send: 1, body: completed}, {read: 1}, {send: 2, body: generating}, {read: 2}}, 1},
		{"overlapping, the older one read last", []step{{send: 1, body: generating}, {send: 2, body: completed}, {read: 2}, {read: 1}}, 0},
		{"sent before the final one was read", []step{{send: 1, body: completed}, {send: 2, body: generating}, {read: 1}, {read: 2}}, 0},
		{"two servers", []step{{send: 1, body: completed}, {read: 1}, {send: 2, host: "other.", body: generating}, {read: 2}}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := ""
			transport := &conformance.Transport{Base: roundTripper(func(r *http.Request) (*http.Response, error) { return respond(r, body), nil })}
			sent := map[int]*http.Response{}
			for _, s := range test.steps {
				if s.read != 0 {
					io.Copy(io.Discard, sent[s.read].Body)
					continue
				}
				body = s.body
				response, err := transport.RoundTrip(poll(t, "https://"+s.host+"api.example.com"))
				if err != nil {
					t.Fatal(err)
				}
				sent[s.send] = response
			}
			if f := transport.Findings(); len(f) != test.want || len(f) > 0 && f[0].Rule != "final-stays" {
				t.Errorf("found %v, want %d", f, test.want)
			}
		})
	}
}

func poll(t *testing.T, server string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, server+"/v2/video/generations?generation_id=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer secret")
	return r
}

func respond(r *http.Request, body string) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}
}

// A large data URI passes unchanged and isn't held in memory.
func TestTransportStreams(t *testing.T) {
	srv := simulator.Start(t)
	transport := &conformance.Transport{}
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key), api.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	image := append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("pixel"), 1<<20)...)
	if _, err := client.Submit(t.Context(), map[string]any{
		"model": "alibaba/wan2.2-14b-animate-move", "video_url": "https://example.com/v.mp4", "image_url": api.Reader(bytes.NewReader(image), int64(len(image))),
	}); err != nil {
		t.Fatal(err)
	}
	want := `{"image_url":"data:image/png;base64,` + base64.StdEncoding.EncodeToString(image) + `","model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4"}`
	sum := sha256.Sum256([]byte(want))
	if got := srv.Ledger().Jobs[0]; got.BodySHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("%d bytes arrived, %d were sent", got.BodySize, len(want))
	}
	if findings := transport.Findings(); findings != nil {
		t.Error(findings)
	}

	// Without the server in the same process, hardly anything is allocated.
	transport.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"id":"x","status":"queued"}`)), Request: r}, nil
	})
	r, err := http.NewRequest(http.MethodPost, srv.URL+"/v2/video/generations", strings.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := transport.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes were allocated for a body of %d", allocated, len(want))
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Without a connection nothing was sent, and the error says so.
func TestTransportNotSent(t *testing.T) {
	srv := simulator.Start(t)
	srv.Close()
	for _, strict := range []bool{false, true} {
		client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key), api.WithRetryWindow(0),
			api.WithHTTPClient(&http.Client{Transport: &conformance.Transport{Strict: strict}}))
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.VaceFunReframe(t.Context(), vacefunreframe.Request{VideoURL: api.URL("https://example.com/v.mp4")})
		if _, ok := errors.AsType[*api.NotSentError](err); !ok || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("strict %t: %T %v", strict, err, err)
		}
	}
}
