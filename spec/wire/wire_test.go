package wire_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

func TestParseBaseURL(t *testing.T) {
	for _, tt := range []struct {
		raw      string
		insecure bool
		want     string // empty: an error
	}{
		{raw: "https://api.example.com", want: "https://api.example.com"},
		{raw: " https://api.example.com/v2/ ", want: "https://api.example.com"},
		{raw: "https://example.com/proxy/v1", want: "https://example.com/proxy"},
		{raw: "http://LOCALHOST:8080", want: "http://LOCALHOST:8080"},
		{raw: "http://localhost.:8080", want: "http://localhost.:8080"},
		{raw: "http://127.0.0.2", want: "http://127.0.0.2"},
		{raw: "http://[::1]:80", want: "http://[::1]:80"},
		{raw: "http://example.com"},
		{raw: "http://example.com", insecure: true, want: "http://example.com"},
		{raw: "ftp://example.com"},
		{raw: "example.com"},
		{raw: "https://"},
		{raw: "https://user@example.com"},
		{raw: "https://example.com?key=1"},
		{raw: "https://example.com#a"},
	} {
		u, err := wire.ParseBaseURL(tt.raw, tt.insecure)
		if (err == nil) != (tt.want != "") || err == nil && u.String() != tt.want {
			t.Errorf("ParseBaseURL(%q, %v) = %v, %v, want %q", tt.raw, tt.insecure, u, err, tt.want)
		}
	}
}

func TestCheckKey(t *testing.T) {
	for key, ok := range map[string]bool{
		"abc": true, " abc\n": true, "a b": false, "a\nb": false, "ä": false, `"abc"`: false, `'abc'`: false, "a'b": true,
	} {
		if _, err := wire.CheckKey(key); (err == nil) != ok {
			t.Errorf("CheckKey(%q): %v", key, err)
		}
	}
}

func TestClientRequestID(t *testing.T) {
	pattern := spec.Generation().Operation.Parameters.GetByInAndName("header", wire.ClientRequestIDHeader).Schema.Value.Pattern
	if pattern != "^[A-Za-z0-9._:-]{1,128}$" {
		t.Errorf("generation.yaml has pattern %s now: change wire's to match", pattern)
	}
	for id, ok := range map[string]bool{
		"a": true, strings.Repeat("a", 128): true, "wan:B:1.2_3-4": true,
		"": false, strings.Repeat("a", 129): false, "a b": false, "ä": false, "a\n": false, "a/b": false,
	} {
		if wire.ValidClientRequestID(id) != ok {
			t.Errorf("ValidClientRequestID(%q) isn't %v", id, ok)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	const date = "Thu, 26 Nov 2026 10:00:00 GMT"
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0}, {"3", 3 * time.Second}, {"0.5", time.Second / 2}, {"-1", 0}, {"NaN", 0}, {"1e99", time.Minute},
		{"soon", 0}, {"Thu, 26 Nov 2026 10:00:07 GMT", 7 * time.Second}, {"Thu, 26 Nov 2026 09:00:00 GMT", 0},
		{"Fri, 27 Nov 2026 10:00:00 GMT", time.Minute},
	} {
		header := http.Header{"Retry-After": {tt.value}, "Date": {date}}
		if got := wire.RetryAfter(header); got != tt.want {
			t.Errorf("Retry-After %q: %v, want %v", tt.value, got, tt.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := wire.Backoff{First: time.Second, Longest: 10 * time.Second}
	for want := time.Second; ; want += want / 2 {
		want = min(want, 10*time.Second)
		if got := b.Next(); got < want*8/10 || got > want*12/10 {
			t.Fatalf("interval %v, want %v give or take a fifth", got, want)
		}
		if want == 10*time.Second {
			return
		}
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := wire.Sleep(t.Context(), time.Hour); err != nil || time.Since(began) != time.Hour {
			t.Errorf("slept %v: %v", time.Since(began), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := wire.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	})
}

func TestDecodeError(t *testing.T) {
	for _, tt := range []struct{ name, contentType, body, want string }{
		{"documented", "application/json", `{"message":"Body validation error","statusCode":400,"path":"/v2","requestId":"r"}`, "Body validation error"},
		{"list", "application/json", `{"message":["a","b"],"statusCode":"400"}`, "a; b"},
		{"detail", "application/json", `{"detail":"Not found"}`, "Not found"},
		{"detail list", "application/json", `{"detail":[{"loc":["body"],"msg":"field required"}]}`, "field required"},
		{"error object", "application/json", `{"error":{"message":"quota","code":7}}`, "quota"},
		{"error text", "application/json", `{"error":"quota"}`, "quota"},
		{"problem", "application/problem+json", `{"type":"about:blank","title":"Bad Request","status":400,"detail":"num_frames"}`, "num_frames"},
		{"byte order mark", "application/json", "\xef\xbb\xbf" + `{"message":"m","statusCode":400}`, "m"},
		{"plain text", "text/plain", "upstream timed out\n", "upstream timed out"},
		{"HTML title", "text/html", "<html><head><title>413 Request Entity Too Large</title></head>", "413 Request Entity Too Large"},
		{"HTML heading", "", "<h1>Forbidden &amp; <b>gone</b></h1>", "Forbidden &  gone"},
		{"empty", "application/json", "", ""},
		{"broken JSON", "application/json", `{"message":"cut`, ""},
		{"binary", "application/octet-stream", "\x00\x01", ""},
		{"null", "application/json", `{"message":null}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := wire.DecodeError(http.Header{"Content-Type": {tt.contentType}}, []byte(tt.body))
			if e.Message != tt.want {
				t.Errorf("message %q, want %q", e.Message, tt.want)
			}
			documented := tt.name == "documented" || tt.name == "list" || tt.name == "byte order mark"
			if e.Documented != documented {
				t.Errorf("documented: %v", e.Documented)
			}
		})
	}
}

func TestDecodeErrorDetails(t *testing.T) {
	body := `{"message":"Body validation error","statusCode":400,"issues":[{"path":"num_frames"}]}`
	e := wire.DecodeError(nil, []byte(body))
	if string(e.Details["issues"]) != `[{"path":"num_frames"}]` || len(e.Details) != 1 {
		t.Errorf("details %s", e.Details)
	}
}
