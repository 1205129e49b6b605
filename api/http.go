package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxAnswer caps the JSON answers of the API, in bytes.
const maxAnswer = 4 << 20

var (
	acceptJSON = []string{"application/json"}
	userAgent  = []string{"wan-go"}
)

// do sends a request to the API.
func (c *Client) do(request *http.Request) (*http.Response, error) {
	request.Header["Accept"], request.Header["User-Agent"] = acceptJSON, userAgent
	c.authorize(request)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	return response, nil
}

// withoutURL drops the URL that net/http puts into its errors: it says nothing new, and that of a result may be signed.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if text := err.Error(); strings.Contains(text, "?") {
		return &withoutQueryError{query.ReplaceAllString(text, "?..."), err}
	}
	return err
}

var query = regexp.MustCompile(`\?[^\s"']*`)

// withoutQueryError is an error whose text had the query of a URL in it.
type withoutQueryError struct {
	text string
	err  error
}

func (e *withoutQueryError) Error() string { return e.text }

func (e *withoutQueryError) Unwrap() error { return e.err }

// read reads an answer whole, but not without limit. A truncated body is an error.
func (c *Client) read(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		err = fmt.Errorf("the answer broke off: %w", err)
	} else if len(body) > maxAnswer {
		body, err = body[:maxAnswer], fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return body, err
}

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

// redacted is redact for header values.
func (c *Client) redacted(text string) string { return string(c.redact([]byte(text))) }

// responseError makes the error of an answer that isn't 2xx.
func (c *Client) responseError(response *http.Response, body []byte) *ResponseError {
	e := newResponseError(response.StatusCode, body)
	e.Message, e.Path, e.RequestID = c.redacted(e.Message), c.redacted(e.Path), c.redacted(e.RequestID)
	e.Body = c.redact(e.Body)
	e.RetryAfter = retryAfter(response.Header, time.Now)
	if location, err := response.Location(); err == nil && e.StatusCode < 400 {
		e.Message = "it redirects to " + c.redacted(location.Scheme+"://"+location.Host) + ", where the client doesn't follow; check the base URL"
	}
	return e
}

// maxHint bounds how long the client waits because the server says so.
const maxHint = time.Minute

// retryAfter reads the Retry-After header: seconds or a date, 0 for none and for rubbish, maxHint at most. A date is
// compared with the server's own, whose clock need not be ours.
func retryAfter(header http.Header, now func() time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) { // also NaN
			return 0
		}
		return time.Duration(min(seconds, maxHint.Seconds()) * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		from = now()
	}
	return min(max(0, date.Sub(from)), maxHint)
}

// backoff makes growing intervals that differ by chance, so that many clients don't come at once.
type backoff struct{ interval, longest time.Duration }

func newBackoff(first, longest time.Duration) *backoff { return &backoff{first, longest} }

func (b *backoff) next() time.Duration {
	d := b.interval
	b.interval = min(b.longest, b.interval+b.interval/2)
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
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

// A watchdog cancels a context when nothing has moved for a while.
type watchdog struct {
	timeout time.Duration
	timer   *time.Timer
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

func newWatchdog(parent context.Context, timeout time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watchdog{timeout: timeout, ctx: ctx, cancel: cancel}
	w.timer = time.AfterFunc(timeout, func() { cancel(&stalledError{timeout}) })
	return ctx, w
}

// reset tells that something has moved.
func (w *watchdog) reset() {
	if w.ctx.Err() == nil {
		w.timer.Reset(w.timeout)
	}
}

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// explain replaces the "context canceled" that the watchdog has caused.
func (w *watchdog) explain(err error) error {
	if stalled, ok := errors.AsType[*stalledError](context.Cause(w.ctx)); ok {
		return stalled
	}
	return err
}

type stalledError struct{ timeout time.Duration }

func (e *stalledError) Error() string { return fmt.Sprintf("nothing moved for %v", e.timeout) }

// Timeout makes the error a timeout in the sense of package net.
func (e *stalledError) Timeout() bool { return true }
