package api

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// The fuzz targets look for panics and for answers that can't be. Their seeds are what the documents show, and worse.

func FuzzGeneration(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","status":"completed","video":{"url":"https://example.com/v.mp4"},"error":null,"meta":{"usage":{"credits_used":1,"usd_spent":0.1}}}`,
		`{"id":"a","status":"error","error":{"name":"n","message":"m"}}`,
		`{"id":"a","status":"error","error":"boom"}`,
		`{"id":"a","status":"dreaming"}`, `{"id":1,"status":[]}`, `{"id":"a","status":"completed","video":"x","meta":[1]}`,
		`{"id":"a","status":"completed","video":{"url":"data:video/mp4;base64,AAAA"}}`, `{}`, `[]`, `null`, ``, `{"id":"a"`, "\xff",
		`{"id":"a","status":"x","error":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
	} {
		f.Add([]byte(seed))
	}
	client, err := New(WithAPIKey("canary-key"))
	if err != nil {
		f.Fatal(err)
	}
	job := client.Job("a")
	f.Fuzz(func(t *testing.T, body []byte) {
		g, err := job.generation(http.Header{}, body)
		if (g == nil) == (err == nil) {
			t.Fatalf("%+v %v", g, err)
		}
		if err != nil {
			checkText(t, err)
			return
		}
		if g.ID != "a" || g.Status == "" || g.Video != nil && g.Video.URL == "" || g.Video != nil && g.Failure != nil {
			t.Errorf("%+v", g)
		}
		if g.Failure != nil {
			checkText(t, g.Failure)
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{
		`{"message":"Unauthorized","path":"/v2/video/generations","requestId":"r","statusCode":401,"timestamp":"2026-01-31T12:00:00.000Z"}`,
		`{"message":["a","b"],"statusCode":"400"}`, `{"message":null}`, `{"message":"data:image/png;base64,AAAA"}`, `<html>`, ``, `"x"`, `{"message":"a\u0000b\u2028c"}`,
	} {
		f.Add(400, []byte(seed))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		c := &Client{redact: redact.New(canary)}
		e := c.responseError(&http.Response{StatusCode: status, Header: http.Header{}}, append(body, canary...))
		if bytes.Contains(e.Body, []byte(canary)) || len(e.Body) > maxErrorBody {
			t.Errorf("the body is %q", e.Body)
		}
		checkText(t, e)
		checkText(t, &RejectedError{ClientRequestID: "id", Err: e})
	})
}

const canary = "canary-key-7f3b9c2e"

// checkText checks what holds for the text of every error.
func checkText(t *testing.T, err error) {
	t.Helper()
	text := err.Error()
	if text == "" || strings.Contains(text, canary) || len(text) > 4000 || strings.ContainsAny(text, "\n\r\x00") {
		t.Errorf("%q", text)
	}
}

func FuzzContentRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-9/10", "bytes 5-9/*", "bytes */10", "items 1-2/3", "bytes -5/10", "", "bytes 9223372036854775808-1/1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		response := &http.Response{StatusCode: http.StatusPartialContent, Header: http.Header{"Content-Range": {value}}, ContentLength: -1}
		start, size, err := extent(response, 1)
		if err == nil && (start < 0 || size < -1) {
			t.Errorf("%d %d", start, size)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%v", err)
		}
	})
}
