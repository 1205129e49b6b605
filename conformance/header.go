package conformance

import (
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// BearerKey returns the API key in the header of a request, or "" where there is none. The scheme is bearer in any case
// (RFC 9110).
func BearerKey(h http.Header) string {
	scheme, key, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// ClientRequestID returns the X-Client-Request-Id in the header of a request, or "" where there is none or one that the
// server drops silently.
func ClientRequestID(h http.Header) string {
	if id := h.Get("X-Client-Request-Id"); requestIDPattern().MatchString(id) {
		return id
	}
	return ""
}

var requestIDPattern = sync.OnceValue(func() *regexp.Regexp {
	parameter := spec.Generation().Operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "X-Client-Request-Id")
	return regexp.MustCompile(parameter.Schema.Value.Pattern)
})

// IsJSON reports whether the header's Content-Type is application/json, with any parameters.
func IsJSON(h http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// checkHeader checks the header of a request against the documents: the security scheme, the media type and
// X-Client-Request-Id.
func checkHeader(r *http.Request) (findings []Finding) {
	if BearerKey(r.Header) == "" {
		findings = append(findings, violation("Authorization", "security", "a bearer key", "none"))
	}
	if id := r.Header.Get("X-Client-Request-Id"); id != "" && ClientRequestID(r.Header) == "" {
		findings = append(findings, violation("X-Client-Request-Id", "pattern", requestIDPattern().String(), characters(id)))
	}
	if r.Method == http.MethodPost && !IsJSON(r.Header) {
		findings = append(findings, violation("Content-Type", "content-type", "application/json", receivedType(r.Header)))
	}
	return findings
}
