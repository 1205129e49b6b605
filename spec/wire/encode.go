package wire

import (
	"encoding/json"
	"time"
)

// EncodeError returns the documented body of an error response, indented.
func EncodeError(status int, message, path, requestID string, now time.Time) []byte {
	body, err := json.MarshalIndent(struct {
		Message    string `json:"message"`
		Path       string `json:"path"`
		RequestID  string `json:"requestId"`
		StatusCode int    `json:"statusCode"`
		Timestamp  string `json:"timestamp"`
	}{message, path, requestID, status, now.UTC().Format("2006-01-02T15:04:05.000Z07:00")}, "", "  ")
	if err != nil {
		panic(err) // strings and a number
	}
	return append(body, '\n')
}
