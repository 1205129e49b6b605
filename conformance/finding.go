// Package conformance checks HTTP messages against the documents in spec: the JSON of submissions and of answers, and
// the headers that the documents speak of.
//
// All functions are safe for concurrent use.
package conformance

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
)

// A Grade tells how much a finding weighs.
type Grade string

// The grades.
const (
	// Violation is a departure from the documents.
	Violation Grade = "violation"
	// Undocumented is what the documents don't speak of: a status, a media type, a property, a status word. It may be
	// fine, and it may be the first sign that the API has moved on.
	Undocumented Grade = "undocumented"
)

// A Finding is one place where a message departs from the documents.
type Finding struct {
	Grade Grade `json:"grade"`
	// Operation is the operationId, "submitGeneration" or "getGeneration", where an exchange was looked at.
	Operation string `json:"operation,omitempty"`
	// Status is that of the answer; 0 if it is about the request.
	Status int `json:"status,omitempty"`
	// Pointer is the JSON pointer into the body, such as "/image_list/0"; empty for the body as a whole. A member whose
	// name looks like anything but a name stands in it as its length, such as "/<57-characters>". Of what isn't in the
	// body, it is the name: "Authorization", "Content-Type", "X-Client-Request-Id", "?generation_id".
	Pointer string `json:"pointer"`
	// Rule is the keyword of the document that is broken, such as "maximum" or "required", or the name of a rule beyond
	// the schemas, such as "json".
	Rule string `json:"rule"`
	// Expected says what the document asks for.
	Expected string `json:"expected"`
	// Received says what was there, without data, URLs or texts: of a string, it is the length, or the string itself
	// where that is a word of at most 20 letters, digits and ":._-" in place of a listed word, a number or a boolean.
	Received string `json:"received"`
}

// String describes the finding in one line, such as
//
//	/num_frames: expected an integer from 81 to 241, received 242
//	violation: getGeneration answer 200: /id: expected a string that isn't empty, received nothing
func (f Finding) String() string {
	pointer := shownPointer(f.Pointer)
	text := fmt.Sprintf("%s: expected %s, received %s", pointer, f.Expected, f.Received)
	if f.Operation == "" {
		return text
	}
	if f.Status == 0 {
		return fmt.Sprintf("%s: %s request: %s", f.Grade, f.Operation, text)
	}
	return fmt.Sprintf("%s: %s answer %d: %s", f.Grade, f.Operation, f.Status, text)
}

// maxPointer is how many bytes of a pointer a line shows: names of members come from whoever sent the message.
const maxPointer = 200

func shownPointer(pointer string) string {
	if pointer == "" {
		return "body"
	}
	if len(pointer) > maxPointer {
		pointer = strings.ToValidUTF8(pointer[:maxPointer], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, pointer)
}

func violation(pointer, rule, expected, received string) Finding {
	return Finding{Grade: Violation, Pointer: pointer, Rule: rule, Expected: expected, Received: received}
}

// Describe says in words what values a schema takes: "an integer from 81 to 241", "one of auto, 16:9, 1:1, 9:16".
func Describe(schema *openapi3.Schema) string {
	switch {
	case len(schema.Enum) > 0:
		values := make([]string, len(schema.Enum))
		for i, v := range schema.Enum {
			values[i] = fmt.Sprint(v)
		}
		if len(values) == 1 {
			return values[0]
		}
		return "one of " + strings.Join(values, ", ")
	case schema.Type.Is(openapi3.TypeInteger):
		return "an integer" + bounds(schema.Min, schema.Max)
	case schema.Type.Is(openapi3.TypeNumber):
		return "a number" + bounds(schema.Min, schema.Max)
	case schema.Type.Is(openapi3.TypeBoolean):
		return "a boolean"
	case schema.Type.Is(openapi3.TypeArray):
		what := "an array"
		if schema.MaxItems != nil {
			what += fmt.Sprintf(" of at most %d", *schema.MaxItems)
		}
		return what
	case schema.Type.Is(openapi3.TypeObject):
		return "an object"
	case schema.Format == "uri":
		return "a URL or a data URI"
	case schema.Format == "date-time":
		return "a date and time (RFC 3339)"
	case schema.Type.Is(openapi3.TypeString) && schema.MinLength > 0:
		return "a string that isn't empty"
	case schema.Type.Is(openapi3.TypeString):
		return "a string"
	default:
		return "another value"
	}
}

func bounds(low, high *float64) string {
	switch {
	case low != nil && high != nil:
		return fmt.Sprintf(" from %s to %s", number(*low), number(*high))
	case low != nil:
		return " of at least " + number(*low)
	case high != nil:
		return " of at most " + number(*high)
	}
	return ""
}
