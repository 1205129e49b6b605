package simulator

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// Wait returns the error of a broken listener.
func TestWaitFailed(t *testing.T) {
	srv, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	srv.serving.listener.Close()
	if err := srv.Wait(); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("it ends with %v", err)
	}
}

// shorten returns a copy.
func TestShortenCopies(t *testing.T) {
	request := func() map[string]any {
		return map[string]any{"a": []any{"data:a/b;base64,AAAA"}, "b": map[string]any{"c": "data:a/b;base64,AAAA"}, "n": json.Number("1e400")}
	}
	original := request()
	const want = `{"a":["data:a/b;base64,... (4 characters)"],"b":{"c":"data:a/b;base64,... (4 characters)"},"n":1e400}`
	if got := shorten(nil, original); string(got) != want {
		t.Errorf("it keeps %s", got)
	}
	if !reflect.DeepEqual(original, request()) {
		t.Errorf("the submission has become %v", original)
	}
}
