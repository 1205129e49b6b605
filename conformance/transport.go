package conformance

import (
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Transport is an http.RoundTripper that validates traffic against the specs: in tests, in a proxy or in production.
// Bodies stream through it unchanged, and data URIs are not held in memory. Requests that aren't API requests, such as
// downloads of results, are not validated.
//
//	client := &http.Client{Transport: &conformance.Transport{OnFinding: func(f conformance.Finding) { log.Print(f) }}}
//
// A body is validated once all of it has passed. So a submission that is rejected before it was sent to the end isn't
// validated unless Strict is set, and neither is a response that isn't read to the end of its JSON value.
//
// A Transport is safe for concurrent use. Its fields must not be changed once it is in use.
type Transport struct {
	// Base sends the requests; http.DefaultTransport if nil.
	Base http.RoundTripper
	// OnFinding is called for each finding, possibly from several goroutines at once. Findings about a request header
	// come before the request is sent, about its body once it was sent (before, if Strict is set). Findings about a
	// response's status code and header come with them, about its body when it was read to the end or closed after the
	// end of its JSON value. If OnFinding is nil, findings are collected: see Findings.
	OnFinding func(Finding)
	// Strict rejects a request with a violation: RoundTrip sends nothing and returns a *StrictError. The body is then
	// held until all of it is validated: up to 1 MiB in memory, the rest in a temporary file.
	Strict bool

	mu        sync.Mutex
	collected []Finding
	endings   map[generationKey]ending
}

// maxCollected caps the findings and the endings that a Transport keeps.
const maxCollected = 10000

// Findings returns the findings so far, at most the first 10,000. It returns none if OnFinding is set.
func (t *Transport) Findings() []Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.collected)
}

// A StrictError reports that a strict Transport rejected a request. Nothing was sent.
type StrictError struct{ Findings []Finding }

func (e *StrictError) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.String()
	}
	return "conformance: request rejected: " + strings.Join(texts, "; ")
}

// NotSent reports to clients such as package api that nothing was sent.
func (e *StrictError) NotSent() bool { return true }

// RoundTrip sends the request with the base transport.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := newExchange(t, r)
	if x == nil {
		return t.base().RoundTrip(r)
	}
	request, err := x.request(r)
	if err != nil {
		return nil, err
	}
	response, err := t.base().RoundTrip(request)
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		return nil, &notSentError{err}
	}
	if err == nil {
		x.response(response)
	}
	return response, err
}

// A notSentError reports that there was no connection to send the request on.
type notSentError struct{ error }

func (e *notSentError) Unwrap() error { return e.error }

// NotSent reports to clients such as package api that nothing was sent.
func (e *notSentError) NotSent() bool { return true }

// CloseIdleConnections closes the idle connections of the base transport.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base().(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

func (t *Transport) report(findings []Finding) {
	for _, f := range findings {
		if t.OnFinding != nil {
			t.OnFinding(f)
			continue
		}
		t.mu.Lock()
		if len(t.collected) < maxCollected {
			t.collected = append(t.collected, f)
		}
		t.mu.Unlock()
	}
}
