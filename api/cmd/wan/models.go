package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/spec"
)

// A model is an element of wan models --json.
type model struct {
	Slug        string      `json:"slug"`
	Model       string      `json:"model"`
	Description string      `json:"description"`
	Parameters  []parameter `json:"parameters"`
}

type parameter struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Format      string   `json:"format,omitempty"`
	Required    bool     `json:"required"`
	Default     any      `json:"default,omitempty"`
	Minimum     *float64 `json:"minimum,omitempty"`
	Maximum     *float64 `json:"maximum,omitempty"`
	MaxItems    *uint64  `json:"max_items,omitempty"`
	Enum        []any    `json:"enum,omitempty"`
	Description string   `json:"description"`
}

type modelsOptions struct {
	*console

	connection

	names  []string
	json   bool
	prices bool
}

func newModels(c *console) *cobra.Command {
	o := &modelsOptions{console: c}
	command := &cobra.Command{
		Use:               "models [MODEL...]",
		Short:             "List the models and their parameters",
		GroupID:           "account",
		Example:           "  wan models\n  wan models vace-fun-pose --json",
		ValidArgsFunction: completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			return runModels(cmd.Context(), o)
		},
	}
	command.Flags().BoolVar(&o.json, "json", false, "print a JSON array")
	command.Flags().BoolVar(&o.prices, "prices", false, "ask the API for the prices, and print only them")
	o.add(command.Flags())
	return command
}

func completeModels(*cobra.Command, []string, string) (slugs []string, _ cobra.ShellCompDirective) {
	for _, m := range summaries() {
		slugs = append(slugs, m.slug)
	}
	return slugs, cobra.ShellCompDirectiveNoFileComp
}

// documents are the specs of the models that the arguments name by slug or id, or of all.
func (o *modelsOptions) documents() ([]*spec.Document, error) {
	if len(o.names) == 0 {
		return spec.Models(), nil
	}
	var documents []*spec.Document
	for _, name := range o.names {
		document, ok := modelOf(name)
		if !ok {
			return nil, inputError(fmt.Errorf("unknown model %.60q%s", name, didYouMean(name, func(yield func(string) bool) {
				for _, m := range summaries() {
					if !yield(m.slug) {
						return
					}
				}
			})))
		}
		documents = append(documents, document)
	}
	return documents, nil
}

func runModels(ctx context.Context, o *modelsOptions) error {
	documents, err := o.documents()
	if err != nil {
		return err
	}
	if o.prices {
		return printPrices(ctx, o, documents)
	}
	if o.json {
		encoder := json.NewEncoder(o.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(models(documents))
	}
	w := bufio.NewWriter(o.stdout)
	printModels(w, documents, terminalWidth(o.stdout))
	return w.Flush()
}

func printModels(w io.Writer, documents []*spec.Document, width int) {
	for i, document := range documents {
		if i > 0 {
			fmt.Fprintln(w)
		}
		heading := document.Slug + "  (" + document.Model + ")"
		if len(heading) > width {
			heading = document.Slug + "\n" + document.Model
		}
		fmt.Fprintln(w, heading)
		printText(w, "  "+document.OpenAPI.Info.Description, width)
		for _, p := range document.Properties() {
			if p.Name != "model" {
				printItem(w, "    ", p.Name, spec.Describe(p.Schema)+remark(p), width)
			}
		}
	}
}

func models(documents []*spec.Document) []model {
	var all []model
	for _, document := range documents {
		m := model{Slug: document.Slug, Model: document.Model, Description: document.OpenAPI.Info.Description}
		for _, p := range document.Properties() {
			m.Parameters = append(m.Parameters, newParameter(p))
		}
		all = append(all, m)
	}
	return all
}

func newParameter(p spec.Property) parameter {
	format := p.Schema.Format
	if p.Schema.Type.Is(openapi3.TypeArray) {
		format = p.Schema.Items.Value.Format
	}
	return parameter{
		Name:        p.Name,
		Type:        p.Schema.Type.Slice()[0],
		Format:      format,
		Required:    p.Required,
		Default:     p.Schema.Default,
		Minimum:     p.Schema.Min,
		Maximum:     p.Schema.Max,
		MaxItems:    p.Schema.MaxItems,
		Enum:        p.Schema.Enum,
		Description: p.Schema.Description,
	}
}
