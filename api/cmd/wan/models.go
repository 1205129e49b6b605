package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec"
)

// summaries reads the slugs and the descriptions of the models. To load the specs would take most of the time of a start.
var summaries = sync.OnceValues(func() (slugs, descriptions []string) {
	names, err := fs.Glob(spec.Files, "*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for _, name := range names {
		text, err := fs.ReadFile(spec.Files, name)
		if err != nil {
			panic(err) // the files are part of the program
		}
		head, _, _ := strings.Cut(string(text), "\nservers:")
		var document struct{ Info struct{ Description string } }
		if strings.Contains(string(text), "operationId: submitGeneration") && yaml.Unmarshal([]byte(head), &document) == nil {
			slugs = append(slugs, strings.TrimSuffix(name, ".yaml"))
			descriptions = append(descriptions, document.Info.Description)
		}
	}
	return slugs, descriptions
})

// modelOf is the model that an argument names by its slug or its id.
func modelOf(arg string) (*spec.Document, bool) {
	if strings.Contains(arg, "/") {
		return spec.ByModel(arg)
	}
	if slugs, _ := summaries(); slices.Contains(slugs, arg) {
		return spec.BySlug(arg)
	}
	return nil, false
}

// A model is an element of wan models --json. Its parameters are the schemas of the spec, with name and required.
type model struct {
	Slug        string           `json:"slug"`
	Model       string           `json:"model"`
	Description string           `json:"description"`
	Parameters  []map[string]any `json:"parameters"`
}

// A modelPrice is an element of wan models --prices --json.
type modelPrice struct {
	*api.Price

	Slug string `json:"slug"`
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
		Use:     "models [MODEL...]",
		Short:   "List the models and their parameters",
		GroupID: "account",
		Example: "  wan models\n  wan models vace-fun-pose --json",
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			slugs, _ := summaries()
			return slugs, cobra.ShellCompDirectiveNoFileComp
		},
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

func runModels(ctx context.Context, o *modelsOptions) error {
	documents := spec.Models()
	for i, name := range o.names {
		document, ok := modelOf(name)
		if !ok {
			slugs, _ := summaries()
			return inputError(fmt.Errorf("unknown model %.60q%s", name, cmp.Or(didYouMean(name, slugs), "; the models are "+strings.Join(slugs, ", "))))
		}
		documents = append(documents[:i:i], document)
	}
	if o.prices {
		return printPrices(ctx, o, documents)
	}
	if o.json {
		all, err := models(documents)
		if err != nil {
			return err
		}
		return printIndented(o.stdout, all)
	}
	w := bufio.NewWriter(o.stdout)
	printModels(w, documents, terminalWidth(o.stdout))
	return w.Flush()
}

func printIndented(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
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
		help.Text(w, "  "+document.OpenAPI.Info.Description, width)
		for _, p := range document.Properties() {
			if p.Name != "model" {
				help.Item(w, "    ", p.Name, spec.Describe(p.Schema)+remark(p), width)
			}
		}
	}
}

// printPrices prints the price of each model. The catalogue needs no key.
func printPrices(ctx context.Context, o *modelsOptions, documents []*spec.Document) error {
	o.transport = http.DefaultTransport
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	var prices []modelPrice
	for _, document := range documents {
		price, err := client.Price(ctx, document.Model)
		if err != nil {
			o.printBody(o.stderr, err)
			return err
		}
		prices = append(prices, modelPrice{price, document.Slug})
	}
	if o.json {
		return printIndented(o.stdout, prices)
	}
	for _, p := range prices {
		if err := printLine(o.stdout, fmt.Sprintf("%-20s  %s", p.Slug, p.Price)); err != nil {
			return err
		}
	}
	return nil
}

func models(documents []*spec.Document) (all []model, err error) {
	for _, document := range documents {
		m := model{Slug: document.Slug, Model: document.Model, Description: document.OpenAPI.Info.Description}
		for _, p := range document.Properties() {
			parameter := map[string]any{}
			encoded, err := json.Marshal(p.Schema)
			if err == nil {
				err = json.Unmarshal(encoded, &parameter)
			}
			if err != nil {
				return nil, err
			}
			parameter["name"], parameter["required"] = p.Name, p.Required
			m.Parameters = append(m.Parameters, parameter)
		}
		all = append(all, m)
	}
	return all, nil
}
