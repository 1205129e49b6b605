package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// BenchmarkCheck compares validation with mere decoding.
func BenchmarkCheck(b *testing.B) {
	document, _ := spec.BySlug("vace-fun-pose")
	full, err := json.Marshal(document.Operation.RequestBody.Value.Content["application/json"].Examples["full"].Value.Value)
	if err != nil {
		b.Fatal(err)
	}
	large := []byte(fmt.Sprintf(move, `,"mood":"data:video/mp4;base64,`+strings.Repeat("AAAA", 8<<20/4)+`"`))
	response := []byte(`{"id":"x","status":"completed","video":{"url":"https://example.com/v.mp4"},"meta":{"usage":{"credits_used":1}}}`)
	submission := func(body []byte) func() bool {
		return func() bool { _, findings := conformance.CheckSubmission(body); return findings == nil }
	}
	decode := func(body []byte) func() bool {
		return func() bool { var v map[string]any; return json.Unmarshal(body, &v) == nil }
	}
	for _, bench := range []struct {
		name string
		body []byte
		do   func() bool
	}{
		{"request/check", full, submission(full)},
		{"request/decode", full, decode(full)},
		{"request-8MiB/check", large, submission(large)},
		{"request-8MiB/decode", large, decode(large)},
		{"response/check", response, func() bool { return conformance.CheckResponse(spec.Generation(), 200, response) == nil }},
		{"response/decode", response, decode(response)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				if !bench.do() {
					b.Fatal("it isn't valid")
				}
			}
		})
	}
}

// BenchmarkTransport compares an exchange through the transport with one without, at the size of a small video.
func BenchmarkTransport(b *testing.B) {
	body := fmt.Sprintf(move, `,"mood":"data:video/mp4;base64,`+strings.Repeat("AAAA", 8<<20/4)+`"`)
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"id":"x","status":"queued"}`)), Request: r}, nil
	})
	for name, transport := range map[string]http.RoundTripper{"through": &conformance.Transport{Base: base}, "without": base} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequest(http.MethodPost, "https://api.example.com/v2/video/generations", strings.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				response, err := transport.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				io.Copy(io.Discard, response.Body)
			}
		})
	}
}
