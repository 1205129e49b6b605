package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/gen/animatemove"
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
//   - [*UnknownOutcomeError]: no usable answer came; the job may be running and may be charged.
//
// Submissions that weren't sent or were answered 429 are tried again for a while: see [WithRetryWindow]. The context
// bounds it all. When it ends before anything was written, the error is a NotSentError, afterwards an
// UnknownOutcomeError, and in the pause after a 429 the RejectedError.
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
	if s.body, err = newBody(request, c.maxMedia); err != nil {
		return nil, err
	}
	return s.run(ctx)
}

// A submission is one call of Submit.
type submission struct {
	client    *Client
	requestID string
	body      *requestBody
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
		if !again || s.body.spent() || ctx.Err() != nil || attempt == maxAttempts || delay > left {
			return nil, err
		}
		left -= delay
		s.client.logger.WarnContext(ctx, "submission is tried again", "client_request_id", s.requestID, "delay", delay, "error", err)
		if sleep(ctx, delay) != nil {
			if rejected, ok := errors.AsType[*RejectedError](err); ok {
				rejected.end = ctx.Err()
				return nil, rejected
			}
			return nil, &NotSentError{s.requestID, fmt.Errorf("%w, and it wasn't tried again: %w", errors.Unwrap(err), ctx.Err())}
		}
	}
}

// retryable reports whether it is certain that no job was created, and how long the server asks to wait.
func retryable(err error) (hint time.Duration, again bool) {
	if _, ok := errors.AsType[*NotSentError](err); ok {
		return 0, true
	}
	if rejected, ok := errors.AsType[*RejectedError](err); ok && rejected.Err.StatusCode == http.StatusTooManyRequests {
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
		GetConn:          func(string) { sent.asked.Store(true) },
		GotConn:          func(httptrace.GotConnInfo) { sent.connected.Store(true) },
		WroteHeaderField: func(string, []string) { sent.wrote.Store(true) },
		WroteHeaders:     func() { sent.wrote.Store(true) },
	})
	body := &watchedBody{ReadCloser: s.body.open(), submission: s, watch: watch, sent: &sent}
	defer body.finish()
	// All models are submitted to the same place, so that any of the generated functions makes the request.
	request, err := animatemove.NewSubmitGenerationRequestWithBody(s.client.baseURL+"/",
		&animatemove.SubmitGenerationParams{XClientRequestID: &s.requestID}, "application/json",
		body)
	if err != nil {
		return nil, &NotSentError{s.requestID, err}
	}
	request.ContentLength = s.body.size
	// Without GetBody, net/http can't send again what it has begun to send: it would, after some errors of HTTP/2.
	request.GetBody = nil
	response, err := s.client.do(request.WithContext(traced))
	// A transport may know that it has sent nothing, as the strict one of package conformance does.
	if refusal, ok := errors.AsType[interface {
		error
		NotSent() bool
	}](err); ok && refusal.NotSent() {
		return nil, &InputError{Err: err}
	} else if err != nil {
		return nil, s.lost(watch.explain(err), &sent)
	}
	defer response.Body.Close()
	return s.outcome(response, watch)
}

// evidence is what is known of the sending.
type evidence struct {
	asked     atomic.Bool // the transport has looked for a connection
	connected atomic.Bool // and found one
	wrote     atomic.Bool // it has begun to write a header
	read      atomic.Bool // it has begun to read the body
}

// lost words the loss of a submission. A transport can't have sent a body that it hasn't read, and one that reads ahead,
// as the strict one of package conformance does, not without a connection.
func (s *submission) lost(err error, sent *evidence) error {
	dial, _ := errors.AsType[*net.OpError](err)
	unconnected := sent.asked.Load() && !sent.connected.Load() && dial != nil && dial.Op == "dial"
	if !sent.wrote.Load() && (!sent.read.Load() || unconnected) {
		return &NotSentError{s.requestID, err}
	}
	return &UnknownOutcomeError{ClientRequestID: s.requestID, Err: err}
}

// outcome reads what the server says. Whatever its status, an answer that names a generation speaks of one.
func (s *submission) outcome(response *http.Response, watch *watchdog) (*Job, error) {
	body, err := s.client.read(response)
	status := response.StatusCode
	refusal := s.client.responseError(response, body)
	unknown := &UnknownOutcomeError{ClientRequestID: s.requestID, GenerationID: s.client.redacted(response.Header.Get("X-Inference-Id"))}
	if g, err := decodeAnswer(body); err == nil && g.Status != "" { // it looks like a generation
		unknown.GenerationID = cmp.Or(unknown.GenerationID, s.client.redacted(g.ID))
	}
	switch {
	case status >= 200 && status < 300:
		id := idIn(body)
		if id != "" && err == nil {
			job := s.client.Job(id)
			job.requestID = s.requestID
			return job, nil
		}
		if err == nil {
			err = fmt.Errorf("%w: its body has no generation id", ErrBadResponse)
		}
		unknown.GenerationID = cmp.Or(unknown.GenerationID, s.client.redacted(id))
		unknown.Err = fmt.Errorf("%w: %w", refusal, watch.explain(err))
		return nil, unknown
	case unknown.GenerationID != "",
		status == http.StatusSeeOther,                                        // the answer is elsewhere
		status == http.StatusBadGateway, status == http.StatusGatewayTimeout: // another server may have begun
		unknown.Err = refusal
		return nil, unknown
	case status >= 500 && (err != nil || !refusal.documented):
		unknown.Err = fmt.Errorf("%w, not in the API's own words", refusal)
		return nil, unknown
	}
	return nil, &RejectedError{ClientRequestID: s.requestID, Err: refusal}
}

// watchedBody notes that it is read, which means that it is being sent.
type watchedBody struct {
	io.ReadCloser

	submission *submission
	watch      *watchdog
	sent       *evidence

	mu    sync.Mutex
	bytes int64
	over  bool // the transport may go on reading, but nobody wants to hear of it
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.sent.read.Store(true)
	b.watch.reset()
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += int64(n)
	if f := b.submission.onUpload; f != nil && n > 0 && !b.over {
		f(b.bytes, b.submission.body.size)
	}
	return n, err
}

// finish ends the calls of OnUpload.
func (b *watchedBody) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

// generated is the path below which the packages of the models are.
var generated = path.Dir(reflect.TypeFor[animatemove.Request]().PkgPath()) + "/"

// checkRequest looks for what the generated type of a request tells: required properties and enums. Bounds are left to
// the server, which charges nothing for a request that it rejects. Other types are sent as they are.
func checkRequest(request any) error {
	v := reflect.Indirect(reflect.ValueOf(request))
	if v.Kind() != reflect.Struct || !strings.HasPrefix(v.Type().PkgPath(), generated) {
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
