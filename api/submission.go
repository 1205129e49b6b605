package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// maxAttempts limits the attempts of a submission that wasn't sent or was refused with status code 429.
const maxAttempts = 5

// Submit submits a generation. The methods named after the models are the usual way. Submit itself takes any value that
// encoding/json encodes as an object with a model, for models and properties that this version doesn't know:
//
//	job, err := client.Submit(ctx, map[string]any{"model": "...", "video_url": wan.File("dance.mp4")})
//
// A generated request needs no Model.
//
// It returns a Job if the API accepted the submission: store its id. Otherwise it returns
//
//   - an [*InputError] if the request can't be right; nothing was sent. For a generated request that violates its spec it
//     wraps a [*ValidationError] with all findings, see [WithoutValidation].
//   - a [*RejectedError] if the API refused it; nothing is charged.
//   - a [*NotSentError] if nothing left this machine.
//   - an [*UnknownOutcomeError] if there was no usable response; the job may be running and may be charged.
//
// Submit retries submissions that weren't sent or were refused with status code 429, see [WithRetryWindow]. If the
// context ends before anything was written, it returns a NotSentError, afterwards an UnknownOutcomeError, and in the
// pause after a 429 the RejectedError.
func (c *Client) Submit(ctx context.Context, request any, opts ...SubmitOption) (*Job, error) {
	s := &submission{client: c, requestID: "wan-" + rand.Text()}
	for _, opt := range opts {
		opt(s)
	}
	if !wire.ValidClientRequestID(s.requestID) {
		return nil, errClientRequestID
	}
	request = withModel(request)
	if !s.unchecked {
		if err := checkRequest(request); err != nil {
			return nil, err
		}
	}
	var err error
	if s.body, err = newBody(ctx, request, c.maxMedia); ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil, &NotSentError{s.requestID, ctx.Err()}
	} else if err != nil {
		return nil, err
	}
	return s.run(ctx)
}

var errClientRequestID = &InputError{Property: "client request id", Err: errors.New("it must have 1 to 128 characters of A-Z a-z 0-9 . _ : -")}

// A submission is one call of Submit.
type submission struct {
	client    *Client
	requestID string
	body      *requestBody
	unchecked bool // the request isn't validated
	onUpload  func(sent, total int64)
	onRetry   func(err error, pause time.Duration)
}

func (s *submission) run(ctx context.Context) (*Job, error) {
	backoff := wire.Backoff{First: 500 * time.Millisecond, Longest: 8 * time.Second}
	left := s.client.retryWindow
	for attempt := 1; ; attempt++ {
		job, err := s.try(ctx)
		if err == nil {
			s.client.logger.InfoContext(ctx, "submission accepted", "generation", job.id, "client_request_id", s.requestID)
			return job, nil
		}
		hint, ok := retryable(err)
		pause := max(backoff.Next(), hint)
		if !ok || s.body.spent() || ctx.Err() != nil || attempt == maxAttempts || pause > left {
			return nil, err
		}
		left -= pause
		s.client.logger.WarnContext(ctx, "submission retried", "client_request_id", s.requestID, "pause", pause, "error", err)
		if s.onRetry != nil {
			s.onRetry(err, pause)
		}
		if wire.Sleep(ctx, pause) != nil {
			if rejected, ok := errors.AsType[*RejectedError](err); ok {
				rejected.end = ctx.Err()
				return nil, rejected
			}
			return nil, &NotSentError{s.requestID, fmt.Errorf("%w; no further attempt: %w", errors.Unwrap(err), ctx.Err())}
		}
	}
}

// retryable reports whether it is certain that no job was created, and how long the server asks to wait.
func retryable(err error) (hint time.Duration, ok bool) {
	if _, ok := errors.AsType[*NotSentError](err); ok {
		return 0, true
	}
	if rejected, ok := errors.AsType[*RejectedError](err); ok && rejected.Err.StatusCode == http.StatusTooManyRequests {
		return rejected.Err.RetryAfter, true
	}
	return 0, false
}

// responseTimeout is how long a submission may make no progress, both while it is written and while its response is
// awaited.
const responseTimeout = 2 * time.Minute

// try sends the submission once.
func (s *submission) try(ctx context.Context) (*Job, error) {
	ctx, watch := newWatchdog(ctx, responseTimeout)
	defer watch.stop()
	var sent int64
	body := s.body.open(ctx, func(n int) {
		watch.reset()
		if sent += int64(n); s.onUpload != nil {
			s.onUpload(sent, s.body.size)
		}
	})
	defer body.Close()
	var wrote atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaderField: func(string, []string) { wrote.Store(true) },
		WroteHeaders:     func() { wrote.Store(true) },
	})
	template, err := s.client.submitRequest()
	if err != nil {
		return nil, &NotSentError{s.requestID, err}
	}
	request := template.WithContext(traced)
	request.Header = maps.Clone(template.Header) // the shared one stays as it is
	request.Header.Set(wire.ClientRequestIDHeader, s.requestID)
	request.Body = body
	request.ContentLength = s.body.size
	// Without GetBody, net/http can't send again what it has begun to send, as it would after some errors of HTTP/2.
	request.GetBody = nil
	response, err := s.client.do(ctx, request)
	// A transport may know that it has sent nothing, as the strict one of package conformance does.
	if refusal, ok := errors.AsType[interface {
		error
		NotSent() bool
	}](err); ok && refusal.NotSent() {
		if _, ok := errors.AsType[*net.OpError](err); ok {
			return nil, &NotSentError{s.requestID, err}
		}
		return nil, &InputError{Err: err}
	}
	if err != nil {
		// From here on the body can't be read, so that no late read turns "not sent" into a lie.
		_ = body.Close()
		if wrote.Load() || body.wasRead() { // a transport that reads it is taken to send it
			return nil, &UnknownOutcomeError{ClientRequestID: s.requestID, Err: watch.explain(err)}
		}
		return nil, &NotSentError{s.requestID, watch.explain(err)}
	}
	defer response.Body.Close()
	return s.outcome(response, watch)
}

// outcome decides what a response means for the submission. Only evidence of a refusal is a refusal.
func (s *submission) outcome(response *http.Response, watch *watchdog) (*Job, error) {
	body, broken := s.client.read(response)
	named := findGeneration(body, response.Header.Get(wire.InferenceIDHeader))
	if echo := response.Header.Get(wire.ClientRequestIDHeader); echo != "" && echo != s.requestID {
		broken = fmt.Errorf("%w: it belongs to client request id %s", ErrBadResponse, s.client.redact.Message(echo))
		return nil, s.unknown(response, body, "", broken)
	}
	accepted := response.StatusCode >= 200 && response.StatusCode < 300
	id := named.id
	if id == "" && (accepted || response.StatusCode >= 500 || broken != nil) {
		id = response.Header.Get(wire.InferenceIDHeader) // which refusals carry too
	}
	switch {
	case accepted && broken == nil && id != "" && !named.documentedError:
		job := s.client.Job(id)
		job.requestID, job.accepted = s.requestID, time.Now()
		s.client.keyWorked.Store(true)
		return job, nil
	case accepted && broken == nil:
		return nil, s.unknown(response, body, id, fmt.Errorf("%w: it has no generation id", ErrBadResponse))
	case broken != nil, named.id != "" && !named.errorLike:
		return nil, s.unknown(response, body, id, watch.explain(broken))
	}
	refusal := s.client.responseError(response, body)
	if !isRefusal(refusal) {
		return nil, &UnknownOutcomeError{ClientRequestID: s.requestID, GenerationID: s.client.redact.String(id), Err: refusal}
	}
	return nil, &RejectedError{ClientRequestID: s.requestID, Err: refusal}
}

func (s *submission) unknown(response *http.Response, body []byte, id string, err error) error {
	var cause error = s.client.responseError(response, body)
	if err != nil {
		cause = fmt.Errorf("%w: %w", cause, err)
	}
	return &UnknownOutcomeError{ClientRequestID: s.requestID, GenerationID: s.client.redact.String(id), Err: cause}
}

// isRefusal reports whether a response without a generation proves that there is none: a status code that is documented
// or that HTTP defines for a request the server didn't act on, or another 4xx in the API's own error body. A gateway
// sends 408 for a slow API too, and 499 for a client that went away.
func isRefusal(e *ResponseError) bool {
	switch e.StatusCode {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	}
	return e.documented && e.StatusCode >= 400 && e.StatusCode < 499
}
