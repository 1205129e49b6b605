package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/redact"
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
		o.inputs = append(o.inputs, o.file)
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
		for _, f := range validate(o.document, body) {
			problems = append(problems, explain(f))
		}
	}
	if problems != nil {
		return nil, inputError(errors.New(strings.Join(problems, "; ")))
	}
	return body, nil
}

// setProperties sets the properties that have flags, parses media, and returns what is wrong. The error is the context's.
func (o *modelOptions) setProperties(ctx context.Context, body map[string]any) (problems []string, err error) {
	for _, p := range o.document.Properties() {
		name := "--" + flagName(p.Name)
		if flag := o.properties.Lookup(flagName(p.Name)); flag != nil && flag.Changed {
			body[p.Name] = flag.Value.(*property).value()
		}
		if value, ok := body[p.Name]; ok {
			body[p.Name], err = spec.MapMedia(p.Schema, p.Name, value, func(property string, value any) (any, error) {
				source, err := o.parseMedia(ctx, property, value)
				if err == nil || ctx.Err() != nil {
					return source, err
				}
				problems = append(problems, name+": "+err.Error())
				return "https://example.com", nil // so that it isn't reported twice
			})
			if err != nil {
				return nil, err
			}
		}
		if p.Required && body[p.Name] == "" && !o.noValidate { // the spec allows it, but nobody means it
			problems = append(problems, name+" is empty")
		}
	}
	return problems, nil
}

// parseMedia makes a source of a text. The client checks files, too, but only one at a time.
func (o *modelOptions) parseMedia(ctx context.Context, name string, value any) (any, error) {
	text, ok := value.(string)
	if !ok {
		return value, nil
	}
	source, err := o.source(ctx, text)
	if err != nil || !source.IsLocal() {
		return source, err
	}
	o.inputs = append(o.inputs, source.String())
	content, err := source.Inspect(o.maxMedia << 20)
	if err == nil {
		err = content.CheckKind(name)
	}
	if err != nil {
		// It may be base64 instead of a path.
		err = fmt.Errorf("%s: %w", redact.Cut(new(redact.Redactor).String(source.String()), 255), err)
	}
	return source, err
}

// source returns the media that a text names. Standard input and pipes are copied into a temporary file, since the size
// and the type have to be known in advance.
func (o *modelOptions) source(ctx context.Context, text string) (media.Source, error) {
	source, err := media.Parse(text)
	if err != nil || !source.IsLocal() {
		return source, err
	}
	if info, err := os.Stat(source.String()); text != "-" && (err != nil || info.Mode()&fs.ModeNamedPipe == 0) {
		return source, nil //nolint:nilerr // the client reports a file that it can't read
	}
	f, err := os.CreateTemp("", "wan-media-*")
	if err != nil {
		return source, err
	}
	o.spooled = append(o.spooled, f.Name())
	n, err := await(ctx, func() (int64, error) {
		defer f.Close()
		if text == "-" {
			return io.Copy(f, io.LimitReader(o.stdin, o.maxMedia<<20+1))
		}
		pipe, err := os.Open(source.String())
		if err != nil {
			return 0, err
		}
		defer pipe.Close()
		return io.Copy(f, io.LimitReader(pipe, o.maxMedia<<20+1))
	})
	if err == nil && n > o.maxMedia<<20 {
		err = fmt.Errorf("more than the %d MiB of --max-media", o.maxMedia)
	}
	return media.File(f.Name()), err
}

func (o *modelOptions) removeSpooled() {
	for _, name := range o.spooled {
		_ = os.Remove(name)
	}
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

// parseRequest parses a JSON object.
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
	return body, nil
}

// validate validates a body in which short data URIs stand for local files. The content of files is checked later.
func validate(document *spec.Document, body map[string]any) []conformance.Finding {
	shown, _ := spec.MapMedia(document.Request(), "", body, standIn)
	encoded, err := json.Marshal(shown)
	if err != nil {
		return []conformance.Finding{{Rule: "json", Expected: "JSON", Received: err.Error()}}
	}
	_, findings := conformance.CheckSubmission(encoded)
	return findings
}

func standIn(_ string, value any) (any, error) {
	source, ok := value.(media.Source)
	switch {
	case ok && source.IsLocal():
		return "data:application/octet-stream;base64,AAAA", nil
	case ok && source.IsZero():
		return "", nil
	}
	return value, nil
}

// explain describes a finding with the name of the flag.
func explain(f conformance.Finding) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
	f.Expected = strings.ReplaceAll(f.Expected, "a URL or a data URI", "a file, a URL or a data URI")
	if name == "" {
		return "expected " + f.Expected
	}
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

// A property is the value of the flag of a request property.
type property struct {
	spec.Property

	usage  string
	values []string
}

func (p *property) String() string { return strings.Join(p.values, ", ") }

// Type is what the help shows after the flag's name.
func (p *property) Type() string {
	if spec.IsMedia(p.Schema) {
		if p.Schema.MaxItems != nil {
			return fmt.Sprintf("FILE|URL, up to %d times", *p.Schema.MaxItems)
		}
		return "FILE|URL"
	}
	if p.Schema.Type.Is(openapi3.TypeBoolean) {
		return "true|false"
	}
	return strings.NewReplacer("an ", "", "a ", "", "one of ", "", ", ", "|").Replace(spec.Describe(p.Schema))
}

// Set keeps the text. The request is validated when it is complete.
func (p *property) Set(text string) error {
	if !p.Schema.Type.Is(openapi3.TypeArray) {
		p.values = nil
	}
	p.values = append(p.values, text)
	return nil
}

// value is the text as JSON. Text of another type stays text, which the validation reports.
func (p *property) value() any {
	if !p.Schema.Type.Is(openapi3.TypeArray) {
		return scalar(p.Schema, p.values[0])
	}
	values := make([]any, len(p.values))
	for i, text := range p.values {
		values[i] = scalar(p.Schema.Items.Value, text)
	}
	return values
}

func scalar(schema *openapi3.Schema, text string) any {
	var value any
	if schema.Type.Is(openapi3.TypeString) || json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	if _, ok := value.(float64); ok {
		return json.Number(strings.TrimSpace(text)) // a float64 would round a long seed
	}
	return value
}

func flagName(property string) string { return strings.ReplaceAll(property, "_", "-") }

// requestFlags makes one flag for each property of the model.
func requestFlags(document *spec.Document) *pflag.FlagSet {
	flags := pflag.NewFlagSet(document.Slug, pflag.ContinueOnError)
	flags.SortFlags = false
	for _, p := range document.Properties() {
		if p.Name == "model" {
			continue
		}
		usage := flagNames(document, p.Schema.Description)
		flag := flags.VarPF(&property{Property: p, usage: usage}, flagName(p.Name), "", usage)
		if p.Schema.Type.Is(openapi3.TypeBoolean) {
			flag.NoOptDefVal = "true"
		}
	}
	return flags
}
