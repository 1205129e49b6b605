package conformance

import (
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
)

// word is a string that a finding shows: too short and too plain for data, a URL or much of a text.
var word = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,20}$`)

// received says what was there in place of what the schema, nil if there is none, asks for.
func received(schema *openapi3.Schema, value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return number(v)
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
	case word.MatchString(text) && spelled(schema):
		return strconv.Quote(text)
	case isDataURI(text): // a Transport sees it shortened
		return "a string that begins with data:"
	}
	return characters(text)
}

// spelled reports whether the schema asks for one of a few words or for a literal, so that a string is a way to spell it.
func spelled(schema *openapi3.Schema) bool {
	return schema != nil && (len(schema.Enum) > 0 ||
		schema.Type.Is(openapi3.TypeInteger) || schema.Type.Is(openapi3.TypeNumber) || schema.Type.Is(openapi3.TypeBoolean))
}

func characters(text string) string {
	if n := utf8.RuneCountInString(text); n != 1 {
		return fmt.Sprintf("a string of %d characters", n)
	}
	return "a string of 1 character"
}

// shortened is the text of a literal unless it is long.
func shortened(what, text string) string {
	if len(text) > 30 {
		return fmt.Sprintf("%s of %d characters", what, len(text))
	}
	return text
}

var mediaTypeName = regexp.MustCompile(`^[a-z0-9.+-]{1,30}/[a-z0-9.+-]{1,60}$`)

// receivedType is the media type of a header, without parameters.
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

// memberName is what the name of a member looks like, or the index of an element.
var memberName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,9})$`)

// maxPath is how long a pointer becomes, in bytes, before the rest is left out.
const maxPath = 1000

// pointer makes a JSON pointer of names that come from whoever sent the message: what doesn't look like a name may be
// anything, and stands as its length.
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

func number(f float64) string {
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
