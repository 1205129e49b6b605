package conformance

import (
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// A generationKey names a generation. Two servers behind one Transport may give the same id.
type generationKey struct{ server, id string }

// An ending is the final status that a generation was seen in, and when, counted in endings.
type ending struct {
	status string
	number int
}

// checkLife checks an answer against what the schemas can't say: which members a status brings with it, that the id is
// the one that was asked for, and that a final status stays.
func (x *exchange) checkLife(members map[string]any) (findings []Finding) {
	id, _ := members["id"].(string)
	status, _ := members["status"].(string)
	if x.id != "" && id != "" && id != x.id {
		findings = append(findings, violation("/id", "same-id", "the id that was asked for", "another one"))
	}
	findings = append(findings, checkStage(status, members)...)
	if id == "" || status == "" {
		return findings
	}
	if final := x.transport.ended(generationKey{x.server, id}, status, x.began); final != "" && final != status {
		findings = append(findings, violation("/status", "final-stays", final+", as before", received(statusSchema(), status)))
	}
	return findings
}

func statusSchema() *openapi3.Schema {
	return answerSchema(spec.Generation(), http.StatusOK).Properties["status"].Value
}

// checkStage checks what a status brings with it. Of a word that isn't listed, nobody knows.
func checkStage(status string, members map[string]any) (findings []Finding) {
	if !slices.Contains(statusSchema().Enum, any(status)) {
		return nil
	}
	video, _ := members["video"].(map[string]any)
	url, _ := video["url"].(string)
	_, reason := members["error"].(map[string]any)
	switch {
	case status == "completed" && url == "":
		findings = append(findings, violation("/video/url", "completed-has-url", "the URL of the video", "nothing"))
	case status != "completed" && video != nil:
		findings = append(findings, violation("/video", "video-only-when-completed", "nothing with the status "+status, "an object"))
	}
	switch {
	case status == "error" && !reason:
		findings = append(findings, violation("/error", "error-has-reason", "an error with name and message", kind(members["error"])))
	case status != "error" && reason:
		findings = append(findings, violation("/error", "error-only-when-failed", "nothing with the status "+status, "an object"))
	}
	return findings
}

// ended notes a final status and returns the one that had been seen before the request began, or "". Answers overtake
// each other: one to an older request may be read last.
func (t *Transport) ended(key generationKey, status string, began int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ok := t.endings[key]
	if ok && before.number <= began {
		return before.status
	}
	if !ok && (status == "completed" || status == "error") && len(t.endings) < maxCollected {
		if t.endings == nil {
			t.endings = map[generationKey]ending{}
		}
		t.endings[key] = ending{status, len(t.endings) + 1}
	}
	return ""
}
