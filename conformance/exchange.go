package conformance

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// An exchange is an API request and its response.
type exchange struct {
	transport *Transport
	operation string
	server    string
	id        string // of the requested generation
	began     int    // number of endings the transport had seen before

	mu       sync.Mutex
	document *spec.Document // of the submission's model, once known
}

// newExchange returns nil if the request isn't an API request.
func newExchange(t *Transport, r *http.Request) *exchange {
	generation := spec.Generation()
	if !strings.HasSuffix(r.URL.Path, generation.Path) {
		return nil
	}
	x := &exchange{transport: t, server: r.URL.Host + r.URL.Path}
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
	t.mu.Lock()
	defer t.mu.Unlock()
	x.began = len(t.endings)
	return x
}

// request validates the header and arranges for the body to be validated as it is sent. It doesn't change r.
func (x *exchange) request(r *http.Request) (*http.Request, error) {
	findings := checkHeader(r)
	if x.document != nil && x.id == "" {
		findings = append(findings, violation("?generation_id", "required", "a generation id", "nothing"))
	}
	checked := r.WithContext(r.Context()) // not a clone: the caller may set trailers while the body is read
	if x.document == nil {
		body, err := x.body(r, &findings)
		if err != nil {
			return nil, err
		}
		checked.Body = body
	}
	x.report(findings, 0)
	if refused := violations(findings); x.transport.Strict && refused != nil {
		if checked.Body != nil {
			_ = checked.Body.Close()
		}
		return nil, &StrictError{refused}
	}
	return checked, nil
}

// body returns the body to send. A strict transport validates it now and adds to the findings.
func (x *exchange) body(original *http.Request, findings *[]Finding) (io.ReadCloser, error) {
	body := original.Body
	if body == nil || body == http.NoBody {
		*findings = append(*findings, x.checkSubmission(new(condenser))...)
		return body, nil
	}
	if !x.transport.Strict {
		return &watchedBody{ReadCloser: body, length: original.ContentLength, check: func(c *condenser) {
			x.report(x.checkSubmission(c), 0)
		}}, nil
	}
	var c condenser
	ctx := original.Context()
	stop := context.AfterFunc(ctx, func() { _ = body.Close() }) // ends a read that waits
	spooled, err := spool(body, &c)
	stop()
	_ = body.Close()
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	*findings = append(*findings, x.checkSubmission(&c)...)
	return spooled, nil
}

func (x *exchange) checkSubmission(c *condenser) []Finding {
	if c.overflow {
		return []Finding{tooLong()}
	}
	defer validating()()
	submission, findings := checkSubmission(c.text.Bytes())
	x.mu.Lock()
	defer x.mu.Unlock()
	if submission.Document != nil {
		x.document = submission.Document
	}
	return findings
}

// response validates status code and header, and arranges for the body to be validated as it is read.
func (x *exchange) response(r *http.Response) {
	document, status := x.responder(), r.StatusCode
	findings := checkStatus(document, status)
	known := responseSchema(document, status) != nil
	if known && !wire.IsJSON(r.Header) {
		findings = append(findings, Finding{Grade: Undocumented, Pointer: "Content-Type", Rule: "content-type", Expected: "application/json", Received: receivedType(r.Header)})
	}
	// If net/http has decompressed the body, it has removed the header.
	encoding := r.Header.Get("Content-Encoding")
	plain := encoding == "" || strings.EqualFold(encoding, "identity")
	if !plain {
		findings = append(findings, Finding{Grade: Undocumented, Pointer: "Content-Encoding", Rule: "content-encoding", Expected: "no encoding", Received: "an encoded body, not validated"})
	}
	x.report(findings, status)
	if !known || !plain {
		return
	}
	r.Body = &watchedBody{
		ReadCloser: r.Body,
		length:     r.ContentLength,
		check:      func(c *condenser) { x.report(x.checkBody(document, status, c), status) },
		broken: func(c *condenser) {
			x.report([]Finding{violation("", "whole", "the whole body", fmt.Sprintf("%d bytes, then the end", c.size))}, status)
		},
	}
}

// responder returns the spec that describes the response.
func (x *exchange) responder() *spec.Document {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.document == nil { // no known model: the responses of all specs are alike
		return spec.Models()[0]
	}
	return x.document
}

func (x *exchange) checkBody(document *spec.Document, status int, c *condenser) []Finding {
	if c.overflow {
		return []Finding{tooLong()}
	}
	defer validating()()
	members, findings := checkBody(document, status, c.text.Bytes())
	if members != nil && status < 300 {
		findings = append(findings, x.checkGeneration(members)...)
	}
	return findings
}

func (x *exchange) report(findings []Finding, status int) {
	for i := range findings {
		findings[i].Operation, findings[i].Status = x.operation, status
	}
	x.transport.report(findings)
}

// slots limits the bodies that are decoded at the same time: a decoded body takes many times its size.
var slots = make(chan struct{}, 2)

func validating() (done func()) {
	slots <- struct{}{}
	return func() { <-slots }
}

func tooLong() Finding {
	return Finding{Grade: Undocumented, Rule: "size", Expected: fmt.Sprintf("at most %d bytes without data URIs", maxCondensed), Received: "more, not validated"}
}
