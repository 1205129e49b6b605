package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aimlvideo/wan-go/api"
)

// The exit codes of the commands that deal with generations. The order is the order of weight: of several generations
// the highest code counts.
const (
	exitDone = iota
	exitTrouble
	exitInput
	exitFailed
	exitAccount
	exitRunning
	exitUnknown
)

// outcomes holds, for each exit code, its name in --json and its meaning. Bad input has no name, since it has no result.
var outcomes = [...]struct{ name, meaning string }{
	exitDone:    {"done", "success"},
	exitTrouble: {"trouble", "an error without a charge, such as a network that fails before anything is submitted"},
	exitInput:   {"", "bad input; nothing was sent"},
	exitFailed:  {"failed", "the generation failed; no charge"},
	exitAccount: {"account", "the API key isn't accepted, or the account is out of credits"},
	exitRunning: {"running", "submitted, but the video isn't here yet; resume with \"wan wait ID\""},
	exitUnknown: {"unknown", "the outcome of the submission is unknown; it may be charged"},
}

// exitCodes is the table as the help prints it.
func exitCodes() string {
	var b strings.Builder
	b.WriteString("Exit codes, and their names in --json:\n")
	for code, outcome := range outcomes {
		fmt.Fprintf(&b, "  %d  %-8s  %s\n", code, outcome.name, outcome.meaning)
	}
	b.WriteString("Of several generations, the highest one counts.")
	return b.String()
}

// exitCode classifies an error. A case that stands higher wins.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case (is[*usageError](err) || is[*api.InputError](err)) && !is[*acceptedError](err):
		return exitInput
	case is[*api.UnknownOutcomeError](err), is[*api.SubmissionNotFoundError](err):
		return exitUnknown
	case is[*api.FailedError](err):
		return exitFailed
	case errors.Is(err, api.ErrUnauthorized), errors.Is(err, api.ErrForbidden):
		return exitAccount
	case is[*acceptedError](err):
		return exitRunning
	case errors.Is(err, api.ErrNotFound):
		return exitTrouble
	case is[*api.WaitError](err), is[*api.DownloadError](err):
		return exitRunning
	}
	return exitTrouble
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

type (
	// A usageError is bad input.
	usageError struct{ error }

	// An acceptedError is an error about a generation that the API has accepted. Whatever it is, the generation may be
	// charged, and the exit code says so.
	acceptedError struct{ error }

	// A printedError has been printed already, next to the result it belongs to.
	printedError struct{ error }

	// An interruptedError is an error with the reason for which a context ended.
	interruptedError struct {
		error

		text string
	}
)

func (e *usageError) Unwrap() error       { return e.error }
func (e *acceptedError) Unwrap() error    { return e.error }
func (e *printedError) Unwrap() error     { return e.error }
func (e *interruptedError) Unwrap() error { return e.error }
func (e *interruptedError) Error() string { return e.text }

func inputError(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// interrupted names in err why the context has ended: which signal, or which timeout.
func interrupted(ctx context.Context, err error) error {
	if err == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	cause := context.Cause(ctx).Error()
	if ctx.Err() == context.Canceled {
		cause = "interrupted: " + cause
	}
	return &interruptedError{err, strings.ReplaceAll(err.Error(), ctx.Err().Error(), cause)}
}

// message is the text of an error without the prefix of package api, and with advice.
func message(err error) string {
	text := strings.TrimPrefix(err.Error(), "wan: ")
	const advice = "call FindSubmission with client request id " // at the end, behind the server's own words
	switch i := strings.LastIndex(text, advice); {
	case is[*api.UnknownOutcomeError](err) && i >= 0:
		text = text[:i] + "look it up by its client request id"
	case is[*api.FailedError](err):
		text += "; no charge"
	case errors.Is(err, api.ErrUnauthorized):
		text += "; check AIML_API_KEY"
	}
	return text
}

// A result is what --json prints: one object in a line of its own for each generation, whatever its outcome. Members are
// only ever added.
type result struct {
	// ID is missing if no generation is known.
	ID string `json:"id,omitempty"`
	// Outcome is the name of the exit code, or "submitted" after --no-wait.
	Outcome string `json:"outcome"`
	// Status is the last one that the API reported.
	Status  api.Status `json:"status,omitempty"`
	URL     string     `json:"url,omitempty"`
	File    string     `json:"file,omitempty"`
	Credits *float64   `json:"credits,omitempty"`
	USD     *float64   `json:"usd,omitempty"`
	// Simulated reports that nothing was charged, whatever Credits and USD say.
	Simulated bool `json:"simulated,omitempty"`
	// ClientRequestID is missing if this process didn't submit.
	ClientRequestID string   `json:"client_request_id,omitempty"`
	Error           *failure `json:"error,omitempty"`
}

// A failure is why there is no video. The name is the API's, if the generation failed.
type failure struct {
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
}

// jsonUsage is the help of --json.
const jsonUsage = "print the result as a JSON object in one line, whatever the outcome"

func (r *result) setVideo(video *api.Video) {
	r.URL, r.Credits, r.USD = video.URL, video.Usage.Credits, video.Usage.USD
}

// conclude sets the outcome.
func (r *result) conclude(err error) {
	r.Outcome = outcomes[exitCode(err)].name
	if failed, ok := errors.AsType[*api.FailedError](err); ok {
		r.Error = &failure{failed.Name, failed.Message}
	} else if err != nil {
		r.Error = &failure{Message: message(err)}
	}
}

// write prints the result as JSON, or else the file, the URL or the id: byte for byte, since programs read it. With the id,
// a line is "ID<TAB>FILE".
func (r *result) write(w io.Writer, asJSON, withID bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	text := cmp.Or(r.File, r.URL, r.ID)
	if withID && text != r.ID {
		text = r.ID + "\t" + text
	}
	return printLine(w, text)
}

// writeError concludes the result and prints it, if it is printed as JSON and has an outcome.
func (r *result) writeError(w io.Writer, asJSON bool, err error) error {
	if r.conclude(err); asJSON && r.Outcome != "" {
		if writeErr := r.write(w, true, false); writeErr != nil {
			return fmt.Errorf("%w; print the result: %w", err, writeErr)
		}
	}
	return err
}
