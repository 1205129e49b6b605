package suite

import (
	"encoding/json"
	"net/http"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// A responseBody holds the members of a response that the suite checks, as far as they have the right type.
type responseBody struct {
	ID      string
	Status  string
	URL     string         // of the video
	Error   any            // nil if null or absent
	Usage   map[string]any // the cost
	Message string         // of an error
	Code    any            // the status code in the body of an error
	Path    string         // of an error

	object bool // the body is a JSON object
}

// decodeResponse decodes a body. A body that isn't a JSON object yields nothing here; the validation reports it.
func decodeResponse(status int, header http.Header, body []byte) (b responseBody) {
	if status >= 400 {
		e := wire.DecodeError(header, body)
		b.Message, b.Path = e.Message, e.Path
	}
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return b
	}
	b.object = members != nil
	b.ID, _ = members["id"].(string)
	b.Status, _ = members["status"].(string)
	b.Error = members["error"]
	if video, ok := members["video"].(map[string]any); ok {
		b.URL, _ = video["url"].(string)
	}
	if meta, ok := members["meta"].(map[string]any); ok {
		b.Usage, _ = meta["usage"].(map[string]any)
	}
	b.Code = members["statusCode"]
	if f, ok := members["status"].(float64); ok { // problem+json
		b.Code = f
	}
	return b
}

// final reports whether the generation has ended.
func (b responseBody) final() bool { return b.Status == "completed" || b.Status == "error" }

// premature reports whether the generation has a result although its status isn't final: a video, or an error under a
// status that isn't listed.
func (b responseBody) premature() bool {
	_, failed := b.Error.(map[string]any)
	return !b.final() && (b.URL != "" || failed && rank(b.Status) == rankUnlisted)
}
