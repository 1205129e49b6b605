package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/aimlvideo/wan-go/spec"
)

// A Transport is an http.RoundTripper that holds what passes against the documents: in a program's own tests, in a
// proxy or in production. Bodies stream through it unharmed, and data URIs are not held in memory. Requests that aren't
// the API's, such as downloads of results, pass untouched.
//
//	client := &http.Client{Transport: &conformance.Transport{OnFinding: func(f conformance.Finding) { log.Print(f) }}}
//
// A Transport is safe for concurrent use. Its fields must not change once it is in use.
type Transport struct {
	// Base sends the requests; http.DefaultTransport if nil.
	Base http.RoundTripper
	// OnFinding gets each finding. It may be called from several goroutines at once: about a request when that has been
	// sent, about an answer when its body has been read to the end. If it is nil, findings are collected: see Findings.
	OnFinding func(Finding)
	// Strict makes a request with a violation fail with a *StrictError before anything of it is sent. The body is read
	// twice then, by means of the request's GetBody, and held in memory where it has none.
	Strict bool

	mu        sync.Mutex
	collected []Finding
	final     map[string]string // final statuses, by generation
}

// maxCollected is how many findings, and how many final statuses, a Transport remembers.
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
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	x := newExchange(t, r)
	if x == nil {
		return base.RoundTrip(r)
	}
	request, err := x.request(r)
	if err != nil {
		return nil, err
	}
	response, err := base.RoundTrip(request)
	if err == nil {
		x.response(response)
	}
	return response, err
}

func (t *Transport) report(findings ...Finding) {
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

// An exchange is a request of the API and its answer.
type exchange struct {
	transport *Transport
	operation string
	id        string // of the generation that is asked for

	mu       sync.Mutex
	document *spec.Document // of the submission's model, once it is known
}

// newExchange returns nil where the request isn't one of the API's.
func newExchange(t *Transport, r *http.Request) *exchange {
	generation := spec.Generation()
	if !strings.HasSuffix(r.URL.Path, generation.Path) {
		return nil
	}
	x := &exchange{transport: t}
	switch r.Method {
	case http.MethodPost:
		x.operation = spec.Models()[0].Operation.OperationID
	case generation.Method:
		x.operation = generation.Operation.OperationID
		x.document = generation
		x.id = r.URL.Query().Get("generation_id")
	default:
		return nil
	}
	return x
}

// request checks the header of the request and has the body checked while it passes. The caller's request is left alone.
func (x *exchange) request(r *http.Request) (*http.Request, error) {
	findings := checkHeader(r)
	if x.document != nil && x.id == "" {
		findings = append(findings, violation("?generation_id", "required", "the id of a generation", "nothing"))
	}
	checked := r.Clone(r.Context())
	if x.document == nil {
		body, err := x.body(r, &findings)
		if err != nil {
			return nil, err
		}
		checked.Body = body
	}
	x.stamp(findings, 0)
	x.transport.report(findings...)
	if refused := violations(findings); x.transport.Strict && refused != nil {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		return nil, &StrictError{refused}
	}
	return checked, nil
}

// body returns the body to be sent. A strict transport adds what is wrong with it to the findings at once.
func (x *exchange) body(original *http.Request, findings *[]Finding) (io.ReadCloser, error) {
	body := original.Body
	if body == nil || body == http.NoBody {
		*findings = append(*findings, x.checkSubmission(new(condenser))...)
		return body, nil
	}
	if !x.transport.Strict {
		return x.watch(body, original.ContentLength, func(c *condenser) {
			f := x.checkSubmission(c)
			x.stamp(f, 0)
			x.transport.report(f...)
		}), nil
	}
	var c condenser
	if original.GetBody == nil {
		data, err := io.ReadAll(body)
		if err = errors.Join(err, body.Close()); err != nil {
			return nil, err
		}
		_, _ = c.Write(data)
		body = io.NopCloser(bytes.NewReader(data))
	} else {
		preview, err := original.GetBody()
		if err == nil {
			_, err = io.Copy(&c, preview)
			_ = preview.Close()
		}
		if err != nil {
			_ = body.Close()
			return nil, err
		}
	}
	*findings = append(*findings, x.checkSubmission(&c)...)
	return body, nil
}

func (x *exchange) checkSubmission(c *condenser) []Finding {
	if c.overflow {
		return []Finding{tooLong()}
	}
	submission, findings := CheckSubmission(c.text.Bytes())
	x.mu.Lock()
	defer x.mu.Unlock()
	if submission.Document != nil {
		x.document = submission.Document
		findings = append(findings, undocumented(x.document.Request(), submission.Request, "")...)
	}
	return findings
}

// response has the answer checked while its body is read.
func (x *exchange) response(r *http.Response) {
	status := r.StatusCode
	var findings []Finding
	contentType := r.Header.Get("Content-Type")
	declared := x.declared(status)
	switch {
	case !declared:
		findings = append(findings, Finding{Grade: Undocumented, Rule: "status", Expected: "a documented status", Received: fmt.Sprint(status)})
	case !isJSON(contentType):
		findings = append(findings, Finding{Grade: Undocumented, Rule: "content-type", Expected: "application/json", Received: fmt.Sprintf("%.60q", contentType)})
	}
	encoding := r.Header.Get("Content-Encoding")
	if encoding != "" { // net/http has taken it away where it has decompressed the body
		findings = append(findings, Finding{Grade: Undocumented, Rule: "content-encoding", Expected: "a plain body", Received: fmt.Sprintf("one in %.20q, which wasn't checked", encoding)})
	}
	x.stamp(findings, status)
	x.transport.report(findings...)
	if !declared || encoding != "" || r.Request != nil && r.Request.Method == http.MethodHead {
		return
	}
	r.Body = x.watch(r.Body, r.ContentLength, func(c *condenser) {
		f := []Finding{tooLong()}
		if !c.overflow {
			f = x.checkAnswer(status, c.text.Bytes())
		}
		x.stamp(f, status)
		x.transport.report(f...)
	})
}

func (x *exchange) declared(status int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.document == nil { // a submission that names no model: all documents answer alike
		x.document = spec.Models()[0]
	}
	return x.document.Operation.Responses.Status(status) != nil
}

func (x *exchange) checkAnswer(status int, body []byte) []Finding {
	x.mu.Lock()
	document := x.document
	x.mu.Unlock()
	findings := CheckResponse(document, status, body)
	value, _ := decode(body)
	members, ok := value.(map[string]any)
	if !ok {
		return findings
	}
	schema := document.Operation.Responses.Status(status).Value.Content["application/json"].Schema.Value
	findings = append(findings, undocumented(schema, members, "")...)
	if status < 300 {
		findings = append(findings, x.transport.checkLife(members, x.id)...)
	}
	for i, f := range findings {
		if _, word := members["status"].(string); word && f.Pointer == "/status" && f.Rule == "enum" {
			findings[i].Grade = Undocumented // generation.yaml expects further words
		}
	}
	return findings
}

func (x *exchange) stamp(findings []Finding, status int) {
	for i := range findings {
		findings[i].Operation, findings[i].Status = x.operation, status
	}
}

func violations(findings []Finding) (list []Finding) {
	for _, f := range findings {
		if f.Grade == Violation {
			list = append(list, f)
		}
	}
	return list
}

func tooLong() Finding {
	return Finding{Grade: Undocumented, Rule: "size", Expected: fmt.Sprintf("at most %d bytes beside data URIs", maxCondensed), Received: "more, which wasn't checked"}
}

// watch has check called once the whole body has passed.
func (x *exchange) watch(body io.ReadCloser, length int64, check func(*condenser)) io.ReadCloser {
	return &watchedBody{ReadCloser: body, length: length, check: check}
}

type watchedBody struct {
	io.ReadCloser

	length int64 // -1 where it isn't known
	check  func(*condenser)

	mu   sync.Mutex
	seen condenser
	done bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	_, _ = b.seen.Write(p[:n])
	complete := !b.done && (errors.Is(err, io.EOF) || b.length > 0 && b.seen.size == b.length)
	b.done = b.done || complete
	b.mu.Unlock()
	if complete {
		b.check(&b.seen)
	}
	return n, err
}
