package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// Conditions for errors.Is, which the error types below wrap.
var (
	// ErrNoAPIKey says that [New] was given no API key.
	ErrNoAPIKey = errors.New("there is none; set AIML_API_KEY or use WithAPIKey")
	// ErrUnauthorized is an answer 401: the API key is missing or isn't valid.
	ErrUnauthorized = errors.New("the API key isn't valid")
	// ErrForbidden is an answer 403: the key may not do this, or the account has run out of credits. The message of the
	// [ResponseError] says which.
	ErrForbidden = errors.New("forbidden, or out of credits")
	// ErrNotFound is an answer 404. For a poll: there is no such generation, or it belongs to another account.
	ErrNotFound = errors.New("not found")
	// ErrTooManyRequests is an answer 429.
	ErrTooManyRequests = errors.New("too many requests")
	// ErrNoVideo says that a generation is completed but its answer has no URL.
	ErrNoVideo = errors.New("the generation is completed, but the answer has no video URL")
	// ErrBadResponse says that a response isn't what the documents promise: no JSON, cut short, without an id or a status,
	// or about another generation.
	ErrBadResponse = errors.New("unusable response")
	// ErrNotVideo says that what was downloaded isn't a video, or not all of one.
	ErrNotVideo = errors.New("not a complete video")
)

// An InputError means that a value from the caller can't be used. Nothing was sent or written.
type InputError struct {
	// Property names the value, such as "image_url", "path" or "API key". It is empty if it isn't known.
	Property string
	// Err is the reason.
	Err error
}

func (e *InputError) Error() string {
	if e.Property == "" {
		return "wan: " + e.Err.Error()
	}
	return "wan: " + e.Property + ": " + e.Err.Error()
}

func (e *InputError) Unwrap() error { return e.Err }

// A ResponseError is an answer of the API that is of no use: mostly one with an error status.
type ResponseError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Message, Path, RequestID and Timestamp are those of the documented error body; empty where it has none.
	Message   string
	Path      string
	RequestID string
	Timestamp time.Time
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
	// Body is the body as it came, up to 64 KiB, whatever its type, without the API key and the data of data URIs.
	Body []byte

	documented bool // the body is the API's own
}

func (e *ResponseError) Error() string {
	text := fmt.Sprintf("the API answered %d", e.StatusCode)
	switch message := oneLine(e.Message); {
	case message != "":
		text += ": " + message
	case http.StatusText(e.StatusCode) != "":
		text += " " + http.StatusText(e.StatusCode)
	}
	if e.RequestID != "" {
		text += " (request " + oneLine(e.RequestID) + ")"
	}
	return text
}

// Is makes errors.Is recognise the conditions of this package.
func (e *ResponseError) Is(target error) bool {
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusTooManyRequests:
		return target == ErrTooManyRequests
	}
	return false
}

// A RejectedError is the outcome of a submission that the server answered with a no. There is no job and no charge.
type RejectedError struct {
	// ClientRequestID is that of the submission.
	ClientRequestID string
	// Err is the answer.
	Err *ResponseError

	end error // of the context, if it came before another attempt
}

func (e *RejectedError) Error() string {
	text := "wan: submission rejected: " + e.Err.Error()
	if e.end != nil {
		text += fmt.Sprintf(", and it wasn't tried again: %v", e.end)
	}
	return text
}

// Unwrap returns the answer, and the context's error if it ended the attempts.
func (e *RejectedError) Unwrap() []error {
	if e.end != nil {
		return []error{e.Err, e.end}
	}
	return []error{e.Err}
}

// A NotSentError is the outcome of a submission no attempt of which has left this machine. There is no job and no charge, and it
// can safely be submitted again.
type NotSentError struct {
	// ClientRequestID is that of the submission.
	ClientRequestID string
	// Err says why, such as a name that couldn't be resolved or a connection that was refused.
	Err error
}

func (e *NotSentError) Error() string {
	return "wan: submission not sent: " + e.Err.Error() + "; nothing is charged, it can be submitted again"
}

func (e *NotSentError) Unwrap() error { return e.Err }

// An UnknownOutcomeError is the outcome of a submission that was sent, at least in part, but got no usable answer. The job may
// be running and may be charged. To submit it again may cost the price again.
type UnknownOutcomeError struct {
	// ClientRequestID is that of the submission. The account's usage logs know it if the submission arrived.
	ClientRequestID string
	// GenerationID is the id that the answer named although it was of no use otherwise; mostly empty. [Client.Job] takes
	// it up.
	GenerationID string
	// Err says what happened instead. If there was an answer, errors.As finds it as a [*ResponseError].
	Err error
}

func (e *UnknownOutcomeError) Error() string {
	how := "look for client request id " + e.ClientRequestID + " in the account's usage logs"
	if e.GenerationID != "" {
		how = "go on with generation " + oneLine(e.GenerationID)
	}
	return fmt.Sprintf("wan: outcome of the submission unknown, the job may be running and may be charged: %v; before you submit it again, %s", e.Err, how)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// A FailedError says that a generation has failed. It isn't charged.
type FailedError struct {
	GenerationID string
	// Name and Message are what the API gives as the reason; either may be empty.
	Name, Message string
}

func (e *FailedError) Error() string {
	reason := "no reason given"
	switch name, message := oneLine(e.Name), oneLine(e.Message); {
	case name != "" && message != "":
		reason = name + ": " + message
	case name+message != "":
		reason = name + message
	}
	return fmt.Sprintf("wan: generation %s failed: %s", oneLine(e.GenerationID), reason)
}

// A WaitError says that a wait ended although the generation has neither completed nor failed. It may still be running,
// and another [Job.Wait] goes on, also in another process.
type WaitError struct {
	GenerationID string
	// Status is the last one heard of; empty if no poll succeeded.
	Status Status
	// Polls counts the attempts, and Elapsed is the time since the wait began.
	Polls   int
	Elapsed time.Duration
	// Err says why the wait ended: the context's error, or the last of too many polls that failed.
	Err error
}

func (e *WaitError) Error() string {
	status := "no status yet"
	if e.Status != "" {
		status = "last status " + oneLine(string(e.Status))
	}
	advice := "; it may still be running, wait for the id again"
	if errors.Is(e.Err, ErrNotFound) || errors.Is(e.Err, ErrNoVideo) {
		advice = ""
	}
	return fmt.Sprintf("wan: stopped waiting for generation %s after %v (%s): %v%s",
		oneLine(e.GenerationID), e.Elapsed.Round(time.Millisecond), status, e.Err, advice)
}

func (e *WaitError) Unwrap() error { return e.Err }

// A PollError says that a single [Job.Poll] failed. It says nothing about the generation.
type PollError struct {
	GenerationID string
	Err          error
}

func (e *PollError) Error() string {
	return fmt.Sprintf("wan: polling generation %s: %v", oneLine(e.GenerationID), e.Err)
}

func (e *PollError) Unwrap() error { return e.Err }

// A DownloadError says that a finished video couldn't be fetched or saved. It has been charged and is still there:
// another [Video.Save], or [Client.Job] with the id and [Job.Wait], tries again.
type DownloadError struct {
	GenerationID string
	Err          error
}

func (e *DownloadError) Error() string {
	return fmt.Sprintf("wan: downloading the video of generation %s: %v", oneLine(e.GenerationID), e.Err)
}

func (e *DownloadError) Unwrap() error { return e.Err }

// newResponseError decodes the documented error body as far as it is there.
func newResponseError(status int, body []byte) *ResponseError {
	e := &ResponseError{StatusCode: status}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return e
	}
	e.Message = text(members["message"])
	e.Path = text(members["path"])
	e.RequestID = text(members["requestId"])
	e.Timestamp, _ = time.Parse(time.RFC3339, text(members["timestamp"]))
	// Gateways answer {"message": ...} too, but not with a statusCode.
	e.documented = e.Message != "" && members["statusCode"] != nil
	return e
}

// text returns a JSON string, or other JSON as it is written; null and nothing are empty.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// maxText is how many bytes of somebody else's words an error shows.
const maxText = 500

// oneLine makes words from outside fit for an error: one line, not too long.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + "..."
	}
	return s
}
