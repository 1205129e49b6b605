package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// maxJSON limits the JSON responses of the API, in bytes.
	maxJSON = 4 << 20
	// maxErrorBody is how much of a response an error keeps, in bytes.
	maxErrorBody = 64 << 10
)

var (
	acceptJSON = []string{"application/json"}
	userAgent  = []string{"wan-go"}
)

// do sends a request to the API. The response is read within ctx.
func (c *Client) do(ctx context.Context, request *http.Request) (*http.Response, error) {
	request.Header["Accept"], request.Header["User-Agent"] = acceptJSON, userAgent
	c.authorize(request)
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.redact.Error(err)
	}
	c.bind(ctx, response)
	return response, nil
}

// bind makes the context end the reads of a response body.
func (c *Client) bind(ctx context.Context, response *http.Response) {
	if response.StatusCode == http.StatusSwitchingProtocols || !obeysContext(c.http.Transport) {
		response.Body = &responseBody{ctx: ctx, source: response.Body}
	}
}

// obeysContext reports whether the context ends the reads of a transport's bodies, as net/http's own does.
func obeysContext(transport http.RoundTripper) bool {
	if transport == nil {
		transport = http.DefaultTransport
	}
	_, ok := transport.(*http.Transport)
	return ok
}

// read reads a JSON response. It returns what there is of a response that is cut short or too large, with an error.
func (c *Client) read(response *http.Response) ([]byte, error) {
	if response.StatusCode < 200 {
		// After 101 the body is the connection itself and never ends.
		return nil, fmt.Errorf("%w: status code %d", ErrBadResponse, response.StatusCode)
	}
	body, err := readAll(response, maxJSON+1)
	if err != nil {
		err = fmt.Errorf("%w: cut short: %w", ErrBadResponse, c.redact.Error(err))
	} else if len(body) > maxJSON {
		body, err = body[:maxJSON], fmt.Errorf("%w: more than %d bytes", ErrBadResponse, maxJSON)
	}
	return body, err
}

// responseError returns the error for a response that can't be used.
func (c *Client) responseError(response *http.Response, body []byte) *ResponseError {
	decoded := wire.DecodeError(response.Header, body)
	e := &ResponseError{
		StatusCode: response.StatusCode,
		Message:    c.redact.Message(decoded.Message),
		Path:       c.redact.String(decoded.Path),
		RequestID:  c.redact.String(decoded.RequestID),
		Timestamp:  decoded.Timestamp,
		RetryAfter: wire.RetryAfter(response.Header),
		documented: decoded.Documented,
	}
	for name, value := range decoded.Details {
		if e.Details == nil {
			e.Details = make(map[string]string, len(decoded.Details))
		}
		e.Details[redact.Line(c.redact.String(name))] = c.redact.Message(wire.JSONText(value))
	}
	e.Body = c.redact.Bytes(body)
	e.Body = e.Body[:min(len(e.Body), maxErrorBody)]
	if location, err := response.Location(); err == nil && e.StatusCode < 400 {
		e.Message = "redirect to " + c.redact.Message(location.Scheme+"://"+location.Host) + ", which the client doesn't follow; check the base URL"
	}
	return e
}

// withRedirects returns a copy of the client that asks check before it follows a redirect.
func withRedirects(client *http.Client, check func(*http.Request, []*http.Request) error) *http.Client {
	c := *client
	c.CheckRedirect = check
	return &c
}

// checkAPIRedirect allows redirects of polls to where the key may go: within the host, and never from https to http.
// Submissions aren't redirected. A redirect that isn't followed becomes the response.
func (c *Client) checkAPIRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	sameHost := next.URL.Host == first.URL.Host && (next.URL.Scheme == first.URL.Scheme || next.URL.Scheme == "https")
	if !sameHost || first.Method != http.MethodGet || len(via) >= 5 {
		return http.ErrUseLastResponse
	}
	return nil
}

// closeGrace is how long a read may take to end after the context has ended and the body was closed.
const closeGrace = 100 * time.Millisecond

// readAll reads at most limit bytes. It returns what has arrived, also with an error.
func readAll(response *http.Response, limit int64) ([]byte, error) {
	data := bytes.NewBuffer(make([]byte, 0, min(max(response.ContentLength, 0), limit)+bytes.MinRead))
	_, err := data.ReadFrom(io.LimitReader(response.Body, limit))
	return data.Bytes(), err
}

// A responseBody is a response body whose reads end with the context, even if the transport's don't: after 101 Switching
// Protocols a body obeys no context, and other transports may have bodies of that kind too.
type responseBody struct {
	ctx    context.Context
	source io.ReadCloser
	buffer []byte
	unread []byte // of the buffer
	err    error
	until  time.Time // when reads end after the context
}

// Read reads in a goroutine, which outlives the call only if neither the context nor Close ends the read.
func (b *responseBody) Read(p []byte) (int, error) {
	if b.buffer == nil {
		b.buffer = make([]byte, 32<<10)
	}
	for len(b.unread) == 0 {
		if b.err != nil {
			return 0, b.err
		}
		type result struct {
			n   int
			err error
		}
		done := make(chan result, 1)
		go func() {
			n, err := b.source.Read(b.buffer)
			done <- result{n, err}
		}()
		select {
		case r := <-done:
			b.unread, b.err = b.buffer[:r.n], r.err
			continue
		case <-b.ctx.Done():
		}
		// What has arrived still counts.
		if b.until.IsZero() {
			b.until = time.Now().Add(closeGrace)
			go b.source.Close()
		}
		select {
		case r := <-done:
			if b.unread, b.err = b.buffer[:r.n], r.err; b.err == nil && time.Now().After(b.until) {
				b.err = context.Cause(b.ctx)
			}
		case <-time.After(time.Until(b.until)):
			b.err = context.Cause(b.ctx)
		}
	}
	n := copy(p, b.unread)
	b.unread = b.unread[n:]
	return n, nil
}

// Close closes the body. It waits only for a body that was read to its end: others may block.
func (b *responseBody) Close() error {
	if !errors.Is(b.err, io.EOF) {
		go b.source.Close()
		return nil
	}
	return b.source.Close()
}
