package simulator

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
)

// A server that can't go on serving says so.
func TestWaitFailed(t *testing.T) {
	srv, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	srv.listener.Close()
	if err := srv.Wait(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("it ends with %v", err)
	}
}

// What the ledger keeps of a submission is a copy.
func TestShortenCopies(t *testing.T) {
	request := func() map[string]any {
		return map[string]any{"a": []any{"data:a/b;base64,AAAA"}, "b": map[string]any{"c": "data:a/b;base64,AAAA"}, "n": json.Number("1e400")}
	}
	original := request()
	const want = `{"a":["data:a/b;base64,... (4 characters)"],"b":{"c":"data:a/b;base64,... (4 characters)"},"n":1e400}`
	if got := shorten(nil, original); string(got.text) != want {
		t.Errorf("it keeps %s", got.text)
	}
	if !reflect.DeepEqual(original, request()) {
		t.Errorf("the submission has become %v", original)
	}
}

// Jobs that are forgotten leave little behind, also where nobody looks at the ledger.
func TestForgottenIsBounded(t *testing.T) {
	s := New(WithRetention(0), WithTimeline(Complete(0, 0)))
	accepted, findings := conformance.CheckSubmission([]byte(`{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`))
	if findings != nil {
		t.Fatal(findings)
	}
	for range 5000 {
		s.create(accepted, nil, "")
	}
	if len(s.due) > 1001 {
		t.Errorf("%d charges are kept", len(s.due))
	}
}
