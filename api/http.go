package api

import (
	"fmt"
	"io"
	"net/http"
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
		return nil, c.quiet(err)
	}
	return response, nil
}

// read reads an answer whole, but not without limit. A truncated body is an error.
func (c *Client) read(response *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		err = fmt.Errorf("%w: it broke off: %w", ErrBadResponse, c.quiet(err))
	} else if len(body) > maxAnswer {
		body, err = body[:maxAnswer], fmt.Errorf("%w: it has more than %d bytes", ErrBadResponse, maxAnswer)
	}
	return body, err
}

// maxErrorBody is how much of a body an error keeps, in bytes.
const maxErrorBody = 64 << 10

// responseError makes the error of an answer that is of no use.
func (c *Client) responseError(response *http.Response, body []byte) *ResponseError {
	e := newResponseError(response.StatusCode, body)
	e.Message, e.Path, e.RequestID = c.words(e.Message), c.redacted(e.Path), c.redacted(e.RequestID)
	e.Body = c.redact(body)
	e.Body = e.Body[:min(len(e.Body), maxErrorBody)]
	e.RetryAfter = retryAfter(response.Header, time.Now)
	if location, err := response.Location(); err == nil && e.StatusCode < 400 {
		e.Message = "it redirects to " + c.redacted(location.Scheme+"://"+location.Host) + ", where the client doesn't follow; check the base URL"
	}
	return e
}
