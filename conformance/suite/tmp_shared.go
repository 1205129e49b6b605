package suite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

type redactor struct{ key string }

func newRedactor(key string) redactor { return redactor{key} }

func (t redactor) Line(text string) string { return printable(t.redact(text), "") }
func (t redactor) Text(text string) string { return printable(t.redact(text), "\n\t") }
func (t redactor) Error(err error) error   { return &redactedError{t.line(err.Error()), err} }

type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string { return e.text }

func (e *redactedError) Unwrap() error { return e.err }

func retryAfter(header http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	return time.Duration(min(seconds, 60)) * time.Second, err == nil && seconds >= 0
}

// minSecret is how long a key is that is worth hiding: the x that somebody gives a mock stands in every other word.
const minSecret = 8

var (
	dataURI = regexp.MustCompile(`(data:[A-Za-z0-9.+/\\;=_-]{0,80},)([^\s"'<>]{24})[^\s"'<>]*`)
	// A query is where the signature of a URL stands. JSON may escape slashes.
	urlQuery = regexp.MustCompile(`(?i)(https?:(?:\\?/){2}[^\s"'<>?]*\?)[^\s"'<>]*`)
)

// redact takes the API key, the data of data URIs and the queries of URLs out of a text.
func (t redactor) redact(text string) string {
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

// ParseTarget reads a base URL as package api takes it: with or without a slash, /v1 or /v2 at its end. Plain http is
// refused for hosts other than this one, unless insecureHTTP allows it.
func ParseTarget(raw string, insecureHTTP bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("it isn't an http or https URL")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it has a user, a query or a fragment; a base URL has none")
	case u.Scheme == "http" && !insecureHTTP && u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback():
		return nil, fmt.Errorf("plain http would show the API key to the network between here and %s", u.Hostname())
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if version := path.Base(u.Path); version == "v1" || version == "v2" {
		u.Path = strings.TrimRight(strings.TrimSuffix(u.Path, version), "/")
	}
	u.RawPath = ""
	return u, nil
}

// sleep waits, but not longer than the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
