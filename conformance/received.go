package conformance

import (
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

// maxPath caps the length of a pointer in bytes.
const maxPath = 1000

// pointer returns a JSON pointer. The sender of the message chose the names: one that doesn't look like a name is replaced
// by its length.
func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		if !memberName.MatchString(token) {
			token = fmt.Sprintf("<%d-characters>", utf8.RuneCountInString(token))
		}
		b.WriteString("/" + token)
		if b.Len() > maxPath {
			return b.String() + "/..."
		}
	}
	return b.String()
}
