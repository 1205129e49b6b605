package conformance

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Transport is an http.RoundTripper that checks what passes through it against the documents: in a program's own
// tests, in a proxy or in production. Bodies stream through it unharmed, and data URIs are not held in memory. Requests
// that aren't the API's, such as downloads of results, pass untouched.
//
//	client := &http.Client{Transport: &conformance.Transport{OnFinding: func(f conformance.Finding) { log.Print(f) }}}
//
// A body is checked once all of it has passed. So nothing is said of a submission that is answered before it has been
// sent to its end, such as with 401, unless the Transport is strict, nor of an answer that isn't read as far as the end
// of its JSON value.
//
// A Transport is safe for concurrent use. Its fields must not change once it is in use.
type Transport struct {
	// Base sends the requests; http.DefaultTransport if nil.
	Base http.RoundTripper
	// OnFinding gets each finding. It may be called from several goroutines at once. What there is to say of a request's
	// header is said before anything is sent, of its body when that has been sent; if Strict is set, both before. What
	// there is to say of an answer's status and header is said when they come, of its body when that has been read to the
	// end, or closed behind the end of its JSON value. If OnFinding is nil, findings are collected: see Findings.
	OnFinding func(Finding)
	// Strict makes a request with a violation fail with a *StrictError before anything of it is sent. The body is read
	// twice then, by means of the request's GetBody, and held in memory where it has none.
	Strict bool

	mu        sync.Mutex
	collected []Finding
	endings   map[generationKey]ending
}

// maxCollected is how many findings, and how many endings, a Transport remembers.
const maxCollected = 10000

// Findings returns what was found so far, at most the first 10,000, if OnFinding is nil.
func (t *Transport) Findings() []Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.collected)
}

// A StrictError says that a strict Transport has refused a request. Nothing was sent.
type StrictError struct{ Findings []Finding }

func (e *StrictError) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.String()
	}
	return "conformance: request refused: " + strings.Join(texts, "; ")
}

// NotSent tells clients such as package api that nothing has left.
func (e *StrictError) NotSent() bool { return true }

// RoundTrip sends the request by the base transport.
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
	if err == nil {
		x.response(response)
	}
	return response, err
}

// CloseIdleConnections closes those of the base transport, for [http.Client.CloseIdleConnections].
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
