package wire

import (
	"net/http"
	"testing"
)

// FuzzDecodeError checks that a body in any dialect decodes, and that only the documented one counts as the API's own.
func FuzzDecodeError(f *testing.F) {
	for _, seed := range [][2]string{
		{"application/json", `{"message":"Unauthorized","path":"/v2","requestId":"r","statusCode":401,"timestamp":"2026-01-31T12:00:00.000Z"}`},
		{"application/json", `{"message":["a","b"],"statusCode":"400","errors":[{"a":1}]}`},
		{"application/json", `{"detail":[{"loc":["body"],"msg":"field required"}]}`},
		{"application/json", `{"error":{"message":"m","code":1}}`}, {"application/json", `{"error":"e"}`},
		{"application/problem+json", `{"type":"about:blank","title":"t","detail":"d","status":400}`},
		{"text/html", "<html><head><TITLE>502 Bad\nGateway</title>"}, {"text/plain", "busy"}, {"", "\xef\xbb\xbf{}"}, {"application/json", `{"message":`},
		{"a;b=\"", "\xff"},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		e := DecodeError(http.Header{"Content-Type": {contentType}}, body)
		if e.Documented && e.Message == "" {
			t.Errorf("%q: documented, but without a message", body)
		}
		if _, ok := e.Details["message"]; ok {
			t.Errorf("%q: the message is a detail too", body)
		}
	})
}
