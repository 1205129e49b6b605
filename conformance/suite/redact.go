package suite

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// minSecret is how long a key is that is worth hiding: the x that somebody gives a mock stands in every other word.
const minSecret = 8

var dataURI = regexp.MustCompile(`(data:[A-Za-z0-9.+/;=_-]{0,80},)([^\s"'<>\\]{24})[^\s"'<>\\]*`)

// redact takes the API key and the data of data URIs out of a text.
func (t *target) redact(text string) string {
	if len(t.key) >= minSecret {
		text = strings.ReplaceAll(text, t.key, "[API key]")
	}
	if strings.Contains(text, "data:") {
		text = dataURI.ReplaceAllString(text, "$1$2...")
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

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
	fmt.Fprintf(&request, "%s %s", r.Method, r.Path)
	if r.Query != "" {
		request.WriteString("?" + r.Query)
	}
	request.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if value := r.Header[name]; value != nil {
			fmt.Fprintf(&request, "%s: %s\n", name, *value)
		} else {
			fmt.Fprintf(&request, "(without %s)\n", name)
		}
	}
	request.WriteString("\n" + t.shorten(string(r.Body), most))
	if x.status != 0 {
		fmt.Fprintf(&response, "%d\n", x.status)
		for _, name := range slices.Sorted(maps.Keys(x.header)) {
			if name != "Date" && name != "Content-Length" && name != "Set-Cookie" {
				fmt.Fprintf(&response, "%s: %s\n", name, strings.Join(x.header[name], ", "))
			}
		}
		response.WriteString("\n" + t.shorten(string(x.body), most))
	}
	if x.err != nil {
		response.WriteString(x.err.Error())
	}
	return Exchange{
		Request:  strings.TrimSpace(t.redact(request.String())),
		Response: strings.TrimSpace(t.redact(response.String())),
	}
}

// shorten cuts a text, after the key and data are out of it: the cut could hide them.
func (t *target) shorten(text string, most int) string {
	text = t.redact(text)
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:cut], len(text))
}
