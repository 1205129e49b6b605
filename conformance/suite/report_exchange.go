package suite

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// Limits of a report per case: servers may send any amount of text.
const (
	maxLine       = 1000 // bytes of a line
	maxLines      = 20   // problems, and undocumented findings
	shownOfPassed = 900  // bytes of a body
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
func (t *target) exchange(c *call, failed bool) Exchange {
	r, limit := t.redactor, shownOfPassed
	if failed {
		limit = shownOfFailed
	}
	var response strings.Builder
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
	return Exchange{Request: t.curl(c.request, limit), Response: strings.TrimSpace(response.String())}
}

// curl returns a command that sends the request again with the key in $AIML_API_KEY. It says so if it can't show the body.
func (t *target) curl(r request, limit int) string {
	args := []string{"curl"}
	if r.Method == http.MethodHead {
		args = append(args, "--head")
	} else if r.Method != http.MethodGet {
		args = append(args, "-X", r.Method)
	}
	header := map[string]*string{}
	address := t.redactor.line(r.Path) // of a video, which may be signed
	if strings.HasPrefix(r.Path, "/") {
		address = redact.Printable(t.redactor.String(t.base.String()+r.Path), "")
		header["Authorization"] = new("Bearer {key}")
	}
	if r.Query != "" {
		address += "?" + redact.Printable(t.redactor.String(r.Query), "")
	}
	args = append(args, shellQuoted(address))
	if r.mayCreateJob() {
		header["Content-Type"] = new("application/json")
	}
	if r.Chunked {
		header["Transfer-Encoding"] = new("chunked")
	}
	maps.Copy(header, r.Header)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		switch value := header[name]; {
		case value != nil && strings.Contains(*value, "{key}"):
			args = append(args, "-H", `"`+name+": "+strings.ReplaceAll(*value, "{key}", "$AIML_API_KEY")+`"`)
		case value != nil:
			args = append(args, "-H", shellQuoted(t.redactor.line(name+": "+*value)))
		case name == "Content-Type":
			args = append(args, "-H", "'Content-Type:'")
		}
	}
	if len(r.Body) > 0 {
		shown := t.redactor.text(r.Body, limit)
		args = append(args, "--data-binary", shellQuoted(shown))
		if r.Large > 0 {
			args = append(args, fmt.Sprintf("# with %d bytes of base64 in the data URI", r.Large))
		} else if shown != string(r.Body) {
			args = append(args, "# the body is cut or redacted")
		}
	}
	return strings.Join(args, " ")
}

func shellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

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
