// Package conformance validates HTTP traffic against the specs: the JSON bodies of submissions and responses, and the
// documented headers.
//
// All functions are safe for concurrent use.
package conformance

import (
	"fmt"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Grade is the severity of a finding.
type Grade string

// The grades.
const (
	// Violation is a breach of a spec.
	Violation Grade = "violation"
	// Undocumented is something that no spec mentions: a status code, a media type, a property, a status word. It may be
	// harmless, or the first sign that the API has changed.
	Undocumented Grade = "undocumented"
)

// A Finding is one deviation of a message from a spec.
type Finding struct {
	Grade Grade `json:"grade"`
	// Operation is the operationId, "submitGeneration" or "getGeneration", if a Transport found it.
	Operation string `json:"operation,omitempty"`
	// Status is the status code of the response; 0 for a request.
	Status int `json:"status,omitempty"`
	// Pointer is the JSON pointer into the body, such as "/image_list/0"; empty for the whole body. A member name that
	// doesn't look like a name is replaced by its length: "/<57-characters>". Outside of the body it is a name:
	// "Authorization", "Content-Type", "X-Client-Request-Id", "?generation_id".
	Pointer string `json:"pointer"`
	// Rule is the schema keyword, such as "maximum" or "required", or the name of another rule, such as "json".
	Rule string `json:"rule"`
	// Expected describes what the spec requires.
	Expected string `json:"expected"`
	// Received describes the value without data, URLs or text. A string appears as its length, or as itself if it is a
	// word of at most 20 letters, digits and ":._-" in the place of an enum value, a number or a boolean.
	Received string `json:"received"`
}

// String describes the finding in one line, such as
//
//	/num_frames: expected an integer from 81 to 241, received 242
//	violation: getGeneration response 200: /id: expected a non-empty string, received nothing
func (f Finding) String() string {
	pointer := redact.Line(redact.Cut(f.Pointer, maxPointer))
	if pointer == "" {
		pointer = "body"
	}
	text := fmt.Sprintf("%s: expected %s, received %s", pointer, f.Expected, f.Received)
	switch {
	case f.Operation == "":
		return text
	case f.Status == 0:
		return fmt.Sprintf("%s: %s request: %s", f.Grade, f.Operation, text)
	}
	return fmt.Sprintf("%s: %s response %d: %s", f.Grade, f.Operation, f.Status, text)
}

// maxPointer caps the printed length of a pointer: the sender of a message chooses the names.
const maxPointer = 200

func violation(pointer, rule, expected, received string) Finding {
	return Finding{Grade: Violation, Pointer: pointer, Rule: rule, Expected: expected, Received: received}
}
