package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/aimlvideo/wan-go/api"
)

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
	if err == nil {
		return
	}
	r.Error = &failure{Message: message(err)}
	if failed, ok := errors.AsType[*api.FailedError](err); ok {
		r.Error = &failure{failed.Name, failed.Message}
	}
}

// write prints the result as JSON, or else the file, the URL or the id: byte for byte, since programs read it. With the id,
// a line is "ID<TAB>FILE".
func (r *result) write(w io.Writer, asJSON, withID bool) error {
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
	if withID && text != r.ID {
		text = r.ID + "\t" + text
	}
	return printLine(w, text)
}

// costs sums what videos cost. Safe for concurrent use; nil sums nothing.
type costs struct {
	mu           sync.Mutex
	videos       int
	unknown      int // videos without a price
	credits, usd float64
}

func (c *costs) add(usage api.Usage) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.videos++
	if usage.Credits == nil && usage.USD == nil {
		c.unknown++
	}
	if usage.Credits != nil {
		c.credits += *usage.Credits
	}
	if usage.USD != nil {
		c.usd += *usage.USD
	}
}

func (c *costs) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := fmt.Sprintf("total: %d videos, %.0f credits, $%.2f", c.videos, c.credits, c.usd)
	if c.unknown > 0 {
		text += fmt.Sprintf(", without the cost of %d that the API didn't report", c.unknown)
	}
	return text
}
