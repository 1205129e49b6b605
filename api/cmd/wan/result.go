package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/aimlvideo/wan-go/api"
)

// A result is what --json prints: an object in a line of its own for each generation, whatever becomes of it. Members are
// only ever added.
type result struct {
	// ID is missing where there is no generation, or nobody knows of one.
	ID string `json:"id,omitempty"`
	// Outcome is one of the words for the exit codes, or "submitted" after --no-wait.
	Outcome string `json:"outcome"`
	// Status is the API's word, the last one heard of.
	Status  api.Status `json:"status,omitempty"`
	URL     string     `json:"url,omitempty"`
	File    string     `json:"file,omitempty"`
	Credits *float64   `json:"credits,omitempty"`
	USD     *float64   `json:"usd,omitempty"`
	// ClientRequestID is the submission's name; missing where this process hasn't submitted.
	ClientRequestID string   `json:"client_request_id,omitempty"`
	Error           *failure `json:"error,omitempty"`
}

// A failure is why there is no video. The name is the API's, if the generation has failed.
type failure struct {
	Name    string `json:"name,omitempty"`
	Message string `json:"message"`
}

// outcomes are the words for the exit codes. Bad input has no result.
var outcomes = map[int]string{
	exitDone:    "done",
	exitTrouble: "trouble",
	exitFailed:  "failed",
	exitAccount: "account",
	exitRunning: "running",
	exitUnknown: "unknown",
}

// has takes over what is known of the video.
func (r *result) has(video *api.Video) {
	r.URL, r.Credits, r.USD = video.URL, video.Usage.Credits, video.Usage.USD
}

// conclude sets what became of the generation.
func (r *result) conclude(err error) {
	r.Outcome = outcomes[exitCode(err)]
	if err == nil {
		return
	}
	r.Error = &failure{Message: message(err)}
	if failed, ok := errors.AsType[*api.FailedError](err); ok {
		r.Error = &failure{failed.Name, failed.Message}
	}
}

// write prints the result for machines, or else for people: what they want to go on with.
func (r *result) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	text := r.ID
	switch {
	case r.File != "":
		text = r.File
	case r.URL != "":
		text = r.URL
	}
	_, err := fmt.Fprintln(w, printable(text))
	return err
}
