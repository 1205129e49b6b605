package redact

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLine is how many bytes of text from outside one line shows.
const maxLine = 500

// Line returns text as one line that a terminal only prints: white space becomes single spaces, and control characters,
// escape sequences, bidirectional marks and invisible characters are written as escapes. Text over 500 bytes is cut.
func Line(text string) string {
	if len(text) > 8*maxLine { // what follows costs time, and most of it would be cut
		text = text[:8*maxLine]
	}
	return Cut(Printable(strings.Join(strings.Fields(text), " "), ""), maxLine)
}

// Printable returns text in which each character that isn't printable, except those in keep, is written as an escape,
// as Go does: "\x1b", "\u202e". Spaces other than ' ' are escaped too.
func Printable(text, keep string) string {
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], "\uFFFD"):
			b.WriteRune(utf8.RuneError)
		case unicode.IsPrint(r) || strings.ContainsRune(keep, r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// Cut returns the first most bytes of text, fewer if a character would be split, with "..." behind them. Shorter text is
// returned as it is.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "..."
}
