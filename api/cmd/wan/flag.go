package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// A property is the value of a flag that stands for a property of the request.
type property struct {
	schema *openapi3.Schema
	values []string
}

func (p *property) String() string { return strings.Join(p.values, ", ") }

// Type is what the help shows behind the flag's name.
func (p *property) Type() string {
	schema := p.schema
	if schema.Type.Is(openapi3.TypeArray) {
		schema = schema.Items.Value
	}
	if schema.Format == "uri" {
		if p.schema.MaxItems != nil {
			return fmt.Sprintf("URL|FILE, up to %d times", *p.schema.MaxItems)
		}
		return "URL|FILE"
	}
	if p.schema.Type.Is(openapi3.TypeBoolean) {
		return "[=false]"
	}
	return strings.NewReplacer("an ", "", "a ", "", "one of ", "", ", ", "|").Replace(conformance.Describe(p.schema))
}

// Set keeps the text. The document judges all values together, when the request is complete.
func (p *property) Set(text string) error {
	if !p.schema.Type.Is(openapi3.TypeArray) {
		p.values = nil
	}
	p.values = append(p.values, text)
	return nil
}

// value is the text as JSON. What isn't of the property's type stays a text, and the document tells so.
func (p *property) value() any {
	if p.schema.Type.Is(openapi3.TypeArray) {
		values := make([]any, len(p.values))
		for i, text := range p.values {
			values[i] = scalar(p.schema.Items.Value, text)
		}
		return values
	}
	return scalar(p.schema, p.values[0])
}

func scalar(schema *openapi3.Schema, text string) any {
	if schema.Format == "uri" && text != "" {
		if strings.HasPrefix(text, "data:") || strings.Contains(text, "://") {
			return api.URL(text)
		}
		return api.File(text)
	}
	if schema.Type.Is(openapi3.TypeString) {
		return text
	}
	var value any
	if json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return json.RawMessage(text) // a float64 would round a long seed
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
		flag := flags.VarPF(&property{schema: p.Schema}, flagName(p.Name), "", p.Schema.Description)
		if p.Schema.Type.Is(openapi3.TypeBoolean) {
			flag.NoOptDefVal = "true"
		}
	}
	return flags
}

// request builds the body from the flags that were given, and holds it against the document.
func request(document *spec.Document, flags *pflag.FlagSet) (map[string]any, error) {
	body := map[string]any{"model": document.Model}
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
		return nil, inputError(fmt.Errorf("%s", strings.Join(problems, "; ")))
	}
	return body, nil
}

// check sees local files as data URIs of nothing much: what is in them is looked at when they are sent.
func check(body map[string]any) []conformance.Finding {
	encoded, err := json.MarshalIndent(preview(body), "", "  ")
	if err != nil {
		return []conformance.Finding{{Rule: "json", Expected: "JSON", Received: err.Error()}}
	}
	_, findings := conformance.CheckSubmission(encoded)
	return findings
}

// nameFlag turns what is wrong with a property into what is wrong with its flag.
func nameFlag(err error, flags *pflag.FlagSet) error {
	input := (*api.InputError)(nil)
	if errors.As(err, &input) && flags.Lookup(flagName(input.Property)) != nil {
		return inputError(fmt.Errorf("--%s: %w", flagName(input.Property), input.Err))
	}
	return err
}

func explain(f conformance.Finding) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(f.Pointer, "/"), "/")
	if f.Rule == "required" {
		return "--" + flagName(name) + " is required: " + f.Expected
	}
	return fmt.Sprintf("--%s: expected %s, received %s", flagName(name), f.Expected, f.Received)
}

// usage prints the flags of the model, each as a paragraph, and then those of the command.
func usage(document *spec.Document, request *pflag.FlagSet) func(*cobra.Command) error {
	return func(cmd *cobra.Command) error {
		own := pflag.NewFlagSet("", pflag.ContinueOnError)
		own.SortFlags = false
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if request.Lookup(f.Name) == nil {
				own.AddFlag(f)
			}
		})
		w := cmd.OutOrStdout()
		width := terminalWidth(w)
		fmt.Fprintf(w, "Usage:\n  %s\n\nExample:\n%s\n\nRequest:\n", cmd.UseLine(), cmd.Example)
		for _, p := range document.Properties() {
			if p.Name == "model" {
				continue
			}
			fmt.Fprintf(w, "  --%s %s%s\n", flagName(p.Name), request.Lookup(flagName(p.Name)).Value.Type(), remark(p))
			for _, line := range wrap(p.Schema.Description, width-6) {
				fmt.Fprintf(w, "      %s\n", line)
			}
		}
		_, err := fmt.Fprintf(w, "\nCommand:\n%s", own.FlagUsagesWrapped(width))
		return err
	}
}

// remark is what else the document says about a property's value.
func remark(p spec.Property) string {
	text := fmt.Sprint(p.Schema.Default)
	switch {
	case p.Required:
		return " (required)"
	case p.Schema.Default == nil:
		return ""
	case len(text) > 60:
		text = strings.ToValidUTF8(text[:60], "")
		if i := strings.LastIndex(text, " "); i > 0 {
			text = text[:i]
		}
		text += " ..."
	}
	return " (default " + text + ")"
}

func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line += " " + word
		line = strings.TrimPrefix(line, " ")
	}
	return append(lines, line)
}
