package conformance

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/aimlvideo/wan-go/spec"
)

// FuzzCheck checks that every body gets a verdict, that a body without findings is a request for one of the models, and
// that findings are short printable lines, whatever they are about.
func FuzzCheck(f *testing.F) {
	for _, document := range spec.Models() {
		for _, example := range document.Operation.RequestBody.Value.Content["application/json"].Examples {
			data, err := json.Marshal(example.Value.Value)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, seed := range []string{
		"", "null", "[]", "{}", `{"model":1}`, `{"model":"x"}`, `{"model":"alibaba/wan2.2-14b-animate-move","model":"x"}`, `{"a":1}{`, "\xff",
		`{"id":"a","status":"queued"}`, `{"id":"a","status":"completed","video":{"url":"x"},"meta":{"usage":{"credits_used":1e999}}}`,
		`{"message":["a"],"statusCode":"400"}`, `{"\u202e\u0000":"\u001b[2J"}`, "\ufeff{}", strings.Repeat("[", 200),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		submission, findings := CheckSubmission(body)
		if findings == nil && (submission.Document == nil || submission.Request["model"] != submission.Document.Model) {
			t.Errorf("%q conforms but is for no model", body)
		}
		for _, status := range []int{200, 400} {
			findings = append(findings, CheckResponse(spec.Generation(), status, body)...)
		}
		for _, finding := range findings {
			line := finding.String()
			if len(line) > 1000 || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q is no short printable line", line)
			}
		}
	})
}
