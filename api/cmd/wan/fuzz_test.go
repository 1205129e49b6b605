package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

// FuzzRequestFile checks that a --file is a request for the command's model or an error in one line, and that local paths
// become sources.
func FuzzRequestFile(f *testing.F) {
	for _, seed := range []string{
		"", "null", "[]", "{}", `{"model":"x"}`, `{"model":"alibaba/wan2.2-vace-fun-a14b-pose"}`, `{"video_url":"dance.mp4","image_list":["a.png",1,null]}`,
		`{"video_url":{"a":1}}`, `{"seed":1e999}`, `{"a":1,"a":2}`, `{"a":1}{`, "\xff", "\ufeff{}", `{"video_url":"file:///a%zz"}`, `{"\u001b[2J":1}`,
	} {
		f.Add([]byte(seed))
	}
	document, ok := spec.BySlug("vace-fun-pose")
	if !ok {
		f.Fatal("no vace-fun-pose")
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := parseRequest(document, text)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q", err)
			}
			return
		}
		if !json.Valid(text) || body == nil {
			t.Errorf("%q is taken as %v", text, body)
		}
		o := &modelOptions{console: &console{stdin: strings.NewReader("")}, document: document, properties: requestFlags(document)}
		if _, err := o.setProperties(t.Context(), body); err != nil {
			t.Error(err)
		}
		if value, isText := body["video_url"].(string); isText && value != "https://example.com" { // which stands for what is wrong
			t.Errorf("video_url stays the text %q", value)
		}
		validate(document, body)
		o.removeSpooled()
	})
}
