package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aimlvideo/wan-go/gen/generation"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Status is the API's word for the state of a generation. generation.yaml lists the documented ones; Status.Valid
// reports whether it is one of them.
type Status = generation.Status

// A Generation is the state of a generation at one poll.
type Generation struct {
	// ID is the id that was polled. The response may have the other form of it, with ":MODEL" behind it or without.
	ID string
	// Status is the API's word. Video and Failure decide, not the word: a status that isn't documented means that the
	// generation is in progress.
	Status Status
	// Progress is how far the generation is, as the API reports it; nil if it doesn't. Its scale isn't documented.
	Progress *float64
	// Video is the result; nil until there is one.
	Video *Video
	// Failure is the reason of a failure; nil unless the generation failed.
	Failure *FailedError
	// Raw is the response body without the API key and media data.
	Raw json.RawMessage
}

// Done reports whether the generation has completed or failed.
func (g *Generation) Done() bool { return g.Video != nil || g.Failure != nil }

// Usage is what a generation cost.
type Usage struct {
	// Credits and USD are nil if the API doesn't say. The vendor counts 2,000,000 credits for a US dollar.
	Credits, USD *float64
}

// A generationBody is the body of a response about a generation. Members may be null, missing, or of another type than
// the spec's; encoding/json skips those of another type.
type generationBody struct {
	ID           idText
	GenerationID idText `json:"generation_id"`
	CamelID      idText `json:"generationId"`
	Status       string
	Progress     any
	Video        struct{ URL string }
	Error        json.RawMessage
	Meta         struct {
		Usage struct {
			Credits any `json:"credits_used"`
			Tokens  any `json:"tokens_used"` // in older revisions of the API
			USD     any `json:"usd_spent"`
		}
	}
}

// decodeGeneration returns an error only if the body isn't a JSON object. It unwraps the object, see withoutWrapping.
func decodeGeneration(body []byte) (b generationBody, err error) {
	b, err = decodeObject(body)
	if err != nil || b.id() == "" {
		if object := withoutWrapping(body); len(object) != len(body) {
			return decodeObject(object)
		}
	}
	return b, err
}

func decodeObject(object []byte) (b generationBody, err error) {
	err = json.Unmarshal(object, &b)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && bytes.HasPrefix(bytes.TrimSpace(object), []byte("{")) {
		err = nil // a member has another type than the spec's
		var list struct{ Video []struct{ URL string } }
		if _ = json.Unmarshal(object, &list); len(list.Video) > 0 { // as in newer models of the API
			b.Video = list.Video[0]
		}
	}
	if err != nil {
		err = fmt.Errorf("%w: it isn't a JSON object", ErrBadResponse)
	}
	return b, err
}

func (b *generationBody) id() string { return string(cmp.Or(b.GenerationID, b.CamelID, b.ID)) }

// An idText is an id, which may also be a number. Other JSON is no id.
type idText string

func (m *idText) UnmarshalJSON(raw []byte) error {
	*m = ""
	switch {
	case raw[0] == '"' && bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw): // most ids
		*m = idText(raw[1 : len(raw)-1])
	case raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		*m = idText(wire.JSONText(raw))
	}
	return nil
}

// withoutWrapping returns the object in a body that has a byte order mark before it, a list around it, or the object in
// a member "data".
func withoutWrapping(body []byte) []byte {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	var list []json.RawMessage
	if json.Unmarshal(body, &list) == nil && len(list) == 1 {
		body = bytes.TrimSpace(list[0])
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil && object["id"] == nil && object["generation_id"] == nil && object["generationId"] == nil {
		for _, name := range []string{"data", "generation", "result"} {
			if data := bytes.TrimSpace(object[name]); bytes.HasPrefix(data, []byte("{")) || bytes.HasPrefix(data, []byte("[")) {
				return withoutWrapping(data)
			}
		}
	}
	return body
}

// A namedGeneration is what the body of a response to a submission says about a generation.
type namedGeneration struct {
	id string
	// errorLike reports that the body looks like an error: its id may be the error's own.
	errorLike bool
	// documentedError reports that it is the API's own error body.
	documentedError bool
}

// idMember finds an id in a body that isn't whole JSON.
var idMember = regexp.MustCompile(`(?i)"(generation_?id|id)"\s*:\s*(?:"((?:[^"\\]|\\.)+)"|(-?[0-9]+)\s*[,}])`)

// findGeneration finds the id of a generation, also in a body that is cut short behind it: an id that is overlooked is a
// paid job that is lost. inferenceID is the header's.
func findGeneration(body []byte, inferenceID string) (g namedGeneration) {
	b, err := decodeGeneration(body)
	if g.id = b.id(); err == nil && g.id != "" && b.Status != "" {
		return g
	}
	object := withoutWrapping(body)
	if err != nil && !bytes.HasPrefix(object, []byte("{")) && !bytes.HasPrefix(object, []byte("[")) {
		return g // a page, not JSON
	}
	if err != nil {
		for _, m := range idMember.FindAllSubmatch(object, -1) {
			if g.id == "" || len(m[1]) > len("id") {
				g.id = unquote(string(m[2])) + string(m[3])
			}
		}
		return g
	}
	var members map[string]json.RawMessage
	_ = json.Unmarshal(object, &members)
	for name, value := range members { // an object may have members "id" and "ID"
		if g.id == "" && (strings.EqualFold(name, "id") || strings.EqualFold(name, "generation_id")) {
			var id idText
			_ = id.UnmarshalJSON(value)
			g.id = string(id)
		}
	}
	g.documentedError = members["message"] != nil && members["statusCode"] != nil && b.Status == ""
	says := wire.DecodeError(http.Header{"Content-Type": {"application/json"}}, object).Message != ""
	g.errorLike = says && b.Status == "" && b.GenerationID+b.CamelID == "" && !isGenerationID(g.id, inferenceID)
	if g.id == "" || g.errorLike {
		if id := nestedGeneration(body, inferenceID); id != "" {
			g.id, g.errorLike = id, false
		}
	}
	return g
}

// nestedGeneration finds the id of a generation in the members of an error body.
func nestedGeneration(body []byte, inferenceID string) string {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), &members)
	for _, name := range []string{"job", "generation", "data", "result", "error"} {
		b, err := decodeObject(members[name])
		if id := b.id(); err == nil && id != "" && (name != "error" || b.GenerationID+b.CamelID != "" || isGenerationID(id, inferenceID)) {
			return id
		}
	}
	return ""
}

var (
	shortID = regexp.MustCompile(`^[A-Za-z0-9_-]{21}$`)
	// ownID is an error's own id: a request id or a word.
	ownID = regexp.MustCompile(`^((?i:req|request|err|error|trace)[_-].*|[a-z_-]+|[A-Z_-]+)$`)
)

// isGenerationID reports whether an id beside a message is a generation's: it has a documented form, or is that of the
// header.
func isGenerationID(id, inferenceID string) bool {
	return documentedID.MatchString(id) || shortID.MatchString(id) && !ownID.MatchString(id) || id != "" && id == inferenceID
}

func unquote(text string) string {
	if s, err := strconv.Unquote(`"` + text + `"`); err == nil {
		return s
	}
	return text
}

// failedStatuses are the words that end a generation without a video. Other models of the API use all but the first.
var failedStatuses = []string{string(generation.StatusError), "failed", "canceled", "cancelled", "expired", "rejected"}

// failure returns the reason of a failure, or nil if the body doesn't report one.
func (b *generationBody) failure() *FailedError {
	var reason any
	if len(b.Error) > 0 {
		_ = json.Unmarshal(b.Error, &reason)
	}
	f := &FailedError{}
	status := strings.ToLower(b.Status)
	switch {
	case !isEmptyJSON(reason):
	case status == string(generation.StatusError):
		return f
	case slices.Contains(failedStatuses, status):
		f.Name = status
		return f
	default:
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(b.Error, &members) == nil {
		f.Name, f.Message = wire.JSONText(members["name"]), wire.JSONText(members["message"])
		f.Code, f.Data = wire.JSONText(members["code"]), members["data"]
	}
	if f.Name+f.Message == "" {
		f.Message = wire.JSONText(b.Error)
	}
	return f
}

// isEmptyJSON reports whether a JSON value is null, empty, or contains only such values.
func isEmptyJSON(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return isEmptyJSON(slices.Collect(maps.Values(v)))
	case []any:
		return !slices.ContainsFunc(v, func(element any) bool { return !isEmptyJSON(element) })
	case string:
		return strings.TrimSpace(v) == ""
	}
	return value == nil || value == false || value == 0.0
}

// usage takes the figures of the body, or else those of the headers.
func (b *generationBody) usage(header http.Header) Usage {
	return Usage{
		Credits: firstNumber(b.Meta.Usage.Credits, b.Meta.Usage.Tokens, header.Get(wire.CreditsUsedHeader)),
		USD:     firstNumber(b.Meta.Usage.USD, header.Get(wire.USDSpentHeader)),
	}
}

// firstNumber returns the first value that is a number or a text with one.
func firstNumber(values ...any) *float64 {
	for _, value := range values {
		switch v := value.(type) {
		case float64:
			return &v
		case string:
			if v == "" {
				continue
			}
			if f, err := strconv.ParseFloat(strings.TrimSuffix(v, "%"), 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
				return &f
			}
		}
	}
	return nil
}

// generation interprets the response to a poll. Evidence decides over labels: a URL means completed, an error means
// failed, and the status counts only if there is neither.
func (j *Job) generation(header http.Header, body []byte) (*Generation, error) {
	b, err := decodeGeneration(body)
	id := b.id()
	switch {
	case err != nil:
		return nil, err
	case id == "" || b.Status == "":
		return nil, fmt.Errorf("%w: it has no id or no status", ErrBadResponse)
	case !wire.SameGeneration(id, j.id):
		return nil, fmt.Errorf("%w: it is about another generation, %.200q", ErrBadResponse, j.client.redact.String(id))
	}
	g := &Generation{ID: j.id, Status: Status(b.Status), Progress: firstNumber(b.Progress), Raw: j.client.redact.Bytes(body)}
	if !g.Status.Valid() {
		g.Status = Status(j.client.redact.String(b.Status))
	}
	if raw := b.Video.URL; raw != "" {
		if u, err := url.Parse(raw); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%w: the video's URL isn't valid", ErrBadResponse)
		}
		g.Video = &Video{GenerationID: j.id, URL: raw, Usage: b.usage(header), job: j}
		return g, nil
	}
	if g.Failure = b.failure(); g.Failure != nil {
		f := g.Failure
		f.GenerationID = j.id
		f.Name, f.Message, f.Code = j.client.redact.Message(f.Name), j.client.redact.Message(f.Message), j.client.redact.Message(f.Code)
		f.Data = j.client.redact.Bytes(f.Data)
	}
	if g.Failure == nil && strings.EqualFold(b.Status, string(generation.StatusCompleted)) {
		return nil, ErrNoVideo
	}
	return g, nil
}
