package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/redact"
)

type balanceOptions struct {
	*console
	connection

	json bool
}

func newBalance(c *console) *cobra.Command {
	o := &balanceOptions{console: c}
	command := &cobra.Command{
		Use:         "balance",
		Short:       "Print the balance of the account",
		Annotations: tail(environment),
		GroupID:     "account",
		Args:        cobra.NoArgs,
		RunE:        func(cmd *cobra.Command, _ []string) error { return runBalance(cmd.Context(), o) },
	}
	command.Flags().BoolVar(&o.json, "json", false, `print a JSON object such as {"usd":12.5,"currency":"USD"}`)
	o.add(command.Flags())
	return command
}

func runBalance(ctx context.Context, o *balanceOptions) error {
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	balance, err := client.Balance(ctx)
	if err != nil {
		o.printBody(o.stderr, err)
		return err
	}
	if o.json {
		return json.NewEncoder(o.stdout).Encode(map[string]any{"usd": balance.USD, "currency": balance.Currency})
	}
	return printLine(o.stdout, fmt.Sprintf("%.2f %s", balance.USD, balance.Currency))
}

// estimate is what a request will cost in USD.
func (o *modelOptions) estimate(ctx context.Context, client *api.Client, body map[string]any) (float64, error) {
	estimate, err := client.Estimate(ctx, withDefaults(o.document, body))
	switch {
	case err != nil:
		return 0, fmt.Errorf("no estimate, nothing was submitted: %w", err)
	case estimate.USD == nil:
		return 0, inputError(errors.New("the cost is unknown: " + redact.Line(estimate.Reason)))
	}
	return *estimate.USD, nil
}

// printEstimate prints the estimate instead of submitting.
func (o *modelOptions) printEstimate(ctx context.Context, client *api.Client, body map[string]any) error {
	usd, err := o.estimate(ctx, client, body)
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(o.stdout).Encode(map[string]any{"usd": usd})
	}
	return printLine(o.stdout, fmt.Sprintf("$%.2f", usd))
}

// checkCost refuses a request that may cost more than --max-usd, or more than the balance.
func (o *modelOptions) checkCost(ctx context.Context, client *api.Client, body map[string]any) error {
	usd, err := o.estimate(ctx, client, body)
	if err != nil {
		return fmt.Errorf("--max-usd: %w", err)
	}
	if usd > o.maxUSD {
		return inputError(fmt.Errorf("--max-usd: the estimate is $%.2f", usd))
	}
	balance, err := client.Balance(ctx)
	if err != nil {
		return fmt.Errorf("--max-usd: no balance, nothing was submitted: %w", err)
	}
	if balance.USD < usd {
		return inputError(fmt.Errorf("the estimate is $%.2f, the balance $%.2f", usd, balance.USD))
	}
	return nil
}

// withDefaults adds the documented defaults of the properties that the price may depend on.
func withDefaults(document *spec.Document, body map[string]any) map[string]any {
	all := maps.Clone(body)
	for _, p := range document.Properties() {
		if _, ok := body[p.Name]; !ok && p.Schema.Default != nil {
			all[p.Name] = p.Schema.Default
		}
	}
	return all
}
