// Package conformance validates HTTP traffic against the specs: the JSON bodies of submissions and responses, and the
// documented headers.
//
// All functions are safe for concurrent use.
package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec/media"
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
	// doesn't look like a name is replaced by its length: "/<57-characters>". Outside of the body it is a name: that of a
	// header, "?generation_id", or "status code".
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
	text := fmt.Sprintf("%s: expected %s, received %s", cmp.Or(f.Pointer, "body"), f.Expected, f.Received)
	switch {
	case f.Operation == "":
		return text
	case f.Status == 0:
		return fmt.Sprintf("%s: %s request: %s", f.Grade, f.Operation, text)
	}
	return fmt.Sprintf("%s: %s response %d: %s", f.Grade, f.Operation, f.Status, text)
}

func violation(pointer, rule, expected, received string) Finding {
	return Finding{Grade: Violation, Pointer: pointer, Rule: rule, Expected: expected, Received: received}
}

// word matches the strings that a finding may show: too short and too plain for data, a URL or text.
var word = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,20}$`)

// received describes a value. The schema may be nil.
func received(schema *openapi3.Schema, value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return shortened("a number", strconv.FormatFloat(v, 'f', -1, 64))
	case json.Number:
		return shortened("a number", v.String())
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case map[string]any:
		return "an object"
	case string:
		return receivedString(schema, v)
	default:
		return fmt.Sprintf("%T", v)
	}
}

func receivedString(schema *openapi3.Schema, text string) string {
	switch {
	case text == "":
		return "an empty string"
	case word.MatchString(text) && hasLiterals(schema):
		return strconv.Quote(text)
	case media.IsDataURI(text): // a Transport has dropped most of it
		return "a string that begins with data:"
	}
	return characters(text)
}

// hasLiterals reports whether the schema lists values or takes a number or a boolean, so that a string may be a misspelt one.
func hasLiterals(schema *openapi3.Schema) bool {
	return schema != nil && (len(schema.Enum) > 0 ||
		schema.Type.Is(openapi3.TypeInteger) || schema.Type.Is(openapi3.TypeNumber) || schema.Type.Is(openapi3.TypeBoolean))
}

func characters(text string) string {
	if n := utf8.RuneCountInString(text); n != 1 {
		return fmt.Sprintf("a string of %d characters", n)
	}
	return "a string of 1 character"
}

// shortened returns the literal, or its length if it is long.
func shortened(what, text string) string {
	if len(text) > 30 {
		return fmt.Sprintf("%s of %d characters", what, len(text))
	}
	return text
}

var mediaTypeName = regexp.MustCompile(`^[a-z0-9.+-]{1,30}/[a-z0-9.+-]{1,60}$`)

// receivedType returns the media type of a header without parameters.
func receivedType(h http.Header) string {
	text := h.Get("Content-Type")
	if text == "" {
		return "none"
	}
	if mediaType, _, err := mime.ParseMediaType(text); err == nil && mediaTypeName.MatchString(mediaType) {
		return strconv.Quote(mediaType)
	}
	return characters(text)
}

// memberName matches names and indices that a pointer may show.
var memberName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,9})$`)

// maxPointer caps the length of a pointer in bytes.
const maxPointer = 200

// pointer returns a JSON pointer. The sender of the message chose the names: one that doesn't look like a name is replaced
// by its length.
func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		if !memberName.MatchString(token) {
			token = fmt.Sprintf("<%d-characters>", utf8.RuneCountInString(token))
		}
		b.WriteString("/" + token)
		if b.Len() > maxPointer {
			return b.String() + "/..."
		}
	}
	return b.String()
}
