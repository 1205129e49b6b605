package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aimlvideo/wan-go/gen/generation"
)

// A Status is how far a generation is, in the API's own words. generation.yaml lists the known ones; Status.Valid tells
// whether a word is one of them.
type Status = generation.Status

// A Generation is what one poll has found out.
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

// answer is the body of the API's answers, decoded without trust: members may be null, of another type than the
// documents say, or missing.
type answer struct {
	id       string
	status   string
	videoURL string
	failed   bool
	failure  FailedError
	usage    Usage
}

// decodeAnswer fails only where the body is no JSON object.
func decodeAnswer(body []byte) (answer, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return answer{}, fmt.Errorf("%w: it isn't a JSON object", ErrBadAnswer)
	}
	var a answer
	_ = json.Unmarshal(members["id"], &a.id)
	_ = json.Unmarshal(members["status"], &a.status)
	a.videoURL = text(object(members["video"])["url"])
	if reason := members["error"]; !isEmpty(reason) {
		a.failed = true
		if o := object(reason); o != nil {
			a.failure.Name, a.failure.Message = text(o["name"]), text(o["message"])
		} else {
			a.failure.Message = text(reason)
		}
		if a.failure.Name+a.failure.Message == "" {
			a.failure.Message = string(reason)
		}
	}
	usage := object(object(members["meta"])["usage"])
	a.usage.Credits = number(usage["credits_used"])
	if a.usage.Credits == nil { // older revisions of the API
		a.usage.Credits = number(usage["tokens_used"])
	}
	a.usage.USD = number(usage["usd_spent"])
	return a, nil
}

func object(raw json.RawMessage) (members map[string]json.RawMessage) {
	_ = json.Unmarshal(raw, &members)
	return members
}

// number takes a JSON number, or a string with one.
func number(raw json.RawMessage) *float64 {
	if f, err := strconv.ParseFloat(text(raw), 64); err == nil {
		return &f
	}
	return nil
}

// isEmpty reports whether a member says nothing: it is missing, null, false, "" or {}.
func isEmpty(raw json.RawMessage) bool {
	switch string(raw) {
	case "", "null", "false", `""`, "{}":
		return true
	}
	return false
}

// generation makes sense of an answer to a poll. Evidence decides over labels: a URL means done, an error means failed,
// and only where neither is there does the status count.
func (j *Job) generation(header http.Header, body []byte) (*Generation, error) {
	a, err := decodeAnswer(body)
	switch {
	case err != nil:
		return nil, err
	case a.id == "" || a.status == "":
		return nil, fmt.Errorf("%w: it has no id or no status", ErrBadAnswer)
	case a.id != j.id:
		return nil, fmt.Errorf("%w: it is about another generation, %.200q", ErrBadAnswer, a.id)
	}
	g := &Generation{ID: a.id, Status: Status(a.status), Raw: body}
	switch {
	case a.videoURL != "":
		if u, err := url.Parse(a.videoURL); err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("%w: the video's URL isn't one", ErrBadAnswer)
		}
		g.Video = &Video{GenerationID: a.id, URL: a.videoURL, Usage: a.usage, job: j}
		if g.Video.Usage.Credits == nil {
			g.Video.Usage.Credits = headerNumber(header, "X-Aimlapi-Credits-Used")
		}
		if g.Video.Usage.USD == nil {
			g.Video.Usage.USD = headerNumber(header, "X-Aimlapi-Usd-Spent")
		}
	case a.failed || g.Status == generation.StatusError:
		a.failure.GenerationID = a.id
		g.Failure = &a.failure
	case g.Status == generation.StatusCompleted:
		return nil, ErrNoVideo
	}
	return g, nil
}

func headerNumber(header http.Header, name string) *float64 {
	if f, err := strconv.ParseFloat(header.Get(name), 64); err == nil {
		return &f
	}
	return nil
}

// isFinal reports whether a failed poll tells something that further polls won't change.
func isFinal(err error) bool {
	if input := (*InputError)(nil); errors.As(err, &input) {
		return true
	}
	if refusal := (*ResponseError)(nil); errors.As(err, &refusal) {
		switch refusal.StatusCode {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return refusal.StatusCode >= 400 && refusal.StatusCode < 500
	}
	return errors.Is(err, ErrNoVideo)
}
