package wire

import "regexp"

// ClientRequestIDHeader names the header with the caller's id of a submission.
const ClientRequestIDHeader = "X-Client-Request-Id"

var clientRequestID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// ValidClientRequestID reports whether the API keeps a client request id. It silently drops others. The alphabet is that
// of generation.yaml.
func ValidClientRequestID(id string) bool { return clientRequestID.MatchString(id) }
