package conformance

import (
	"net/http"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// checkHeader checks the security scheme, the media type and the client request id of a request.
func checkHeader(r *http.Request) (findings []Finding) {
	if wire.BearerKey(r.Header) == "" {
		findings = append(findings, violation("Authorization", "security", "a bearer key", "none"))
	}
	if id := r.Header.Get(wire.ClientRequestIDHeader); id != "" && !wire.ValidClientRequestID(id) {
		findings = append(findings, violation(wire.ClientRequestIDHeader, "pattern", "1 to 128 letters, digits and ._:-", characters(id)))
	}
	if r.Method == http.MethodPost && !wire.IsJSON(r.Header) {
		findings = append(findings, violation("Content-Type", "content-type", "application/json", receivedType(r.Header)))
	}
	return findings
}
