package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// Limits of a report per case: servers may send any amount of text.
const (
	maxLine       = 1000 // bytes of a line
	maxLines      = 20   // problems, and undocumented findings
	shownOfPassed = 600  // bytes of a body
	shownOfFailed = 4000
)

// A redactor makes text from the target safe to report.
type redactor struct{ *redact.Redactor }

// line returns text as one line.
func (r redactor) line(text string) string {
	return cut(redact.Printable(r.Message(text), ""), maxLine)
}

// text returns text with its line breaks and tabs.
func (r redactor) text(text []byte, limit int) string {
	return cut(redact.Printable(r.Message(string(text)), "\n\t"), limit)
}

func (r redactor) lines(texts []string) (list []string) {
	for _, text := range texts[:min(len(texts), maxLines)] {
		list = append(list, r.line(text))
	}
	if more := len(texts) - maxLines; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return list
}

// exchange returns a call as text.
func (r redactor) exchange(c *call, failed bool) Exchange {
	limit := shownOfPassed
	if failed {
		limit = shownOfFailed
	}
	var request, response strings.Builder
	fmt.Fprintf(&request, "%s %s", c.request.Method, r.line(c.request.Path))
	if c.request.Query != "" {
		request.WriteString("?" + r.line(c.request.Query))
	}
	request.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(c.request.Header)) {
		if value := c.request.Header[name]; value != nil {
			fmt.Fprintf(&request, "%s: %s\n", name, r.line(*value))
		} else {
			fmt.Fprintf(&request, "(without %s)\n", name)
		}
	}
	request.WriteString("\n" + r.text(c.request.Body, limit))
	if c.status != 0 {
		fmt.Fprintf(&response, "%d\n", c.status)
		for _, name := range slices.Sorted(maps.Keys(c.header)) {
			if name != "Date" && name != "Content-Length" && name != "Set-Cookie" {
				response.WriteString(r.line(name+": "+strings.Join(c.header[name], ", ")) + "\n")
			}
		}
		response.WriteString("\n" + r.text(c.body, limit))
	}
	if c.err != nil {
		response.WriteString(r.line(c.err.Error()))
	}
	return Exchange{Request: strings.TrimSpace(request.String()), Response: strings.TrimSpace(response.String())}
}

// cut shortens redacted text. A cut before redaction could hide a key from it.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:end], len(text))
}
