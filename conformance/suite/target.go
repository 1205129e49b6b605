package suite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A target is the server under test.
type target struct {
	base       *url.URL
	key        string
	redactor   redactor
	client     *http.Client // without redirects, validating responses
	download   *http.Client // as configured
	strictness Strictness
	timeout    time.Duration // of a call
	// stateless targets, such as mocks, know ids that they never returned.
	stateless bool
	// abort ends the run.
	abort  context.CancelCauseFunc
	busy   atomic.Int32 // consecutive requests whose last response was 429
	silent atomic.Int32 // consecutive requests that timed out

	mu  sync.Mutex
	ids map[string]int // of accepted submissions, with how many had it
}

// A call is a request and its outcome.
type call struct {
	request  request
	status   int // 0 without a response
	header   http.Header
	body     []byte
	response responseBody
	err      error // why there is no response, or not all of it
	findings []conformance.Finding
	elapsed  time.Duration
}

const (
	// maxBody bounds a response: far more than the API ever sends.
	maxBody = 4 << 20
	// maxAttempts bounds how often a request is sent while the response is 429.
	maxAttempts = 6
	// maxBusy and maxSilent bound the consecutive requests that end with 429 or in a timeout: the rest of the run would
	// take hours and show nothing.
	maxBusy   = 5
	maxSilent = 5
	// slow is how long a response takes that is worth a note.
	slow = 30 * time.Second
)

// findingsKey is the context key of the slot that receives the findings about a response.
type findingsKey struct{}

// A findingsTransport validates responses and stores the findings in the slot of the request's context.
type findingsTransport struct{ base http.RoundTripper }

func (f *findingsTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	store := r.Context().Value(findingsKey{}).(func(conformance.Finding))
	validating := &conformance.Transport{Base: f.base, OnFinding: store}
	return validating.RoundTrip(r)
}

func newTarget(base *url.URL, c *Config, abort context.CancelCauseFunc) *target {
	t := &target{
		base: base, key: c.Key, redactor: redactor{redact.New(c.Key)}, strictness: c.Strictness, timeout: c.Timeout,
		download: cmp.Or(c.HTTPClient, http.DefaultClient), abort: abort, ids: map[string]int{},
	}
	client := *t.download
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = &findingsTransport{client.Transport}
	t.client = &client
	return t
}

// send sends a request, again while the response is 429. It aborts the run if the target doesn't respond any more.
func (t *target) send(ctx context.Context, r request) *call {
	for attempt := 1; ; attempt++ {
		c := t.sendOnce(ctx, r)
		switch {
		case c.status == 0 && errors.Is(c.err, context.DeadlineExceeded) && ctx.Err() == nil:
			if t.silent.Add(1) == maxSilent {
				t.abort(fmt.Errorf("the run was aborted: the target hangs; %d consecutive requests got no response within %s", maxSilent, t.timeout))
			}
			return c
		case c.status != http.StatusTooManyRequests:
			t.busy.Store(0)
			t.silent.Store(0)
			return c
		case attempt == maxAttempts:
			if t.busy.Add(1) == maxBusy {
				t.abort(fmt.Errorf("the run was aborted: the target responds 429 to %d consecutive requests, %d times each", maxBusy, maxAttempts))
			}
			return c
		}
		delay := cmp.Or(wire.RetryAfter(c.header), time.Second<<(attempt-1))
		if wire.Sleep(ctx, delay) != nil {
			return c
		}
	}
}

func (t *target) sendOnce(ctx context.Context, r request) *call {
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	c := &call{request: r}
	start := time.Now()
	defer func() { c.elapsed = time.Since(start) }()
	ctx = context.WithValue(ctx, findingsKey{}, func(f conformance.Finding) {
		if f.Status != 0 { // requests are invalid on purpose
			c.findings = append(c.findings, f)
		}
	})
	request, err := t.newRequest(ctx, r)
	if err != nil {
		c.err = err
		return c
	}
	response, err := t.client.Do(request)
	if err != nil {
		c.err = withoutURL(err)
		return c
	}
	defer response.Body.Close()
	c.status, c.header = response.StatusCode, response.Header
	if c.status == http.StatusSwitchingProtocols { // the body is the connection, which no context ends
		c.err = errors.New("the response is 101 Switching Protocols")
		return c
	}
	c.body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	c.response = decodeResponse(c.status, c.header, c.body)
	switch {
	case err != nil:
		c.err = fmt.Errorf("the response broke off: %w", err)
	case len(c.body) > maxBody:
		c.err = fmt.Errorf("the response exceeds %d bytes", maxBody)
		c.body = c.body[:2*shownOfFailed] // the report shows no more
	}
	if r.mayCreateJob() && c.accepted() && c.response.ID != "" {
		t.mu.Lock()
		t.ids[c.response.ID]++
		t.mu.Unlock()
	}
	return c
}

func (t *target) newRequest(ctx context.Context, r request) (*http.Request, error) {
	u := *t.base
	u.Path += r.Path
	u.RawQuery, _ = expandKey(r.Query, url.QueryEscape(t.key))
	request, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.body()))
	if err != nil {
		return nil, err
	}
	if r.Chunked {
		request.ContentLength = -1
	}
	request.Header.Set("User-Agent", "wan-conformance")
	request.Header.Set("Authorization", "Bearer "+t.key)
	if r.mayCreateJob() {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Header {
		if value == nil {
			request.Header.Del(name)
			continue
		}
		text, _ := expandKey(*value, t.key)
		request.Header.Set(name, text)
	}
	return request, nil
}

// withoutURL returns the cause of a *url.Error.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func (c *call) accepted() bool { return c.status >= 200 && c.status < 300 }

// outcome returns the status code and message of the response, or why there is none.
func (c *call) outcome() string {
	switch {
	case errors.Is(c.err, context.DeadlineExceeded):
		return fmt.Sprintf("no complete response within %s; a longer timeout may help", c.elapsed.Round(time.Second/10))
	case c.err != nil:
		return "no complete response: " + c.err.Error()
	}
	return fmt.Sprintf("%d%s", c.status, quoted(c.response.Message))
}

// notes returns what is remarkable about a call but no problem.
func (c *call) notes() (list []string) {
	for _, f := range c.findings {
		if f.Grade == conformance.Undocumented {
			list = append(list, f.String())
		}
	}
	if isProblemJSON(c) {
		list = append(list, "undocumented: an error is application/problem+json instead of the documented body")
	}
	if c.elapsed > slow {
		list = append(list, "slow: a response took more than "+slow.String())
	}
	return list
}

// poll returns the request that polls a generation.
func poll(id string) request {
	return request{Method: spec.Generation().Method, Path: spec.Generation().Path, Query: "generation_id=" + url.QueryEscape(id)}
}

// A responseBody holds the members of a response that the suite checks, as far as they have the right type.
type responseBody struct {
	ID      string
	Status  string
	URL     string         // of the video
	Error   any            // nil if null or absent
	Usage   map[string]any // the cost
	Message string         // of an error
	Code    any            // the status code in the body of an error
	Path    string         // of an error

	object bool // the body is a JSON object
}

// decodeResponse decodes a body. A body that isn't a JSON object yields nothing here; the validation reports it.
func decodeResponse(status int, header http.Header, body []byte) (b responseBody) {
	if status >= 400 {
		e := wire.DecodeError(header, body)
		b.Message, b.Path = e.Message, e.Path
	}
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return b
	}
	b.object = members != nil
	b.ID, _ = members["id"].(string)
	b.Status, _ = members["status"].(string)
	b.Error = members["error"]
	if video, ok := members["video"].(map[string]any); ok {
		b.URL, _ = video["url"].(string)
	}
	if meta, ok := members["meta"].(map[string]any); ok {
		b.Usage, _ = meta["usage"].(map[string]any)
	}
	b.Code = members["statusCode"]
	if f, ok := members["status"].(float64); ok { // problem+json
		b.Code = f
	}
	return b
}

// final reports whether the generation has ended.
func (b responseBody) final() bool { return b.Status == "completed" || b.Status == "error" }

// premature reports whether the generation has a result although its status isn't final: a video, or an error under a
// status that isn't listed.
func (b responseBody) premature() bool {
	_, failed := b.Error.(map[string]any)
	return !b.final() && (b.URL != "" || failed && rank(b.Status) == rankUnlisted)
}
