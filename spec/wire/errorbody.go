package wire

import (
	"bytes"
	"encoding/json"
	"html"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// An ErrorBody is what the body of an error response says.
type ErrorBody struct {
	// Message is the reason, in whichever member or dialect it came. It is empty if the body has none.
	Message string
	// Path, RequestID and Timestamp are members of the documented body.
	Path      string
	RequestID string
	Timestamp time.Time
	// Details are the members that have no field here, such as the findings of a failed validation.
	Details map[string]json.RawMessage
	// Documented reports whether the body is the API's own: it has a message and a statusCode. Gateways in front of the
	// API use other forms.
	Documented bool
}

// DecodeError decodes the body of an error response: the documented one, problem+json (RFC 9457), the "detail" and
// "error" of other frameworks, the title of an HTML page, or plain text. Bodies may be broken.
func DecodeError(header http.Header, body []byte) (e ErrorBody) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		e.Message = textMessage(header, body)
		return e
	}
	e.Path, e.RequestID = JSONText(members["path"]), JSONText(members["requestId"])
	e.Timestamp, _ = time.Parse(time.RFC3339, JSONText(members["timestamp"]))
	for _, name := range []string{"message", "detail", "error", "title", "errors"} {
		if e.Message = messageOf(members[name]); e.Message != "" {
			e.Documented = name == "message" && members["statusCode"] != nil
			delete(members, name)
			break
		}
	}
	for _, name := range []string{"path", "requestId", "timestamp", "statusCode", "status", "message"} {
		delete(members, name)
	}
	if len(members) > 0 {
		e.Details = members
	}
	return e
}

// messageOf returns the text in a member: a string, a list of them, or an object with a message.
func messageOf(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		var texts []string
		for _, item := range list {
			if text := messageOf(item); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, "; ")
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return JSONText(raw)
	}
	for _, name := range []string{"message", "msg", "detail", "title"} {
		if text := messageOf(object[name]); text != "" {
			return text
		}
	}
	return JSONText(raw)
}

// JSONText returns a JSON string as text and other JSON as it is written. It returns "" for null and for nothing.
func JSONText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>(.*?)</(?:title|h1)>`)
	htmlTag   = regexp.MustCompile(`(?s)<[^>]*>`)
)

// textMessage returns the title of an HTML page, or text that people can read.
func textMessage(header http.Header, body []byte) string {
	mediaType, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	body = bytes.TrimSpace(body)
	if len(body) == 0 || !utf8.Valid(body) || slices.Contains([]byte("{["), body[0]) {
		return ""
	}
	if mediaType != "text/html" && body[0] != '<' {
		if mediaType == "" || strings.HasPrefix(mediaType, "text/") || strings.HasSuffix(mediaType, "json") {
			return string(body)
		}
		return ""
	}
	if title := htmlTitle.FindSubmatch(body); title != nil {
		return strings.TrimSpace(html.UnescapeString(htmlTag.ReplaceAllString(string(title[1]), " ")))
	}
	return ""
}

// IsJSON reports whether the Content-Type is application/json, with any parameters.
func IsJSON(header http.Header) bool {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}
