package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
)

// A dryRun is a transport that keeps the request, so that --dry-run shows what the client would send.
type dryRun struct {
	request *http.Request
	body    map[string]any
}

// A dryRunError tells the client that nothing was sent.
type dryRunError struct{ err error }

func (e *dryRunError) Error() string { return fmt.Sprint(e.err) }

func (e *dryRunError) Unwrap() error { return e.err }

func (e *dryRunError) NotSent() bool { return true }

func (d *dryRun) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	d.request = r
	return nil, &dryRunError{decoder.Decode(&d.body)}
}

func runDryRun(ctx context.Context, o *modelOptions, body map[string]any) error {
	d := &dryRun{}
	o.transport = d
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	_, err = client.Submit(ctx, body, api.WithClientRequestID(o.requestID))
	if refusal, ok := errors.AsType[*dryRunError](err); !ok || refusal.err != nil {
		return err
	}
	shown, _ := spec.MapMedia(o.document.Request(), "", d.body, shorten)
	if !o.json {
		d.writeHeader(o.stdout)
	}
	if err := printIndented(o.stdout, shown); err != nil {
		return err
	}
	verdict := "The request conforms to the spec of " + o.document.Slug + "."
	switch findings := validate(o.document, body); {
	case len(findings) > 0:
		verdict = "The request doesn't conform to the spec of " + o.document.Slug + ": " + explain(findings[0]) + "."
	case unknownProperty(o.document, body) != nil:
		verdict = "The spec of " + o.document.Slug + " doesn't list all properties of the request."
	}
	fmt.Fprintln(o.stderr, verdict+" Nothing was submitted.")
	return nil
}

func (d *dryRun) writeHeader(w io.Writer) {
	fmt.Fprintf(w, "%s %s\nContent-Length: %d\n", d.request.Method, d.request.URL, d.request.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(d.request.Header)) {
		value := d.request.Header.Get(name)
		if name == "Authorization" {
			value = "Bearer ..."
		}
		fmt.Fprintf(w, "%s: %s\n", name, value)
	}
	fmt.Fprintln(w)
}

// shorten cuts the data of a data URI.
func shorten(_ string, value any) (any, error) {
	text, _ := value.(string)
	if head, data, ok := strings.Cut(text, ","); ok && media.IsDataURI(text) {
		return fmt.Sprintf("%s,... (%d characters)", head, len(data)), nil
	}
	return value, nil
}
