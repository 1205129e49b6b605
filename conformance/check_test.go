package conformance_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

func ExampleCheckSubmission() {
	_, findings := conformance.CheckSubmission([]byte(`{
		"model": "alibaba/wan2.2-vace-fun-a14b-pose",
		"video_url": "https://example.com/dance.mp4",
		"num_frames": 242
	}`))
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// /num_frames: expected an integer from 81 to 241, received 242
	// /prompt: expected a string, received nothing
}

const move = `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"%s}`

func TestCheckSubmission(t *testing.T) {
	const pose = `{"model":"alibaba/wan2.2-vace-fun-a14b-pose","video_url":"https://example.com/v.mp4","prompt":"p"%s}`
	tests := []struct {
		name, body string
		want       string // the findings, one a line; none means valid
	}{
		{"required only", fmt.Sprintf(move, ``), ""},
		{"undocumented property", fmt.Sprintf(move, `,"mood":"happy"`), ""},
		{"data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,AAAA"`), ""},
		{"long data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,`+strings.Repeat("AAAA", 5000)+`AA=="`), ""},
		{"at the bounds", fmt.Sprintf(pose, `,"num_frames":241,"frames_per_second":5`), ""},
		{"an integer with a fraction of nothing", fmt.Sprintf(pose, `,"num_frames":81.0`), ""},

		{"bound", fmt.Sprintf(pose, `,"num_frames":80`), "/num_frames: expected an integer from 81 to 241, received 80"},
		{"fraction", fmt.Sprintf(pose, `,"num_frames":81.5`), "/num_frames: expected an integer from 81 to 241, received 81.5"},
		{"fraction out of bounds", fmt.Sprintf(pose, `,"num_frames":80.5`), "/num_frames: expected an integer from 81 to 241, received 80.5"},
		{"enum", fmt.Sprintf(move, `,"resolution":"1080p"`), `/resolution: expected one of 480p, 580p, 720p, received "1080p"`},
		{"type", fmt.Sprintf(move, `,"shift":"5"`), `/shift: expected a number, received "5"`},
		{"null", fmt.Sprintf(move, `,"shift":null`), `/shift: expected a number, received null`},
		{"long text", fmt.Sprintf(move, `,"shift":"`+strings.Repeat("x", 100)+`"`), `/shift: expected a number, received a string of 100 characters`},
		{"too many", fmt.Sprintf(pose, `,"image_list":["https://a/","https://a/","https://a/","https://a/","https://a/"]`),
			"/image_list: expected an array of at most 4, received an array of 5"},
		{"in an array", fmt.Sprintf(pose, `,"image_list":["https://a/",7]`), "/image_list/1: expected a URL or a data URI, received 7"},
		{"no URL", fmt.Sprintf(pose, `,"image_url":"hero.png"`), `/image_url: expected a URL or a data URI, received "hero.png"`},
		{"ftp", fmt.Sprintf(pose, `,"image_url":"ftp://u:secret@example.com/hero.png"`),
			`/image_url: expected a URL or a data URI, received a string of 35 characters with the scheme "ftp"`},
		{"data URI without base64", fmt.Sprintf(pose, `,"image_url":"data:image/png,AAAA"`),
			`/image_url: expected a URL or a data URI, received a string of 19 characters with the scheme "data"`},
		{"rubbish in a data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,AA*A"`),
			`/image_url: expected a URL or a data URI, received a string of 26 characters with the scheme "data"`},
		{"missing", `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://a/v"}`, "/image_url: expected a URL or a data URI, received nothing"},
		{"several", `{"model":"alibaba/wan2.2-14b-animate-move","image_url":1}`,
			"/image_url: expected a URL or a data URI, received 1\n/video_url: expected a URL or a data URI, received nothing"},

		{"no model", `{}`, "/model: expected one of alibaba/wan2.2-14b-animate-move, alibaba/wan2.2-14b-animate-replace, " +
			"alibaba/wan2.2-vace-fun-a14b-pose, alibaba/wan2.2-vace-fun-a14b-reframe, received nothing"},
		{"array", `[]`, "body: expected an object, received an array of 0"},
		{"nothing", ``, "body: expected well-formed JSON, received nothing"},
		{"cut", `{"model":`, "body: expected well-formed JSON, received something else at byte 9"},
		{"trailing garbage", fmt.Sprintf(move, ``) + `x`, "body: expected one JSON value, received more behind it, at byte 123"},
		{"duplicate", fmt.Sprintf(move, `,"a":{"b":[{"c~/":1,"c~/":2}]}`), "/a/b/0/c~0~1: expected the member once, received it twice"},
		{"long name", `{"` + strings.Repeat("n", 5000) + `":1,"` + strings.Repeat("n", 5000) + `":1}`,
			"/" + strings.Repeat("n", 100) + "...: expected the member once, received it twice"},
		{"not UTF-8", "{\"model\":\"\xff\"}", "body: expected UTF-8, received other bytes"},
		{"too deep", strings.Repeat("[", 20000), "body: expected well-formed JSON, received something else at byte 10002"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, findings := conformance.CheckSubmission([]byte(test.body))
			var got []string
			for _, f := range findings {
				got = append(got, f.String())
			}
			if s := strings.Join(got, "\n"); s != test.want {
				t.Errorf("got\n%s\nwant\n%s", s, test.want)
			}
		})
	}
}

func TestCheckSubmissionDeep(t *testing.T) {
	body := fmt.Sprintf(move, `,"mood":`+strings.Repeat(`{"a":`, 5000)+`1`+strings.Repeat(`}`, 5000))
	if got, findings := conformance.CheckSubmission([]byte(body)); findings != nil || got.Document.Slug != "animate-move" {
		t.Errorf("%v %v", got.Document, findings)
	}
}

func TestCheckAnswer(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"queued", 200, `{"id":"a","status":"queued"}`, ""},
		{"completed", 200, `{"id":"a","status":"completed","video":{"url":"https://a/v.mp4"},"error":null,"meta":{"usage":{"credits_used":1}}}`, ""},
		{"error body", 401, `{"message":"no","statusCode":"401"}`, ""},
		{"no id", 200, `{"status":"queued"}`, "/id: expected a string that isn't empty, received nothing"},
		{"foreign word", 200, `{"id":"a","status":"dreaming"}`,
			`/status: expected one of queued, waiting, active, generating, completed, error, received "dreaming"`},
		{"video without URL", 200, `{"id":"a","status":"completed","video":{}}`, "/video/url: expected a URL or a data URI, received nothing"},
		{"error as a string", 200, `{"id":"a","status":"error","error":"boom"}`, `/error: expected an object, received "boom"`},
		{"undeclared", 418, `{}`, "body: expected a declared status, received 418"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, f := range conformance.CheckResponse(spec.Generation(), test.status, []byte(test.body)) {
				got = append(got, f.String())
			}
			if s := strings.Join(got, "\n"); s != test.want {
				t.Errorf("got\n%s\nwant\n%s", s, test.want)
			}
		})
	}
}

// The documents' own examples keep to the documents.
func TestExamples(t *testing.T) {
	count := 0
	for _, d := range append(spec.Models(), spec.Generation()) {
		if d.Request() != nil {
			for name, example := range d.Operation.RequestBody.Value.Content["application/json"].Examples {
				count++
				body, _ := json.Marshal(example.Value.Value)
				if got, findings := conformance.CheckSubmission(body); got.Document != d || findings != nil {
					t.Errorf("%s: request %s: %v", d.Slug, name, findings)
				}
			}
		}
		for code, response := range d.Operation.Responses.Map() {
			var status int
			fmt.Sscan(code, &status)
			content := response.Value.Content["application/json"]
			examples := map[string]any{}
			for name, example := range content.Examples {
				examples[name] = example.Value.Value
			}
			if content.Example != nil {
				examples["example"] = content.Example
			}
			for name, example := range examples {
				count++
				body, _ := json.Marshal(example)
				if findings := conformance.CheckResponse(d, status, body); findings != nil {
					t.Errorf("%s: answer %s %s: %v", d.Slug, code, name, findings)
				}
			}
		}
	}
	if count < 60 {
		t.Errorf("only %d examples", count)
	}
}
