package api

import (
	"bytes"
	"errors"
	"net/url"
	"regexp"
	"strings"
)

// quiet takes out of an error of the network what it must not show: the URL that net/http puts before it, which says
// nothing new and may be signed, the queries and users of other URLs, and the API key, which servers and transports echo.
func (c *Client) quiet(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	text := query.ReplaceAllString(c.redacted(err.Error()), "?...")
	// Cut last: half a key is no longer found.
	if text = oneLine(userinfo.ReplaceAllString(text, "://")); text != err.Error() {
		return &redactedError{text, err}
	}
	return err
}

var (
	query    = regexp.MustCompile(`\?[^\s"']*`)
	userinfo = regexp.MustCompile(`://[^/\s"'@]*@`)
)

// A redactedError shows less than the error that it wraps.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

// dataURI finds data URIs, also where JSON has escaped slashes and quotes.
var dataURI = regexp.MustCompile(`(?i)data:(?:[^,\s][^,\n]{0,200})?,(?:[^\s"'<>\\]|\\/)*`)

// minSecret is how long a key is that is looked for in texts. Shorter ones are no secrets but those of tests, and stand in
// ordinary words.
const minSecret = 8

// redactor makes a function that takes the API key and the data of data URIs out of a text.
func redactor(key string) func([]byte) []byte {
	secret, replacement := []byte(key), []byte("[API key]")
	escaped := []byte(strings.ReplaceAll(key, "/", `\/`))
	return func(text []byte) []byte {
		if len(secret) >= minSecret {
			text = bytes.ReplaceAll(text, secret, replacement)
			text = bytes.ReplaceAll(text, escaped, replacement)
		}
		if mayHoldData(text) {
			text = dataURI.ReplaceAll(text, []byte("data:..."))
		}
		return text
	}
}

// redacted is redact for texts.
func (c *Client) redacted(text string) string { return string(c.redact([]byte(text))) }

// mayHoldData spares most texts the regular expression.
func mayHoldData(text []byte) bool {
	for {
		before, after, found := bytes.Cut(text, []byte(":"))
		if !found || len(before) >= 4 && bytes.EqualFold(before[len(before)-4:], []byte("data")) {
			return found
		}
		text = after
	}
}

// words is redacted for what the API says to people, which may repeat the signed URLs that it was given.
func (c *Client) words(text string) string {
	return urlQuery.ReplaceAllString(c.redacted(text), "$1?...")
}

var urlQuery = regexp.MustCompile(`(?i)(https?:\\?/\\?/[^\s"'?]*)\?[^\s"']*`)
