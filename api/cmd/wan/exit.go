package main

import (
	"context"
	"errors"
	"fmt"
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

// A usageError is bad input.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

func inputError(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// An acceptedError is an error about a generation that the API has accepted. Whatever it is, the generation may be
// charged, and the exit code says so.
type acceptedError struct{ err error }

func (e *acceptedError) Error() string { return e.err.Error() }

func (e *acceptedError) Unwrap() error { return e.err }

// A printedError has been printed already, next to the result it belongs to.
type printedError struct{ err error }

func (e *printedError) Error() string { return e.err.Error() }

func (e *printedError) Unwrap() error { return e.err }

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

// interrupted replaces the context's error inside err by the cause: which signal, or which timeout.
func interrupted(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if err == nil || cause == nil {
		return err
	}
	if ctx.Err() == context.Canceled {
		cause = fmt.Errorf("interrupted: %w", cause)
	}
	switch e := err.(type) { //nolint:errorlint // only the outermost error
	case *api.WaitError:
		if errors.Is(e.Err, ctx.Err()) {
			return &api.WaitError{GenerationID: e.GenerationID, Status: e.Status, Polls: e.Polls, Elapsed: e.Elapsed, Err: cause}
		}
	case *api.UnknownOutcomeError:
		if errors.Is(e.Err, ctx.Err()) {
			return &api.UnknownOutcomeError{ClientRequestID: e.ClientRequestID, GenerationID: e.GenerationID, Err: cause}
		}
	case *api.NotSentError:
		if errors.Is(e.Err, ctx.Err()) {
			return &api.NotSentError{ClientRequestID: e.ClientRequestID, Err: cause}
		}
	case *api.DownloadError:
		if errors.Is(e.Err, ctx.Err()) {
			return &api.DownloadError{GenerationID: e.GenerationID, Err: cause}
		}
	}
	return err
}
