package wire

import "strings"

// ClientRequestIDHeader names the header with the caller's id of a submission.
const ClientRequestIDHeader = "X-Client-Request-Id"

const clientRequestIDs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-"

// ValidClientRequestID reports whether the API keeps a client request id. It silently drops others. The alphabet is that
// of generation.yaml.
func ValidClientRequestID(id string) bool {
	return id != "" && len(id) <= 128 && strings.Trim(id, clientRequestIDs) == ""
}
