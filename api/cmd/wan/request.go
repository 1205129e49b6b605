package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
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
//
// A property that the document doesn't list is probably misspelled, and would cost a video that isn't the one that was
// meant. It goes along only if it is allowed.
func newRequest(document *spec.Document, file string, unlisted bool, stdin io.Reader, flags *pflag.FlagSet) (map[string]any, error) {
	body := map[string]any{}
	if file != "" {
		err := readRequest(document, file, stdin, body)
		if err == nil && !unlisted {
			err = unknownProperty(document, body)
		}
		if err != nil {
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
	for _, p := range document.Properties() {
		if p.Required && body[p.Name] == "" { // as the document allows, but nobody means
			problems = append(problems, "--"+flagName(p.Name)+" is empty")
		}
	}
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
	text, err := io.ReadAll(stdin)
	if err != nil {
		return err
	}
	_, findings := conformance.CheckSubmission(text)
	for _, f := range findings {
		if f.Rule == "json" { // among them what encoding/json passes over, such as members that stand twice
			return fmt.Errorf("%s: %s", file, f)
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil || body == nil {
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

// inputs are the files that a request is made of.
func inputs(body map[string]any, file string) []string {
	paths := []string{file}
	for _, value := range body {
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		for _, element := range list {
			if source, ok := element.(media.Source); ok && source.IsLocal() {
				paths = append(paths, source.String())
			}
		}
	}
	return paths
}

// source takes what has a scheme for a URL and everything else for a local file.
func source(text string) media.Source {
	if u, err := url.Parse(text); err == nil && u.Scheme == "file" {
		return api.File(u.Path)
	}
	if text == "" || isDataURI(text) || strings.Contains(text, "://") {
		return api.URL(text)
	}
	return api.File(text)
}

func isDataURI(text string) bool {
	const scheme = "data:"
	return len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme)
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
	f.Expected = strings.ReplaceAll(f.Expected, "a URL or a data URI", "a file, a URL or a data URI")
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
