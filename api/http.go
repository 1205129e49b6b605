package api

import (
	"context"
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

// closeGrace is how long a body may take to end after the context has ended and the body was closed: what has arrived
// still counts.
const closeGrace = 100 * time.Millisecond

// bind makes the context end the reads of a response body, even if the body obeys none, as after 101 Switching Protocols
// or with transports other than net/http's.
func (c *Client) bind(ctx context.Context, response *http.Response) {
	if _, ok := c.http.Transport.(*http.Transport); ok && response.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	body := response.Body
	r, w := io.Pipe()
	go func() {
		_, err := io.Copy(w, body)
		_ = w.CloseWithError(err)
		_ = body.Close()
	}()
	context.AfterFunc(ctx, func() {
		time.AfterFunc(closeGrace, func() { _ = w.CloseWithError(context.Cause(ctx)) })
		_ = body.Close()
	})
	response.Body = r
}

// read reads a JSON response. It returns what there is of a response that is cut short or too large, with an error.
func (c *Client) read(response *http.Response) ([]byte, error) {
	if response.StatusCode < 200 {
		// After 101 the body is the connection itself and never ends.
		return nil, fmt.Errorf("%w: status code %d", ErrBadResponse, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxJSON+1))
	if err != nil {
		err = fmt.Errorf("%w: cut short: %w", ErrBadResponse, c.redact.Error(err))
	} else if len(body) > maxJSON {
		body, err = body[:maxJSON], fmt.Errorf("%w: more than %d bytes", ErrBadResponse, maxJSON)
	}
	return body, err
}

// getTimeout limits a request that only reads.
const getTimeout = 30 * time.Second

// get sends a request once and reads its response. It returns an error unless there is a body with a 2xx status code.
// The request itself stays as it is. The header is nil if there is no response.
func (c *Client) get(parent context.Context, request *http.Request) (http.Header, []byte, error) {
	ctx, cancel := context.WithTimeout(parent, getTimeout)
	defer cancel()
	timedOut := func(err error) error {
		if err != nil && parent.Err() == nil && ctx.Err() != nil {
			return &stalledError{getTimeout}
		}
		return err
	}
	request = request.WithContext(ctx)
	request.Header = make(http.Header, 4)
	response, err := c.do(ctx, request)
	if err != nil {
		return nil, nil, timedOut(err)
	}
	defer response.Body.Close()
	body, err := c.read(response)
	switch {
	case response.StatusCode < 200 || response.StatusCode >= 300:
		return response.Header, nil, c.responseError(response, body)
	case err == nil && len(body) == 0:
		err = fmt.Errorf("%w: status code %d without a body", ErrBadResponse, response.StatusCode)
	}
	return response.Header, body, timedOut(err)
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
