package simulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// FuzzSubmission checks that the simulator creates a job for a body that conforms to the spec and for no other, and that
// every response is the documented JSON.
func FuzzSubmission(f *testing.F) {
	for _, document := range spec.Models() {
		for _, example := range document.Operation.RequestBody.Value.Content["application/json"].Examples {
			data, err := json.Marshal(example.Value.Value)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data, "application/json", "request-1")
		}
	}
	f.Add([]byte("{}"), "application/json; charset=utf-8", "")
	f.Add([]byte("model=x"), "application/x-www-form-urlencoded", "a b")
	f.Add([]byte(`{"model":"alibaba/wan2.2-14b-animate-move","seed":1e400}`), "text/plain", "x\x00")
	f.Fuzz(func(t *testing.T, body []byte, contentType, clientRequestID string) {
		sim := simulator.New(simulator.WithKey("fuzz-key-0123456789"))
		r := httptest.NewRequest(http.MethodPost, spec.Generation().Path, bytes.NewReader(body))
		r.Header["Authorization"] = []string{"Bearer fuzz-key-0123456789"}
		r.Header["Content-Type"] = []string{contentType}
		r.Header["X-Client-Request-Id"] = []string{clientRequestID}
		w := httptest.NewRecorder()
		sim.ServeHTTP(w, r)
		submission, findings := conformance.CheckSubmission(body)
		accepted := w.Code/100 == 2
		if accepted && findings != nil {
			t.Errorf("accepted in spite of %v", findings)
		}
		if !accepted && findings == nil && contentType == "application/json" {
			t.Errorf("refused with %d: %s", w.Code, w.Body)
		}
		if created := len(sim.Ledger().Jobs); accepted != (created == 1) {
			t.Errorf("%d, but %d jobs", w.Code, created)
		}
		document := submission.Document
		if document == nil {
			document = spec.Generation()
		}
		if w.Code == http.StatusUnsupportedMediaType { // what the API returns is not documented
			return
		}
		if findings := conformance.CheckResponse(document, w.Code, w.Body.Bytes()); findings != nil {
			t.Errorf("%d %s: %v", w.Code, w.Body, findings)
		}
	})
}
