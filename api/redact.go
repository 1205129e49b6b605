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
	text := query.ReplaceAllString(c.redacted(oneLine(err.Error())), "?...")
	if text = userinfo.ReplaceAllString(text, "://"); text != err.Error() {
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

// dataURI finds data URIs, also where JSON has escaped the slashes.
var dataURI = regexp.MustCompile(`data:(?:[A-Za-z0-9.+/;=_-]|\\/)*,(?:[^\s"'<>\\]|\\/)*`)

// minSecret is how long a key is that is looked for in texts. Shorter ones are no secrets but those of tests, and stand in
// ordinary words.
const minSecret = 8

// redactor makes a function that takes the API key and the data of data URIs out of a text.
func redactor(key string) func([]byte) []byte {
	secret, replacement, scheme := []byte(key), []byte("[API key]"), []byte("data:")
	escaped := []byte(strings.ReplaceAll(key, "/", `\/`))
	return func(text []byte) []byte {
		if len(secret) >= minSecret {
			text = bytes.ReplaceAll(text, secret, replacement)
			text = bytes.ReplaceAll(text, escaped, replacement)
		}
		if bytes.Contains(text, scheme) {
			text = dataURI.ReplaceAll(text, []byte("data:..."))
		}
		return text
	}
}

// redacted is redact for texts.
func (c *Client) redacted(text string) string { return string(c.redact([]byte(text))) }
