package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
)

// newRequest builds the body from a file, if there is one, and the flags on top of it, and holds it against the
// document.
func newRequest(document *spec.Document, file string, stdin io.Reader, flags *pflag.FlagSet) (map[string]any, error) {
	body := map[string]any{}
	if file != "" {
		if err := readRequest(document, file, stdin, body); err != nil {
			return nil, inputError(fmt.Errorf("--file: %w", err))
		}
	}
	body["model"] = document.Model
	for _, p := range document.Properties() {
		if flag := flags.Lookup(flagName(p.Name)); flag != nil && flag.Changed {
			body[p.Name] = flag.Value.(*property).value()
		}
	}
	var problems []string
	for _, f := range check(body) {
		problems = append(problems, explain(f))
	}
	if problems != nil {
		return nil, inputError(errors.New(strings.Join(problems, "; ")))
	}
	return body, nil
}

// readRequest reads a JSON object, "-" from standard input. As in the flags, a media property may name a local file.
func readRequest(document *spec.Document, file string, stdin io.Reader, body map[string]any) error {
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fmt.Errorf("%s can't be read: %w", file, errors.Unwrap(err))
		}
		defer f.Close()
		stdin = f
	}
	decoder := json.NewDecoder(stdin)
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		return fmt.Errorf("%s holds no JSON object", file)
	}
	if model, ok := body["model"]; ok && model != document.Model {
		return fmt.Errorf("%s is for the model %v, this command for %s", file, model, document.Model)
	}
	for _, p := range document.Properties() {
		switch value := body[p.Name].(type) {
		case string:
			if p.Schema.Format == "uri" {
				body[p.Name] = source(value)
			}
		case []any:
			if p.Schema.Type.Is(openapi3.TypeArray) && p.Schema.Items.Value.Format == "uri" {
				for i := range value {
					if text, ok := value[i].(string); ok {
						value[i] = source(text)
					}
				}
			}
		}
	}
	return nil
}

// source takes what has a scheme for a URL and everything else for a local file.
func source(text string) media.Source {
	if text == "" || strings.HasPrefix(text, "data:") || strings.Contains(text, "://") {
		return api.URL(text)
	}
	return api.File(text)
}

// check sees local files as data URIs of nothing much: what is in them is looked at when they are sent.
func check(body map[string]any) []conformance.Finding {
	encoded, err := json.Marshal(replaceSources(body))
	if err != nil {
		return []conformance.Finding{{Rule: "json", Expected: "JSON", Received: err.Error()}}
	}
	_, findings := conformance.CheckSubmission(encoded)
	return findings
}

func replaceSources(value any) any {
	switch v := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = replaceSources(member)
		}
		return members
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = replaceSources(element)
		}
		return elements
	case media.Source:
		if v.IsLocal() {
			return "data:application/octet-stream;base64,AAAA"
		}
		if v.IsZero() {
			return ""
		}
	}
	return value
}

// explain tells of a finding in the words of the command line.
func explain(f conformance.Finding) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
	if f.Rule == "required" {
		return "--" + flagName(name) + " is required: " + f.Expected
	}
	return fmt.Sprintf("--%s: expected %s, received %s", flagName(name), f.Expected, f.Received)
}

// nameFlag turns what is wrong with a property into what is wrong with its flag.
func nameFlag(err error, flags *pflag.FlagSet) error {
	input := (*api.InputError)(nil)
	if errors.As(err, &input) && flags.Lookup(flagName(input.Property)) != nil {
		return inputError(fmt.Errorf("--%s: %w", flagName(input.Property), input.Err))
	}
	return err
}

// dryRun prints what would be sent, with the data of local files left out.
func dryRun(w io.Writer, document *spec.Document, body map[string]any, flags *pflag.FlagSet) error {
	sent, err := media.NewBody(body, 0)
	if err != nil {
		return nameFlag(err, flags)
	}
	reader := sent.Open()
	defer reader.Close()
	var decoded any
	decoder := json.NewDecoder(reader)
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s\nContent-Type: application/json\nContent-Length: %d\n\n", document.Method, document.Path, sent.Len())
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(withoutData(decoded)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nThe document of %s has nothing against it. Nothing was sent.\n", document.Slug)
	return err
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
