package main

import (
	"context"
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
	body    any
}

// errDryRun tells the client that nothing has left.
var errDryRun = dryRunError{errors.New("nothing was sent")}

type dryRunError struct{ error }

func (dryRunError) NotSent() bool { return true }

func (d *dryRun) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&d.body); err != nil {
		return nil, err
	}
	d.body = withoutData(d.body)
	d.request = r
	return nil, errDryRun
}

// show prints the request as it would be sent, but for the key and the data of media, and what the document says of it.
func (d *dryRun) show(ctx context.Context, cmd *cobra.Command, client *api.Client, document *spec.Document, body map[string]any, asJSON bool, opts []api.SubmitOption) error {
	if _, err := client.Submit(ctx, body, opts...); !errors.Is(err, errDryRun) {
		return err
	}
	verdict := "has nothing against it"
	if err := unknownProperty(document, body); err != nil {
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

func withoutData(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			v[name] = withoutData(v[name])
		}
	case []any:
		for i := range v {
			v[i] = withoutData(v[i])
		}
	case string:
		if head, data, ok := strings.Cut(v, ","); ok && strings.HasPrefix(v, "data:") {
			return fmt.Sprintf("%s,... (%d characters)", head, len(data))
		}
	}
	return value
}
