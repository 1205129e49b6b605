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
		"seed": "seven"
	}`))
	for _, f := range findings {
		fmt.Println(f)
	}
	// Output:
	// /seed: expected an integer, received "seven"
	// /prompt: expected a string, received nothing
}

// numFrames returns the bounds of pose's num_frames, and how findings describe them.
func numFrames(t testing.TB) (low, high int, description string) {
	t.Helper()
	pose, ok := spec.ByModel("alibaba/wan2.2-vace-fun-a14b-pose")
	if !ok {
		t.Fatal("no such model")
	}
	schema := pose.Request().Properties["num_frames"].Value
	return int(*schema.Min), int(*schema.Max), spec.Describe(schema)
}

const move = `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"%s}`

func TestCheckSubmission(t *testing.T) {
	var models []string
	for _, d := range spec.Models() {
		models = append(models, d.Model)
	}
	const pose = `{"model":"alibaba/wan2.2-vace-fun-a14b-pose","video_url":"https://example.com/v.mp4","prompt":"p"%s}`
	type test struct {
		name, body string
		want       string // the findings, one a line; none means valid
	}
	low, high, integer := numFrames(t)
	frames := func(name, value string) test {
		return test{name, fmt.Sprintf(pose, `,"num_frames":`+value), fmt.Sprintf("/num_frames: expected %s, received %s", integer, value)}
	}
	tests := []test{
		{"required only", fmt.Sprintf(move, ``), ""},
		{"undocumented property", fmt.Sprintf(move, `,"mood":"happy"`), ""},
		{"data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,AAAA"`), ""},
		{"long data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,`+strings.Repeat("AAAA", 5000)+`AA=="`), ""},
		{"at the bounds", fmt.Sprintf(pose, fmt.Sprintf(`,"num_frames":%d,"frames_per_second":5`, high)), ""},
		{"an integer with a fraction of nothing", fmt.Sprintf(pose, fmt.Sprintf(`,"num_frames":%d.0`, low)), ""},
		{"an integer of many digits", fmt.Sprintf(pose, `,"seed":123456789012345678901234567890`), ""},
		{"data URI in upper case", fmt.Sprintf(pose, `,"image_url":"DATA:image/png;base64,AAAA"`), ""},
		{"unlisted number beyond float64", fmt.Sprintf(move, `,"mood":1e400`), ""},
		{"unlisted names with lone surrogates", fmt.Sprintf(move, `,"mood":{"\ud800":1,"\ud801":2}`), ""},

		frames("bound", fmt.Sprint(low-1)),
		frames("fraction", fmt.Sprint(low)+".5"),
		frames("fraction out of bounds", fmt.Sprint(low-1)+".5"),
		{"listed number beyond float64", fmt.Sprintf(move, `,"shift":1e400`), "/shift: expected a number, received 1e400"},
		{"enum", fmt.Sprintf(move, `,"resolution":"1080p"`), `/resolution: expected one of 480p, 580p, 720p, received "1080p"`},
		{"a word", fmt.Sprintf(move, `,"shift":"`+strings.Repeat("x", 20)+`"`), `/shift: expected a number, received "` + strings.Repeat("x", 20) + `"`},
		{"a longer word", fmt.Sprintf(move, `,"shift":"`+strings.Repeat("x", 21)+`"`), `/shift: expected a number, received a string of 21 characters`},
		{"type", fmt.Sprintf(move, `,"shift":"5"`), `/shift: expected a number, received "5"`},
		{"null", fmt.Sprintf(move, `,"shift":null`), `/shift: expected a number, received null`},
		{"too many", fmt.Sprintf(pose, `,"image_list":["https://a/","https://a/","https://a/","https://a/","https://a/"]`),
			"/image_list: expected an array of at most 4, received an array of 5"},
		{"in an array", fmt.Sprintf(pose, `,"image_list":["https://a/",7]`), "/image_list/1: expected a URL or a data URI, received 7"},
		{"no URL", fmt.Sprintf(pose, `,"image_url":"hero.png"`), `/image_url: expected a URL or a data URI, received a string of 8 characters`},
		{"ftp", fmt.Sprintf(pose, `,"image_url":"ftp://u:secret@example.com/hero.png"`),
			`/image_url: expected a URL or a data URI, received a string of 35 characters`},
		{"data URI without base64", fmt.Sprintf(pose, `,"image_url":"data:image/png,AAAA"`),
			`/image_url: expected a URL or a data URI, received a string that begins with data:`},
		{"rubbish in a data URI", fmt.Sprintf(pose, `,"image_url":"data:image/png;base64,AA*A"`),
			`/image_url: expected a URL or a data URI, received a string that begins with data:`},
		{"missing", `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://a/v"}`, "/image_url: expected a URL or a data URI, received nothing"},
		{"several", `{"model":"alibaba/wan2.2-14b-animate-move","image_url":1}`,
			"/image_url: expected a URL or a data URI, received 1\n/video_url: expected a URL or a data URI, received nothing"},

		{"no model", `{}`, "/model: expected one of " + strings.Join(models, ", ") + ", received nothing"},
		{"array", `[]`, "body: expected an object, received an array of 0"},
		{"nothing", ``, "body: expected well-formed JSON, received nothing"},
		{"cut", `{"model":`, "body: expected well-formed JSON, received something else at byte 9"},
		{"trailing garbage", fmt.Sprintf(move, ``) + `x`, "body: expected one JSON value, received more after it, at byte 123"},
		{"duplicate of a lone surrogate", `{"\ud800":1, "\ud800":2}`, "/<8-characters>: expected the member once, received a duplicate"},
		{"duplicate", fmt.Sprintf(move, `,"a":{"b":[{"c~/":1,"c~/":2}]}`), "/a/b/0/<3-characters>: expected the member once, received a duplicate"},
		{"long path", strings.Repeat(`{"twenty_character_name":`, 30) + `{"a":1,"a":1}` + strings.Repeat("}", 30),
			strings.Repeat("/twenty_character_name", 10) + "/...: expected the member once, received a duplicate"},
		{"long name", `{"` + strings.Repeat("n", 5000) + `":1,"` + strings.Repeat("n", 5000) + `":1}`,
			"/<5000-characters>: expected the member once, received a duplicate"},
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

// A finding never shows a string except a short word in the place of an enum value.
func TestReceived(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"signed URL that can't be parsed", `"video_url":"https://h.io/%zz?sig=SECRET"`, "/video_url: a string of 27 characters"},
		{"URL without a scheme", `"video_url":"cdn.io/a.png?sig=SECRET"`, "/video_url: a string of 23 characters"},
		{"data without base64", `"video_url":"DATA:image/png,SECRET"`, "/video_url: a string that begins with data:"},
		{"word in place of a URL", `"video_url":"SECRET"`, "/video_url: a string of 6 characters"},
		{"word in place of a text", `"video_url":["SECRET"]`, "/video_url: an array of 1"},
		{"umlauts", `"video_url":"äöü"`, "/video_url: a string of 3 characters"},
		{"one character", `"video_url":"ä"`, "/video_url: a string of 1 character"},
		{"nothing", `"resolution":""`, "/resolution: an empty string"},
		{"word in place of a listed one", `"resolution":"1080p"`, `/resolution: "1080p"`},
		{"long word in place of a listed one", `"resolution":"SECRET-0123456789-0123"`, "/resolution: a string of 22 characters"},
		{"text in place of a listed word", `"resolution":"my SECRET"`, "/resolution: a string of 9 characters"},
		{"word in place of a number", `"shift":"much"`, `/shift: "much"`},
		{"text in place of a number", `"shift":"?SECRET"`, "/shift: a string of 7 characters"},
		{"URL for a name", `"https://h.io/?sig=SECRET":1,"https://h.io/?sig=SECRET":1`, "/<24-characters>: a duplicate"},
		{"data for a name", `"SECRET0123456789012345678901234567890123456789":1,"SECRET0123456789012345678901234567890123456789":1`, "/<46-characters>: a duplicate"},
		{"name that looks like one", `"x_y-z.0":1,"x_y-z.0":1`, "/x_y-z.0: a duplicate"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			members := []string{`"model":"alibaba/wan2.2-14b-animate-move"`, test.body}
			for _, name := range []string{"video_url", "image_url"} {
				if !strings.Contains(test.body, name) {
					members = append(members, `"`+name+`":"https://example.com/x"`)
				}
			}
			_, findings := conformance.CheckSubmission([]byte("{" + strings.Join(members, ",") + "}"))
			if len(findings) != 1 || findings[0].Pointer+": "+findings[0].Received != test.want {
				t.Errorf("%v, want %s", findings, test.want)
			}
			if strings.Contains(fmt.Sprint(findings), "SECRET") {
				t.Errorf("it shows what was there: %v", findings)
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

func TestCheckResponse(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"queued", 200, `{"id":"a","status":"queued"}`, ""},
		{"completed", 200, `{"id":"a","status":"completed","video":{"url":"https://a/v.mp4"},"error":null,"meta":{"usage":{"credits_used":1}}}`, ""},
		{"error body", 401, `{"message":"no","statusCode":"401"}`, ""},
		{"no id", 200, `{"status":"queued"}`, "/id: expected a non-empty string, received nothing"},
		{"foreign word", 200, `{"id":"a","status":"dreaming"}`,
			`/status: expected one of queued, waiting, active, generating, completed, error, received "dreaming"`},
		{"video without URL", 200, `{"id":"a","status":"completed","video":{}}`, "/video/url: expected a URL or a data URI, received nothing"},
		{"error as a string", 200, `{"id":"a","status":"error","error":"boom"}`, `/error: expected an object, received a string of 4 characters`},
		{"undeclared", 418, `{}`, "status code: expected a documented one, received 418"},
		{"undeclared success", 202, `{"id":"a"}`, "status code: expected a documented one, received 202\n" +
			"/status: expected one of queued, waiting, active, generating, completed, error, received nothing"},
		{"unlisted member", 200, `{"id":"a","status":"queued","eta":1}`, "/eta: expected a documented property, received a number"},
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

// What no spec mentions is undocumented, not a violation.
func TestCheckResponseGrades(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   conformance.Grade
	}{
		{"foreign word", 200, `{"id":"a","status":"dreaming"}`, conformance.Undocumented},
		{"empty word", 200, `{"id":"a","status":""}`, conformance.Violation},
		{"no word", 200, `{"id":"a","status":7}`, conformance.Violation},
		{"unlisted member", 200, `{"id":"a","status":"queued","eta":1}`, conformance.Undocumented},
		{"undeclared status", 418, `{}`, conformance.Undocumented},
		{"undeclared success", 202, `{"id":"a","status":"queued"}`, conformance.Undocumented},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if f := conformance.CheckResponse(spec.Generation(), test.status, []byte(test.body)); len(f) != 1 || f[0].Grade != test.want {
				t.Errorf("%v, want one %s", f, test.want)
			}
		})
	}
}

// The specs' own examples are valid.
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
					t.Errorf("%s: response %s %s: %v", d.Slug, code, name, findings)
				}
			}
		}
	}
	if count < 60 {
		t.Errorf("only %d examples", count)
	}
}
