package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
)

// request builds the body from --file and the flags, which override it, and validates it against the spec. A property
// that the spec doesn't list is probably misspelled and would cost an unwanted video, so --allow-unknown has to allow it.
func (o *modelOptions) request(ctx context.Context) (map[string]any, error) {
	body := map[string]any{}
	if o.file != "" {
		text, err := o.readAll(ctx, o.file)
		if ctx.Err() != nil {
			return nil, err
		}
		if err == nil {
			body, err = parseRequest(o.document, text)
		}
		if err == nil && !o.allowUnknown && !o.noValidate {
			err = unknownProperty(o.document, body)
		}
		if err != nil {
			return nil, inputError(fmt.Errorf("--file: %s: %w", o.file, pathCause(err)))
		}
	}
	body["model"] = o.document.Model
	if err := o.readPrompt(ctx, body); err != nil {
		return nil, err
	}
	problems, err := o.setProperties(ctx, body)
	if err != nil {
		return nil, err
	}
	if !o.noValidate {
		for _, f := range validate(body) {
			problems = append(problems, explain(f))
		}
	}
	if problems != nil {
		return nil, inputError(errors.New(strings.Join(problems, "; ")))
	}
	return body, nil
}

// setProperties sets the properties that have flags, and returns what is wrong with them. The error is the context's.
func (o *modelOptions) setProperties(ctx context.Context, body map[string]any) (problems []string, err error) {
	for _, p := range o.document.Properties() {
		name := "--" + flagName(p.Name)
		if flag := o.properties.Lookup(flagName(p.Name)); flag != nil && flag.Changed {
			value := flag.Value.(*property)
			err := o.spool(ctx, value)
			if ctx.Err() != nil {
				return nil, err
			}
			if err == nil {
				body[p.Name], err = value.value()
			}
			if err != nil {
				problems = append(problems, name+": "+err.Error())
				body[p.Name] = media.URL("https://example.com") // so that it isn't reported twice
			}
		}
		if p.Required && body[p.Name] == "" && !o.noValidate { // the spec allows it, but nobody means it
			problems = append(problems, name+" is empty")
		}
	}
	return problems, nil
}

// readPrompt reads --prompt-file.
func (o *modelOptions) readPrompt(ctx context.Context, body map[string]any) error {
	if o.promptFile == "" {
		return nil
	}
	if o.properties.Changed("prompt") {
		return inputError(errors.New("--prompt and --prompt-file exclude each other"))
	}
	text, err := o.readAll(ctx, o.promptFile)
	if err != nil && ctx.Err() == nil {
		return inputError(fmt.Errorf("--prompt-file: %s: %w", o.promptFile, pathCause(err)))
	}
	body["prompt"] = strings.TrimSpace(string(text))
	return err
}

// parseRequest parses a JSON object. As in the flags, a media property may name a local file.
func parseRequest(document *spec.Document, text []byte) (body map[string]any, err error) {
	_, findings := conformance.CheckSubmission(text)
	for _, f := range findings {
		if f.Rule == "json" { // also what encoding/json accepts, such as duplicate members
			return nil, errors.New(f.String())
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil || body == nil {
		return nil, errors.New("not a JSON object")
	}
	if model, ok := body["model"]; ok && model != document.Model {
		return nil, fmt.Errorf("it is for the model %v, this command for %s", model, document.Model)
	}
	for _, p := range document.Properties() {
		switch value := body[p.Name].(type) {
		case string:
			if p.Schema.Format == "uri" {
				body[p.Name], err = media.Parse(value)
			}
		case []any:
			if p.Schema.Type.Is(openapi3.TypeArray) && p.Schema.Items.Value.Format == "uri" {
				for i := range value {
					if text, ok := value[i].(string); ok {
						if value[i], err = media.Parse(text); err != nil {
							break
						}
					}
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return body, nil
}

// inputs are the files of a request.
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

// validate validates a body in which short data URIs stand for local files. The content of files is checked later.
func validate(body map[string]any) []conformance.Finding {
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

// explain describes a finding with the name of the flag.
func explain(f conformance.Finding) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
	f.Expected = strings.ReplaceAll(f.Expected, "a URL or a data URI", "a file, a URL or a data URI")
	if f.Rule == "required" {
		return "--" + flagName(name) + " is required: " + f.Expected
	}
	return fmt.Sprintf("--%s: expected %s, received %s", flagName(name), f.Expected, f.Received)
}

// nameFlag replaces the name of a property by that of its flag.
func nameFlag(err error, flags *pflag.FlagSet) error {
	if input, ok := errors.AsType[*api.InputError](err); ok && flags.Lookup(flagName(input.Property)) != nil {
		return inputError(fmt.Errorf("--%s: %w", flagName(input.Property), input.Err))
	}
	return err
}
