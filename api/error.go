package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// Conditions for errors.Is. The error types below wrap them.
var (
	// ErrNoAPIKey means that [New] found no API key.
	ErrNoAPIKey = errors.New("not set; set AIML_API_KEY or use WithAPIKey")
	// ErrUnauthorized is status code 401: the API key is missing or isn't valid.
	ErrUnauthorized = errors.New("the API key isn't valid")
	// ErrForbidden is status code 403: the key isn't allowed to do this, or the account is out of credits. The message of
	// the [ResponseError] says which.
	ErrForbidden = errors.New("forbidden, or out of credits")
	// ErrNotFound is status code 404. For a poll: the generation doesn't exist or belongs to another account.
	ErrNotFound = errors.New("not found")
	// ErrTooManyRequests is status code 429.
	ErrTooManyRequests = errors.New("too many requests")
	// ErrNoVideo means that a generation is completed but the response has no video URL.
	ErrNoVideo = errors.New("the generation is completed, but the response has no video URL")
	// ErrBadResponse means that a response can't be used: it isn't JSON, is cut short, lacks an id or a status, or belongs
	// to another request or generation.
	ErrBadResponse = errors.New("unusable response")
	// ErrNotVideo means that a download isn't a video, or not a whole one.
	ErrNotVideo = errors.New("not a complete video")
)

// An InputError means that a value from the caller can't be used. Nothing was sent, charged or written.
type InputError struct {
	// Property names the value, such as "image_url", "path" or "API key". It is empty if it isn't known.
	Property string
	// Err is the reason.
	Err error
}

func (e *InputError) Error() string {
	if _, named := e.Err.(*ValidationError); named || e.Property == "" { //nolint:errorlint // one that is wrapped has another text
		return "wan: " + e.Err.Error()
	}
	return "wan: " + e.Property + ": " + e.Err.Error()
}

func (e *InputError) Unwrap() error { return e.Err }

// A ResponseError is a response of the API that can't be used, usually one with an error status code.
type ResponseError struct {
	// StatusCode is the HTTP status code.
	StatusCode int
	// Message is the reason that the body gives, whatever its form; empty if it gives none.
	Message string
	// Details are other members of a JSON body, such as the findings of a failed validation.
	Details map[string]string
	// Path, RequestID and Timestamp are members of the documented error body; zero if they are missing.
	Path      string
	RequestID string
	Timestamp time.Time
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
	// Body is the start of the body, up to 64 KiB, without the API key and media data.
	Body []byte

	documented bool // the body is the API's own, not that of a gateway
}

func (e *ResponseError) Error() string {
	text := fmt.Sprintf("the API returned status code %d", e.StatusCode)
	if e.Message != "" {
		text += ": " + redact.Line(e.Message)
	} else if status := http.StatusText(e.StatusCode); status != "" {
		text += " " + status
	}
	var details strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		fmt.Fprintf(&details, "; %s: %s", name, redact.Line(e.Details[name]))
	}
	text += details.String()
	if e.StatusCode == http.StatusRequestEntityTooLarge {
		text += "; host the file and give its URL"
	}
	if e.RequestID != "" {
		text += " (request " + redact.Line(e.RequestID) + ")"
	}
	return redact.Cut(text, 2000)
}

var conditions = map[int]error{
	http.StatusUnauthorized:    ErrUnauthorized,
	http.StatusForbidden:       ErrForbidden,
	http.StatusNotFound:        ErrNotFound,
	http.StatusTooManyRequests: ErrTooManyRequests,
}

// Is reports whether target is the condition of the status code.
func (e *ResponseError) Is(target error) bool {
	return target != nil && conditions[e.StatusCode] == target
}

// A RejectedError means that the API refused a submission. There is no job and no charge.
type RejectedError struct {
	ClientRequestID string
	// Err is the response.
	Err *ResponseError

	end error // of the context, if it came before another attempt
}

func (e *RejectedError) Error() string {
	text := "wan: submission rejected by the server: " + e.Err.Error()
	if e.end != nil {
		text += fmt.Sprintf("; no further attempt: %v", e.end)
	}
	return text
}

// Unwrap returns the response, and the context's error if it ended the attempts.
func (e *RejectedError) Unwrap() []error {
	if e.end != nil {
		return []error{e.Err, e.end}
	}
	return []error{e.Err}
}

// A NotSentError means that no attempt of a submission left this machine. There is no job and no charge, and it is safe
// to submit again.
type NotSentError struct {
	ClientRequestID string
	// Err is the reason, such as a host name that can't be resolved or a refused connection.
	Err error
}

func (e *NotSentError) Error() string {
	return "wan: submission not sent: " + e.Err.Error() + "; nothing is charged, and it is safe to submit again"
}

func (e *NotSentError) Unwrap() error { return e.Err }

// An UnknownOutcomeError means that a submission was sent, at least in part, and got no usable response. The job may be
// running and may be charged, so that another submission may cost the price again. [Client.FindSubmission] looks the
// client request id up in the account's logs.
type UnknownOutcomeError struct {
	ClientRequestID string
	// GenerationID is the id that the response named, if any. [Client.Job] resumes it.
	GenerationID string
	// Err is what happened instead. If there was a response, it wraps a [*ResponseError].
	Err error
}

func (e *UnknownOutcomeError) Error() string {
	how := "call FindSubmission with client request id " + e.ClientRequestID
	if e.GenerationID != "" {
		how = "resume generation " + redact.Line(e.GenerationID)
	}
	return fmt.Sprintf("wan: submission with unknown outcome, it may be running and may be charged: %v; before you submit again, %s", e.Err, how)
}

func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// A FailedError means that a generation failed. The vendor doesn't charge for it, as its pages say.
type FailedError struct {
	GenerationID string
	// Name and Message are the reason that the API gives; either may be empty.
	Name, Message string
	// Code and Data are further members of the error that other models of the API send; empty if missing.
	Code string
	Data json.RawMessage
}

func (e *FailedError) Error() string {
	reason := "no reason given"
	switch name, message := redact.Line(e.Name), redact.Line(e.Message); {
	case name != "" && message != "":
		reason = name + ": " + message
	case name+message != "":
		reason = name + message
	}
	return fmt.Sprintf("wan: generation %s failed: %s", redact.Line(e.GenerationID), reason)
}

// A WaitError means that a wait ended before the generation completed or failed. The generation may still be running,
// and another [Job.Wait] resumes, also in another process.
type WaitError struct {
	GenerationID string
	// Status is the last one received; empty if no poll succeeded.
	Status Status
	// Polls counts the attempts, and Elapsed is the time since the wait began.
	Polls   int
	Elapsed time.Duration
	// Err is why the wait ended: the context's error, with that of the last poll if it failed, or the last of too many
	// failed polls.
	Err error
}

func (e *WaitError) Error() string {
	status := "no status yet"
	if e.Status != "" {
		status = "last status " + redact.Line(string(e.Status))
	}
	advice := "; it may still be running, wait for the id again"
	if errors.Is(e.Err, ErrNotFound) || errors.Is(e.Err, ErrNoVideo) {
		advice = ""
	}
	return fmt.Sprintf("wan: stopped waiting for generation %s after %v (%s): %v%s",
		redact.Line(e.GenerationID), e.Elapsed.Round(time.Millisecond), status, e.Err, advice)
}

func (e *WaitError) Unwrap() error { return e.Err }

// A PollError means that one [Job.Poll] failed. It says nothing about the generation.
type PollError struct {
	GenerationID string
	// Err is the reason. If there was a response, it wraps a [*ResponseError] or [ErrBadResponse].
	Err error
}

func (e *PollError) Error() string {
	return fmt.Sprintf("wan: polling generation %s: %v", redact.Line(e.GenerationID), e.Err)
}

func (e *PollError) Unwrap() error { return e.Err }

// A DownloadError means that a finished video couldn't be fetched or saved. It has been charged and still exists: call
// [Video.Save] again, or [Job.Wait] on [Client.Job] with the id.
type DownloadError struct {
	GenerationID string
	// Err is the reason: the context's error, that of the file or writer, [ErrNotVideo], or what the file server did.
	Err error
}

func (e *DownloadError) Error() string {
	return fmt.Sprintf("wan: downloading the video of generation %s: %v", redact.Line(e.GenerationID), e.Err)
}

func (e *DownloadError) Unwrap() error { return e.Err }
