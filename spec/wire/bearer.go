package wire

import (
	"net/http"
	"strings"
)

// Response headers of the API. The cost headers come once the cost is known.
const (
	InferenceIDHeader = "X-Inference-Id"
	CreditsUsedHeader = "X-Aimlapi-Credits-Used" //nolint:gosec // not a credential
	USDSpentHeader    = "X-Aimlapi-Usd-Spent"
)

// BearerKey returns the API key of a request, or "" if it has none. The scheme is case-insensitive (RFC 9110).
func BearerKey(header http.Header) string {
	scheme, key, _ := strings.Cut(header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
