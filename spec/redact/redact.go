// Package redact makes text from outside safe to show: it removes the API key, media data and the queries of URLs, and
// it keeps control characters away from terminals. The client, the suite and the command share it.
//
// Redact before you cut: half a key is harder to find.
package redact

import (
	"bytes"
	"errors"
	"net/url"
	"regexp"
)

// minSecret is the length from which a key is looked for. Shorter keys are those of tests and stand in ordinary words.
const minSecret = 8

// A Redactor removes one API key and all media data from text. Its zero value knows no key. Safe for concurrent use.
type Redactor struct {
	key    []byte
	blocks [][]byte // each piece of the key that counts contains one of them
}

// New returns a Redactor for an API key. A key of fewer than 8 characters isn't looked for.
func New(key string) *Redactor {
	r := &Redactor{}
	if len(key) < minSecret {
		return r
	}
	r.key = []byte(key)
	size := r.piece() / 2
	for start := 0; start+size <= len(key); start += size {
		r.blocks = append(r.blocks, r.key[start:start+size])
	}
	return r
}

// Bytes returns text without the key and media data. It returns text itself if there is nothing to remove.
func (r *Redactor) Bytes(text []byte) []byte {
	text = r.withoutKey(text)
	if mayHoldDataURI(text) {
		text = dataURI.ReplaceAll(text, []byte("data:..."))
	}
	return withoutBase64(text)
}

// String returns text without the key and media data.
func (r *Redactor) String(text string) string { return string(r.Bytes([]byte(text))) }

// Message returns text without the key, media data, and the queries and users of URLs, which may be signatures and
// passwords. It is for prose; a URL that is to be used again belongs in String.
func (r *Redactor) Message(text string) string {
	text = userinfo.ReplaceAllString(location.ReplaceAllString(text, "$1..."), "$1")
	return r.String(query.ReplaceAllString(text, "$1?...")) // last, so that no mark is split
}

// Password returns text without the password of a database's URL, whatever characters the password is made of.
func Password(text string) string {
	return passwordParameter.ReplaceAllString(password.ReplaceAllString(text, "${1}xxxxx$2"), "${1}xxxxx")
}

// Error returns err with the text that Message makes of it. It drops the method and URL that net/http puts first: the
// URL may be signed. The result wraps err.
func (r *Redactor) Error(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if text := Line(r.Message(err.Error())); text != err.Error() {
		return &redactedError{text, err}
	}
	return err
}

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

var (
	query    = regexp.MustCompile(`(?i)(https?:\\?/\\?/[^\s"'<>?]*)\?[^\s"'<>]*`)
	userinfo = regexp.MustCompile(`(:\\?/\\?/)[^/\s"'<>@]*@`)
	// A password may hold any character that its user forgot to escape.
	password          = regexp.MustCompile(`(?s)(postgres(?:ql)?://[^:/?#@]*:).*(@)`)
	passwordParameter = regexp.MustCompile(`(?i)(password=)[^&\s]*`)
	// net/http quotes a Location that it can't parse.
	location = regexp.MustCompile(`(failed to parse Location header ).*`)
	// JSON may escape slashes and quotes, and some encoders everything but letters.
	dataURI = regexp.MustCompile(`(?i)data:(?:[^,\s][^,\n]{0,200})?,(?:[^\s"'<>\\]|\\+/|\\+u00[0-9a-f]{2})*`)
)

// mayHoldDataURI spares most texts the regular expression.
func mayHoldDataURI(text []byte) bool {
	for {
		before, after, found := bytes.Cut(text, []byte(":"))
		if !found || len(before) >= 4 && bytes.EqualFold(before[len(before)-4:], []byte("data")) {
			return found
		}
		text = after
	}
}
