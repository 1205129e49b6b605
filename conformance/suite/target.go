package suite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

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

// A target is the server that is tried.
type target struct {
	base  *url.URL
	key   string
	http  *http.Client
	exact bool
	// stateless is a target that answers for ids that nobody gave it, such as a mock.
	stateless bool
	// giveUp ends the run.
	giveUp context.CancelCauseFunc
	busy   atomic.Int32 // requests in a row that were answered 429 to the last

	mu  sync.Mutex
	ids map[string]int // of accepted submissions, and how many had it
}

// A trip is a request and what came of it.
type trip struct {
	request  request
	status   int // 0 if no answer came
	header   http.Header
	body     []byte
	err      error // why none came, or not all of it
	findings []conformance.Finding
	elapsed  time.Duration
}

const (
	exchangeTimeout = time.Minute
	maxAnswer       = 4 << 20 // a thousand times what the API answers
	// maxAttempts bounds how often a request is sent that is answered 429, which neither costs nor says anything.
	maxAttempts = 6
	// maxBusy is how many requests in a row may be answered so to the last: the rest would take hours and tell nothing.
	maxBusy = 5
)

var errBusy = errors.New("the run was given up: the target answers 429 to one request after another")

// send sends a request and notes the ids that submissions are answered with.
func (t *target) send(ctx context.Context, r request) *trip {
	for attempt := 1; ; attempt++ {
		x := t.try(ctx, r)
		switch {
		case x.status != http.StatusTooManyRequests:
			t.busy.Store(0)
			return x
		case attempt == maxAttempts:
			if t.busy.Add(1) == maxBusy {
				t.giveUp(errBusy)
			}
			return x
		}
		if sleep(ctx, retryAfter(x.header, attempt)) != nil {
			return x
		}
	}
}

// retryAfter is what the answer asks for, up to a minute, or else 1, 2, 4 ... seconds.
func retryAfter(header http.Header, attempt int) time.Duration {
	if seconds, err := strconv.Atoi(header.Get("Retry-After")); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 60)) * time.Second
	}
	return time.Second << (attempt - 1)
}

func (t *target) try(ctx context.Context, r request) *trip {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	x := &trip{request: r}
	began := time.Now()
	defer func() { x.elapsed = time.Since(began) }()
	request, err := t.newRequest(ctx, r)
	if err != nil {
		x.err = err
		return x
	}
	client := *t.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var mu sync.Mutex
	client.Transport = &conformance.Transport{Base: t.http.Transport, OnFinding: func(f conformance.Finding) {
		mu.Lock()
		defer mu.Unlock()
		// The requests are wrong on purpose, and ids have a rule of their own.
		if f.Status != 0 && f.Rule != "same-id" {
			x.findings = append(x.findings, f)
		}
	}}
	response, err := client.Do(request)
	if err != nil {
		x.err = withoutURL(err)
		return x
	}
	defer response.Body.Close()
	x.status, x.header = response.StatusCode, response.Header
	x.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		x.err = fmt.Errorf("the answer broke off: %w", err)
	case len(x.body) > maxAnswer:
		x.err = fmt.Errorf("the answer has more than %d bytes", maxAnswer)
		x.body = x.body[:2*shownOfFailed] // the rest isn't even shown
	}
	if id := x.answer().ID; r.submits() && x.accepted() && id != "" {
		t.mu.Lock()
		t.ids[id]++
		t.mu.Unlock()
	}
	return x
}

func (t *target) newRequest(ctx context.Context, r request) (*http.Request, error) {
	u := *t.base
	u.Path, u.RawQuery = u.Path+r.Path, r.Query
	request, err := http.NewRequestWithContext(ctx, r.Method, u.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "wan-conformance")
	request.Header.Set("Authorization", "Bearer "+t.key)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.Header {
		if value == nil {
			request.Header.Del(name)
		} else {
			request.Header.Set(name, *value)
		}
	}
	return request, nil
}

// withoutURL drops what net/http puts around the reason.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
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

func (x *trip) accepted() bool { return x.status >= 200 && x.status < 300 }

// violations are the findings about the answer that count.
func (x *trip) violations() (list []string) {
	for _, f := range x.findings {
		if f.Grade == conformance.Violation {
			list = append(list, f.String())
		}
	}
	return list
}

// undocumented are the findings that don't.
func (x *trip) undocumented() (list []string) {
	for _, f := range x.findings {
		if f.Grade == conformance.Undocumented {
			list = append(list, f.String())
		}
	}
	return list
}

// poll is the request that asks for a generation.
func poll(id string) request {
	return request{Method: spec.Generation().Method, Path: spec.Generation().Path, Query: "generation_id=" + url.QueryEscape(id)}
}
