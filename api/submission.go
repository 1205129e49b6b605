package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"reflect"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/spec/media"
)

// maxAttempts bounds how often a submission is tried that wasn't sent or was answered 429.
const maxAttempts = 5

// requestIDPattern is the alphabet that generation.yaml gives for X-Client-Request-Id. The server drops other values
// silently, and with them the only trace of a submission whose answer is lost.
var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// Submit submits a generation. The methods named after the models are the usual way; Submit itself takes any value that
// encoding/json encodes as an object with a model, for models and properties that this version doesn't know yet:
//
//	job, err := client.Submit(ctx, map[string]any{"model": "...", "video_url": api.File("dance.mp4")})
//
// The returned Job has been accepted; write its id down. Otherwise the error is one of
//
//   - [*InputError]: something in the request can't be right; nothing was sent.
//   - [*RejectedError]: the server said no; nothing is charged.
//   - [*NotSentError]: nothing left this machine.
//   - [*UnknownError]: no usable answer came; the job may be running and may be charged.
//
// Submissions that weren't sent or were answered 429 are tried again for a while: see [WithRetryWindow]. The context
// bounds it all. When it ends before anything was written, the error is a NotSentError, afterwards an UnknownError.
func (c *Client) Submit(ctx context.Context, request any, opts ...SubmitOption) (*Job, error) {
	s := &submission{client: c, requestID: "wan-" + rand.Text()}
	for _, opt := range opts {
		opt.applyToSubmission(s)
	}
	if !requestIDPattern.MatchString(s.requestID) {
		return nil, &InputError{Property: "client request id", Err: errors.New("it has 1 to 128 characters of A-Z a-z 0-9 . _ : -")}
	}
	if err := checkRequest(request); err != nil {
		return nil, err
	}
	var err error
	if s.body, err = media.NewBody(request, c.maxMedia); err != nil {
		return nil, err
	}
	return s.run(ctx)
}

// A submission is one call of Submit.
type submission struct {
	client    *Client
	requestID string
	body      *media.Body
	onUpload  func(sent, total int64)
}

func (s *submission) run(ctx context.Context) (*Job, error) {
	b := newBackoff(500*time.Millisecond, 8*time.Second)
	left := s.client.retryWindow
	for attempt := 1; ; attempt++ {
		job, err := s.try(ctx)
		if err == nil {
			s.client.logger.InfoContext(ctx, "submission accepted", "generation", job.id, "client_request_id", s.requestID)
			return job, nil
		}
		hint, again := retryable(err)
		delay := max(b.next(), hint)
		if !again || ctx.Err() != nil || attempt == maxAttempts || delay > left {
			return nil, err
		}
		left -= delay
		s.client.logger.WarnContext(ctx, "submission is tried again", "client_request_id", s.requestID, "delay", delay, "error", err)
		if sleep(ctx, delay) != nil {
			return nil, &NotSentError{s.requestID, fmt.Errorf("%w before it was tried again: %w", ctx.Err(), err)}
		}
	}
}

// retryable reports whether it is certain that no job was created, and how long the server asks to wait.
func retryable(err error) (hint time.Duration, again bool) {
	if _, ok := errors.AsType[*NotSentError](err); ok {
		return 0, true
	}
	if rejected, ok := errors.AsType[*RejectedError](err); ok && rejected.Err.StatusCode == http.StatusTooManyRequests && !rejected.Err.accepted {
		return rejected.Err.RetryAfter, true
	}
	return 0, false
}

// answerTimeout is how long a submission may stand still, while it is written and while it is answered.
const answerTimeout = 2 * time.Minute

// try sends the submission once.
func (s *submission) try(ctx context.Context) (*Job, error) {
	var sent evidence
	ctx, watch := newWatchdog(ctx, answerTimeout)
	defer watch.stop()
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:          func(string) { sent.traced.Store(true) },
		WroteHeaderField: func(string, []string) { sent.wrote.Store(true) },
		WroteHeaders:     func() { sent.wrote.Store(true) },
	})
	// All models are submitted to the same place, so that any of the generated functions makes the request.
	request, err := animatemove.NewSubmitGenerationRequestWithBody(s.client.baseURL+"/",
		&animatemove.SubmitGenerationParams{XClientRequestID: &s.requestID}, "application/json",
		&watchedBody{ReadCloser: s.body.Open(), submission: s, watch: watch, sent: &sent})
	if err != nil {
		return nil, &NotSentError{s.requestID, err}
	}
	request.ContentLength = s.body.Len()
	// Without GetBody, net/http can't send again what it has begun to send: it would, after some errors of HTTP/2.
	request.GetBody = nil
	response, err := s.client.do(request.WithContext(traced))
	// A transport may know that it has sent nothing, as the strict one of package conformance does.
	if refusal, ok := errors.AsType[interface {
		error
		NotSent() bool
	}](err); ok && refusal.NotSent() {
		return nil, &InputError{Err: refusal}
	} else if err != nil {
		return nil, s.lost(watch.explain(err), &sent)
	}
	defer response.Body.Close()
	return s.outcome(response, watch)
}

// evidence is what is known of the sending.
type evidence struct {
	traced atomic.Bool // the transport speaks to httptrace, and so can be believed
	wrote  atomic.Bool // it has begun to write a header
	read   atomic.Bool // it has begun to read the body
}

// lost words the loss of a submission. Of a transport that doesn't speak to httptrace, only this is sure: it can't have
// sent a body that it hasn't read.
func (s *submission) lost(err error, sent *evidence) error {
	if sent.traced.Load() && !sent.wrote.Load() || !sent.wrote.Load() && !sent.read.Load() {
		return &NotSentError{s.requestID, err}
	}
	return &UnknownError{ClientRequestID: s.requestID, Err: err}
}

// outcome reads what the server says.
func (s *submission) outcome(response *http.Response, watch *watchdog) (*Job, error) {
	body, err := s.client.read(response)
	status := response.StatusCode
	unknown := &UnknownError{ClientRequestID: s.requestID, GenerationID: s.client.redacted(response.Header.Get("X-Inference-Id"))}
	if status >= 200 && status < 300 {
		if err != nil {
			unknown.Err = fmt.Errorf("the API answered %d, but %w", status, watch.explain(err))
			return nil, unknown
		}
		answer, err := decodeAnswer(body)
		if err != nil || answer.ID == "" {
			unknown.Err = fmt.Errorf("the API answered %d with %w: no generation id", status, ErrBadAnswer)
			return nil, unknown
		}
		job := s.client.Job(answer.ID)
		job.requestID = s.requestID
		return job, nil
	}
	rejected := s.client.responseError(response, body)
	switch {
	case status >= 500 && (err != nil || !rejected.documented):
		unknown.Err = fmt.Errorf("%w, not in the API's own words", rejected)
		return nil, unknown
	case status >= 500 && unknown.GenerationID != "", status == http.StatusSeeOther: // both speak of something that is there
		unknown.Err = rejected
		return nil, unknown
	}
	rejected.accepted = unknown.GenerationID != ""
	return nil, &RejectedError{s.requestID, rejected}
}

// watchedBody notes that it is read, which means that it is being sent.
type watchedBody struct {
	io.ReadCloser

	submission *submission
	watch      *watchdog
	sent       *evidence
	bytes      int64
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.sent.read.Store(true)
	b.watch.reset()
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	if f := b.submission.onUpload; f != nil && n > 0 {
		f(b.bytes, b.submission.body.Len())
	}
	return n, err
}

// checkRequest looks for what the generated type of a request tells: required properties and enums. Bounds are left to
// the server, which charges nothing for a request that it rejects. Other types are sent as they are.
func checkRequest(request any) error {
	v := reflect.Indirect(reflect.ValueOf(request))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		tag, tagged := v.Type().Field(i).Tag.Lookup("json")
		if !tagged || tag == "-" || !v.Type().Field(i).IsExported() {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		field := v.Field(i)
		if field.IsZero() {
			// A number or a boolean may be meant as 0 or false.
			if options == "" && (field.Kind() == reflect.String || field.Kind() == reflect.Struct) {
				return &InputError{Property: name, Err: errors.New("it is required")}
			}
			continue
		}
		if enum, ok := reflect.TypeAssert[interface{ Valid() bool }](field); ok && !enum.Valid() {
			return &InputError{Property: name, Err: fmt.Errorf("%.40q is none of the values that the documents list", field.Interface())}
		}
	}
	return nil
}
