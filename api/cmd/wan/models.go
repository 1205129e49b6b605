package main

import (
	"bufio"
	"encoding/json"
	"fmt"

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

	json bool
}

func newModels(c *console) *cobra.Command {
	o := &modelsOptions{console: c}
	command := &cobra.Command{
		Use:   "models",
		Short: "List the models and their parameters",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return runModels(o) },
	}
	command.Flags().BoolVar(&o.json, "json", false, "print a JSON array")
	return command
}

func runModels(o *modelsOptions) error {
	if o.json {
		encoder := json.NewEncoder(o.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(models())
	}
	w := bufio.NewWriter(o.stdout)
	for i, document := range spec.Models() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  (%s)\n  %s\n", document.Slug, document.Model, document.OpenAPI.Info.Description)
		for _, p := range document.Properties() {
			fmt.Fprintf(w, "    %-30s %s%s\n", p.Name, spec.Describe(p.Schema), remark(p))
		}
	}
	return w.Flush()
}

func models() []model {
	var all []model
	for _, document := range spec.Models() {
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
