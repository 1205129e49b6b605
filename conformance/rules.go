package conformance

import (
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A generationKey identifies a generation: two servers behind one Transport may use the same id.
type generationKey struct{ server, id string }

// An ending is the final status of a generation. Endings are numbered in the order in which they were seen.
type ending struct {
	status string
	number int
}

// checkGeneration applies the rules that no schema expresses: the members that go with a status, the requested id, a final
// status that stays final.
func (x *exchange) checkGeneration(members map[string]any) (findings []Finding) {
	id, _ := members["id"].(string)
	status, _ := members["status"].(string)
	if x.id != "" && id != "" && !wire.SameGeneration(id, x.id) {
		findings = append(findings, violation("/id", "same-id", "the requested id", "another one"))
	}
	findings = append(findings, checkMembers(status, members)...)
	if id == "" || status == "" {
		return findings
	}
	if final := x.transport.ended(generationKey{x.server, id}, status, x.began); final != "" && final != status {
		findings = append(findings, violation("/status", "final-stays", final+", as before", received(statusSchema(), status)))
	}
	return findings
}

func statusSchema() *openapi3.Schema {
	return responseSchema(spec.Generation(), http.StatusOK).Properties["status"].Value
}

// checkMembers checks the members that go with a listed status.
func checkMembers(status string, members map[string]any) (findings []Finding) {
	if !slices.Contains(statusSchema().Enum, any(status)) {
		return nil
	}
	video, _ := members["video"].(map[string]any)
	url, _ := video["url"].(string)
	failure, _ := members["error"].(map[string]any)
	name, _ := failure["name"].(string)
	message, _ := failure["message"].(string)
	switch {
	case status == "completed" && url == "":
		findings = append(findings, violation("/video/url", "completed-has-url", "the URL of the video", "nothing"))
	case status != "completed" && video != nil:
		findings = append(findings, violation("/video", "video-only-when-completed", "none with the status "+status, "an object"))
	}
	switch {
	case status == "error" && failure == nil:
		findings = append(findings, violation("/error", "error-has-reason", "an error with name and message", kind(members["error"])))
	case status == "error" && (name == "" || message == ""):
		findings = append(findings, violation("/error", "error-has-reason", "a name and a message that aren't empty", "an empty one"))
	case status != "error" && failure != nil:
		findings = append(findings, violation("/error", "error-only-when-failed", "none with the status "+status, "an object"))
	}
	return findings
}

// ended records a final status and returns the one seen before the request began, or "". A response to an older request
// may be read last.
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
