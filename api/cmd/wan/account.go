package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/api/cmd/internal/login"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
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
		Annotations: help.Tail(environment),
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

func newAuth(c *console) *cobra.Command {
	path, _ := login.Path()
	command := &cobra.Command{
		Use:     "auth",
		Short:   "Keep the API key in a file",
		GroupID: "account",
		Long:    "Keep the API key in " + path + ", which only you can read. AIML_API_KEY wins over it.",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := func(use, short, example string, run func(ctx context.Context, c *console) error) {
		command.AddCommand(&cobra.Command{Use: use, Short: short, Example: example, Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), c) }})
	}
	add("login", "Read the key from the terminal or standard input and keep it", "  wan auth login\n  wan auth login < key.txt", runLogin)
	add("status", "Print where the key comes from", "", runAuthStatus)
	add("logout", "Remove the file with the key", "", runLogout)
	return command
}

func runLogin(ctx context.Context, c *console) error {
	text, err := await(ctx, c.readSecret)
	if err != nil {
		return err
	}
	key, err := wire.CheckKey(text)
	if err == nil && key == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return inputError(fmt.Errorf("API key: %w", err))
	}
	path, err := login.Path()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	_ = os.Remove(path) // a new file has the right permissions from the start
	if err := os.WriteFile(path, []byte(key+"\n"), 0o600); err != nil {
		return err
	}
	return printLine(c.stdout, "saved the key in "+path)
}

// readSecret reads a line without echo on a terminal.
func (c *console) readSecret() (string, error) {
	if f, ok := c.stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(c.stderr, "API key: ")
		key, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(c.stderr)
		return string(key), err
	}
	line, _ := bufio.NewReader(c.stdin).ReadString('\n')
	return line, nil
}

func runAuthStatus(_ context.Context, c *console) error {
	path, err := login.Path()
	switch {
	case wire.Key() != "":
		return printLine(c.stdout, "the key comes from the environment")
	case login.Key() != "":
		return printLine(c.stdout, "the key comes from "+path)
	case err != nil:
		return err
	}
	return inputError(errors.New("no API key: set AIML_API_KEY or run wan auth login"))
}

func runLogout(_ context.Context, c *console) error {
	path, err := login.Path()
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return printLine(c.stdout, "removed "+path)
}
