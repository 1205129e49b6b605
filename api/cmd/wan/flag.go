package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

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
