package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A modelPrice is an element of wan models --prices --json.
type modelPrice struct {
	Slug     string `json:"slug"`
	Model    string `json:"model"`
	Kind     string `json:"kind"`
	Currency string `json:"currency,omitempty"`
	Rates    []rate `json:"rates,omitempty"`
}

type rate struct {
	Name  string         `json:"name,omitempty"`
	When  map[string]any `json:"when,omitempty"`
	Price float64        `json:"price"`
	Per   float64        `json:"per"`
	Unit  string         `json:"unit"`
}

func newModelPrice(slug string, p *api.Price) modelPrice {
	m := modelPrice{Slug: slug, Model: p.Model, Kind: p.Kind, Currency: p.Currency}
	for _, r := range slices.Concat(p.Units, p.Variants) {
		m.Rates = append(m.Rates, rate{r.Name, r.When, r.Price, r.Per, r.Unit})
	}
	return m
}

// String is a line such as "0.39 USD per second (resolution 720p)".
func (m modelPrice) String() string {
	if len(m.Rates) == 0 {
		return m.Kind + ", not quoted in advance"
	}
	var texts []string
	for _, r := range m.Rates {
		unit := r.Unit
		if r.Per != 1 {
			unit = fmt.Sprintf("%v %ss", r.Per, r.Unit)
		}
		text := fmt.Sprintf("%v %s per %s", r.Price, cmp.Or(m.Currency, "USD"), unit)
		var when []string
		for _, name := range slices.Sorted(maps.Keys(r.When)) {
			when = append(when, fmt.Sprintf("%s %v", name, r.When[name]))
		}
		if when != nil {
			text += " (" + strings.Join(when, ", ") + ")"
		}
		texts = append(texts, text)
	}
	return redact.Line(strings.Join(texts, "; "))
}

// printPrices prints the price of each model. The catalogue needs no key.
func printPrices(ctx context.Context, o *modelsOptions, documents []*spec.Document) error {
	o.transport = http.DefaultTransport
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	prices := make([]modelPrice, len(documents))
	for i, document := range documents {
		price, err := client.Price(ctx, document.Model)
		if err != nil {
			o.printBody(o.stderr, err)
			return err
		}
		prices[i] = newModelPrice(document.Slug, price)
	}
	if o.json {
		encoder := json.NewEncoder(o.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(prices)
	}
	for _, p := range prices {
		if err := printLine(o.stdout, fmt.Sprintf("%-16s  %s", p.Slug, p)); err != nil {
			return err
		}
	}
	return nil
}
