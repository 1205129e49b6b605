package api

import (
	"bytes"
	"net/http"
	"os"
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

// However the bytes of a file come in, the verdict is the same.
func FuzzContainer(f *testing.F) {
	sample := "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp42" + "\x00\x00\x00\x0cmoov1234" + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x1412345678"
	f.Add([]byte(sample), 7)
	f.Add([]byte(sample[:len(sample)-1]), 1000)
	f.Add([]byte(sample[:25]), 1)
	f.Add([]byte("\x00\x00\x00\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff"), 3)
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x00moov"), 3)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n <= 0 {
			return
		}
		whole, pieces := newContainer(data[:min(len(data), 3072)]), newContainer(data[:min(len(data), 3072)])
		whole.see(data)
		for rest := data; len(rest) > 0; {
			piece := rest[:min(n, len(rest))]
			pieces.see(piece)
			rest = rest[len(piece):]
		}
		if a, b := whole.complete(), pieces.complete(); (a == nil) != (b == nil) {
			t.Errorf("whole: %v, in pieces of %d: %v", a, n, b)
		}
	})
}

// A file is complete, and no part of it is.
func TestContainer(t *testing.T) {
	sample, err := os.ReadFile("../conformance/simulator/videos/480x480.mp4")
	if err != nil {
		t.Fatal(err)
	}
	const cluster = "\x1f\x43\xb6\x75\x86\xa3\x84abcd" // with one block of four bytes
	for name, file := range map[string]string{
		"MP4":                           string(sample),
		"Matroska":                      "\x1a\x45\xdf\xa3\x84webm" + "\x18\x53\x80\x67\x01\x00\x00\x00\x00\x00\x00\x16" + cluster + cluster,
		"AVI":                           "RIFF\x18\x00\x00\x00AVI LIST1234567812345678",
		"Matroska live, a cut block":    "\x1a\x45\xdf\xa3\x84webm" + "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + "\x1f\x43\xb6\x75\xff" + "\xa3\x84abc",
		"MP4 with fragments, a cut box": "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + "\x00\x00\x00\x08moof" + "\x00\x00\x00\x0cmdat123",
	} {
		n := 24
		if strings.Contains(name, "cut") {
			n = len(file)
		}
		for ; n <= len(file); n++ {
			c := newContainer([]byte(file[:min(n, 3072)]))
			c.see([]byte(file[:n]))
			if complete := c.complete() == nil; complete != (n == len(file) && !strings.Contains(name, "cut")) {
				t.Errorf("%s: of %d bytes, the first %d are complete: %t", name, len(file), n, complete)
			}
		}
	}
}
