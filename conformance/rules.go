package conformance

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// checkHeader holds the header of a request against the documents: the security scheme and X-Client-Request-Id, which
// the server drops silently where it doesn't fit.
func checkHeader(r *http.Request) (findings []Finding) {
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || strings.TrimSpace(key) == "" {
		findings = append(findings, violation("Authorization", "security", "a bearer key", "none"))
	}
	if id := r.Header.Get("X-Client-Request-Id"); id != "" && !requestIDPattern().MatchString(id) {
		findings = append(findings, violation("X-Client-Request-Id", "pattern", requestIDPattern().String(), received(id)))
	}
	if r.Method == http.MethodPost && !isJSON(r.Header.Get("Content-Type")) {
		findings = append(findings, violation("Content-Type", "content-type", "application/json", received(r.Header.Get("Content-Type"))))
	}
	return findings
}

var requestIDPattern = sync.OnceValue(func() *regexp.Regexp {
	parameter := spec.Generation().Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "X-Client-Request-Id")
	return regexp.MustCompile(parameter.Schema.Value.Pattern)
})

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/json"
}

// undocumented finds the members that the schema doesn't list.
func undocumented(schema *openapi3.Schema, object map[string]any, path string) (findings []Finding) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		property := schema.Properties[name]
		at := path + pointer([]string{name})
		if property == nil {
			findings = append(findings, Finding{Grade: Undocumented, Pointer: at, Rule: "properties", Expected: "a documented property", Received: kind(object[name])})
		} else if inner, ok := object[name].(map[string]any); ok && property.Value.Type.Is(openapi3.TypeObject) {
			findings = append(findings, undocumented(property.Value, inner, at)...)
		}
	}
	return findings
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	}
	return "an object"
}

// checkLife holds an answer against what the schemas can't say: which members a status brings with it, that the id is
// the one that was asked for, and that a final status stays.
func (t *Transport) checkLife(members map[string]any, asked string) (findings []Finding) {
	id, _ := members["id"].(string)
	status, _ := members["status"].(string)
	if asked != "" && id != "" && id != asked {
		findings = append(findings, violation("/id", "same-id", "the id that was asked for", "another one"))
	}
	video, _ := members["video"].(map[string]any)
	url, _ := video["url"].(string)
	if status == "completed" && url == "" {
		findings = append(findings, violation("/video/url", "completed-has-url", "the URL of the video", "nothing"))
	}
	if _, ok := members["error"].(map[string]any); status == "error" && !ok {
		findings = append(findings, violation("/error", "error-has-reason", "an error with name and message", kind(members["error"])))
	}
	if id == "" || status == "" {
		return findings
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before, ended := t.final[id]
	switch {
	case ended && before != status:
		findings = append(findings, violation("/status", "final-stays", before+", as before", fmt.Sprintf("%.40q", status)))
	case !ended && (status == "completed" || status == "error") && len(t.final) < maxCollected:
		if t.final == nil {
			t.final = map[string]string{}
		}
		t.final[id] = status
	}
	return findings
}
