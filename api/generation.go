package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/gen/generation"
)

// A Status is how far a generation is, in the API's own words. generation.yaml lists the known ones; Status.Valid tells
// whether a word is one of them.
type Status = generation.Status

// A Generation is the state of a generation, as one poll has reported it.
type Generation struct {
	// ID is the one that was asked for.
	ID string
	// Status is the API's word. What decides is not the word but Video and Failure: a word that nobody has listed means
	// that the generation goes on.
	Status Status
	// Video is the result, once it is there.
	Video *Video
	// Failure says that the generation has failed, and why.
	Failure *FailedError
	// Raw is the answer as it came, without the API key and the data of data URIs.
	Raw json.RawMessage
}

// Done reports whether the generation has come to its end, good or bad.
func (g *Generation) Done() bool { return g.Video != nil || g.Failure != nil }

// Usage is what a generation was charged.
type Usage struct {
	// Credits and USD are nil where the API doesn't say.
	Credits, USD *float64
}

// An answer is the body of the API's answers, as far as it can be trusted: members may be null or missing or of another
// type than the documents say. encoding/json passes over those of another type and goes on.
type answer struct {
	ID     string
	Status string
	Video  struct{ URL string }
	Error  json.RawMessage
	Meta   struct {
		Usage struct {
			Credits any `json:"credits_used"`
			Tokens  any `json:"tokens_used"` // in older revisions of the API
			USD     any `json:"usd_spent"`
		}
	}
}

// decodeAnswer fails only where the body is no JSON object.
func decodeAnswer(body []byte) (a answer, err error) {
	err = json.Unmarshal(body, &a)
	if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mismatch.Field != "" {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: it isn't a JSON object", ErrBadResponse)
	}
	if a.ID == "" {
		a.ID = idIn(body)
	}
	return a, err
}

// idIn finds the id of a generation, also in a body that is cut short behind it, and also a number: an id that is
// overlooked is a paid job that is lost.
func idIn(body []byte) string {
	d := json.NewDecoder(bytes.NewReader(body))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return ""
	}
	for {
		name, err := d.Token()
		if err != nil || name == json.Delim('}') {
			return ""
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return ""
		}
		if name, ok := name.(string); ok && strings.EqualFold(name, "id") && strings.ContainsRune(`"-0123456789`, rune(value[0])) {
			if id := text(value); id != "" {
				return id
			}
		}
	}
}

// failure returns the reason of a failure, or nil if the answer doesn't speak of one.
func (a *answer) failure() *FailedError {
	var reason any
	_ = json.Unmarshal(a.Error, &reason)
	f := &FailedError{GenerationID: a.ID}
	switch {
	case !saysNothing(reason):
	case Status(a.Status) == generation.StatusError:
		return f
	default:
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(a.Error, &members) == nil {
		f.Name, f.Message = text(members["name"]), text(members["message"])
	}
	if f.Name+f.Message == "" {
		f.Message = text(a.Error)
	}
	return f
}

// saysNothing reports whether a JSON value is empty, or holds nothing but what is.
func saysNothing(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for _, member := range v {
			if !saysNothing(member) {
				return false
			}
		}
	case []any:
		return !slices.ContainsFunc(v, func(element any) bool { return !saysNothing(element) })
	case string:
		return strings.TrimSpace(v) == ""
	case float64:
		return v == 0
	case bool:
		return !v
	}
	return true
}

// usage takes what the body says, or else the headers.
func (a *answer) usage(header http.Header) Usage {
	return Usage{
		Credits: firstNumber(a.Meta.Usage.Credits, a.Meta.Usage.Tokens, header.Get("X-Aimlapi-Credits-Used")),
		USD:     firstNumber(a.Meta.Usage.USD, header.Get("X-Aimlapi-Usd-Spent")),
	}
}

// firstNumber returns the first value that is a number or a string with one.
func firstNumber(values ...any) *float64 {
	for _, value := range values {
		switch v := value.(type) {
		case float64:
			return &v
		case string:
			if f, err := strconv.ParseFloat(v, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
				return &f
			}
		}
	}
	return nil
}

// generation makes sense of an answer to a poll. Evidence decides over labels: a URL means done, an error means failed,
// and only where neither is there does the status count.
func (j *Job) generation(header http.Header, body []byte) (*Generation, error) {
	a, err := decodeAnswer(body)
	switch {
	case err != nil:
		return nil, err
	case a.ID == "" || a.Status == "":
		return nil, fmt.Errorf("%w: it has no id or no status", ErrBadResponse)
	case a.ID != j.id:
		return nil, fmt.Errorf("%w: it is about another generation, %.200q", ErrBadResponse, j.client.redacted(a.ID))
	}
	g := &Generation{ID: a.ID, Status: Status(a.Status), Raw: j.client.redact(body)}
	if !g.Status.Valid() { // a word of anybody's
		g.Status = Status(j.client.redacted(a.Status))
	}
	if a.Video.URL != "" {
		if u, err := url.Parse(a.Video.URL); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%w: the video's URL isn't one", ErrBadResponse)
		}
		g.Video = &Video{GenerationID: a.ID, URL: a.Video.URL, Usage: a.usage(header), job: j}
		return g, nil
	}
	if g.Failure = a.failure(); g.Failure != nil {
		g.Failure.Name, g.Failure.Message = j.client.words(g.Failure.Name), j.client.words(g.Failure.Message)
	}
	if g.Failure == nil && g.Status == generation.StatusCompleted {
		return nil, ErrNoVideo
	}
	return g, nil
}

// isFinal reports whether a failed poll tells something that further polls won't change.
func isFinal(err error) bool {
	if refusal, ok := errors.AsType[*ResponseError](err); ok {
		switch refusal.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return refusal.StatusCode >= 400 && refusal.StatusCode < 500
	}
	return errors.Is(err, ErrNoVideo)
}
