package suite

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// minSecret is how long a key is that is worth hiding: the x that somebody gives a mock stands in every other word.
const minSecret = 8

var (
	dataURI = regexp.MustCompile(`(data:[A-Za-z0-9.+/\\;=_-]{0,80},)([^\s"'<>]{24})[^\s"'<>]*`)
	// A query is where the signature of a URL stands. JSON may escape slashes.
	urlQuery = regexp.MustCompile(`(?i)(https?:(?:\\?/){2}[^\s"'<>?]*\?)[^\s"'<>]*`)
)

// redact takes the API key, the data of data URIs and the queries of URLs out of a text.
func (t *target) redact(text string) string {
	text = urlQuery.ReplaceAllString(text, "$1...")
	text = dataURI.ReplaceAllString(withoutKey(text, t.key), "$1$2...")
	return strings.ToValidUTF8(text, "\uFFFD")
}

// withoutKey takes the key out of a text, and each half of it or more: what was cut may have been cut in the key.
func withoutKey(text, key string) string {
	if len(key) < minSecret {
		return text
	}
	part := max(minSecret, len(key)/2)
	var b strings.Builder
	begin := 0
	for i := 0; i+part <= len(text); i++ {
		end := i + part
		if strings.IndexByte(key, text[i]) < 0 || !strings.Contains(key, text[i:end]) {
			continue
		}
		for end < len(text) && strings.Contains(key, text[i:end+1]) {
			end++
		}
		b.WriteString(text[begin:i] + "[API key]")
		begin, i = end, end-1
	}
	return b.String() + text[begin:]
}

// printable writes what isn't to be printed, except for the runes to keep, as Go does: a terminal would obey it.
func printable(text, keep string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || strings.ContainsRune(keep, r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// A report shows so many bytes of a text, and so many texts of a kind for a case: servers may send any number.
const (
	maxLine  = 1000
	maxLines = 20
)

// line finishes a text for a report and for errors.
func (t *target) line(text string) string {
	return cut(printable(t.redact(text), ""), maxLine)
}

func (t *target) lines(texts []string) (list []string) {
	for _, text := range texts[:min(len(texts), maxLines)] {
		list = append(list, t.line(text))
	}
	if more := len(texts) - maxLines; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return list
}

// A redactedError tells what another one does, as far as it may be shown.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

// What a report shows of a body, in bytes. Failures are shown at more length.
const (
	shownOfPassed = 600
	shownOfFailed = 4000
)

// record writes an exchange down as a report shows it.
func (t *target) record(x *trip, failed bool) Exchange {
	most := shownOfPassed
	if failed {
		most = shownOfFailed
	}
	var request, response strings.Builder
	r := x.request
	fmt.Fprintf(&request, "%s %s", r.Method, t.line(r.Path))
	if r.Query != "" {
		request.WriteString("?" + t.line(r.Query))
	}
	request.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if value := r.Header[name]; value != nil {
			fmt.Fprintf(&request, "%s: %s\n", name, t.line(*value))
		} else {
			fmt.Fprintf(&request, "(without %s)\n", name)
		}
	}
	request.WriteString("\n" + t.shorten(string(r.Body), most))
	if x.status != 0 {
		fmt.Fprintf(&response, "%d\n", x.status)
		for _, name := range slices.Sorted(maps.Keys(x.header)) {
			if name != "Date" && name != "Content-Length" && name != "Set-Cookie" {
				response.WriteString(t.line(name+": "+strings.Join(x.header[name], ", ")) + "\n")
			}
		}
		response.WriteString("\n" + t.shorten(string(x.body), most))
	}
	if x.err != nil {
		response.WriteString(t.line(x.err.Error()))
	}
	return Exchange{Request: strings.TrimSpace(request.String()), Response: strings.TrimSpace(response.String())}
}

// shorten finishes a text of several lines for a report. It is cut last: a cut in the key or in data would hide them.
func (t *target) shorten(text string, most int) string {
	return cut(printable(t.redact(text), "\n\t"), most)
}

func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:end], len(text))
}
