package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
)

// A dryRun is a transport that keeps the request to itself, so that what is shown is what the client would send.
type dryRun struct {
	request *http.Request
	body    map[string]any
}

// A dryRunError tells the client that nothing has left. It wraps nil, or why the request can't be shown.
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

// show prints the request as it would be sent, but for the key and the data of media, and what the document says of it.
func (d *dryRun) show(cmd *cobra.Command, client *api.Client, document *spec.Document, body map[string]any, asJSON bool, named api.SubmitOption) error {
	_, err := client.Submit(cmd.Context(), body, named)
	if refusal, ok := errors.AsType[*dryRunError](err); !ok || refusal.err != nil {
		return err
	}
	for _, p := range document.Properties() {
		if p.Schema.Format == "uri" || p.Schema.Items != nil && p.Schema.Items.Value.Format == "uri" {
			if value, ok := d.body[p.Name]; ok {
				d.body[p.Name] = withoutData(value)
			}
		}
	}
	verdict := "has nothing against it"
	if unknownProperty(document, body) != nil {
		verdict = "doesn't list all of its properties"
	}
	defer fmt.Fprintf(cmd.ErrOrStderr(), "The document of %s %s. Nothing was sent.\n", document.Slug, verdict)
	w := cmd.OutOrStdout()
	if !asJSON {
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
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(d.body)
}

// withoutData shortens data URIs.
func withoutData(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = withoutData(v[i])
		}
	case string:
		if head, data, ok := strings.Cut(v, ","); ok && isDataURI(v) {
			return fmt.Sprintf("%s,... (%d characters)", head, len(data))
		}
	}
	return value
}
