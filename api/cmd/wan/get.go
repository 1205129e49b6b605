package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

type getOptions struct {
	*console
	connection

	args []string
	json bool
}

func newGet(c *console) *cobra.Command {
	o := &getOptions{console: c}
	command := &cobra.Command{
		Use:     "get ID...",
		Short:   "Print the status of generations",
		GroupID: "jobs",
		Long: "Poll generations once each and print their status. The ID - reads further IDs from standard input, LAST is the last " +
			"one of wan jobs. The exit code is 0 whatever the status, also that of a failed generation. Errors have the exit codes " +
			"of wan wait.",
		Annotations: tail(environment),
		Example:     "  wan get ID\n  wan get ID --json | jq -r .outcome",
		Args:        someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.args = args
			return runGet(cmd.Context(), o)
		},
	}
	command.Flags().BoolVar(&o.json, "json", false, jsonUsage)
	o.add(command.Flags())
	return command
}

func runGet(ctx context.Context, o *getOptions) error {
	ids, err := o.readIDs(ctx, o.args)
	if err != nil {
		return err
	}
	if i := slices.Index(ids, "LAST"); i >= 0 {
		last, err := o.last()
		if err != nil {
			return err
		}
		ids[i], o.baseURL = last.ID, cmp.Or(o.baseURL, last.BaseURL)
	}
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	var worst error
	for _, id := range ids {
		err := o.get(ctx, client, id, len(ids) > 1)
		if err != nil && len(ids) > 1 {
			o.printError(err)
			err = &printedError{err}
		}
		if exitCode(err) > exitCode(worst) {
			worst = err
		}
	}
	return worst
}

// get prints one generation, with its id if it is one of several.
func (o *getOptions) get(ctx context.Context, client *api.Client, id string, several bool) error {
	r := result{ID: id, Outcome: outcomes[exitRunning].name}
	g, err := client.Job(id).Poll(ctx)
	if err != nil {
		o.printBody(o.stderr, err)
		if r.conclude(err); o.json && r.Outcome != "" {
			if writeErr := r.write(o.stdout, true, false); writeErr != nil {
				err = fmt.Errorf("%w; print the result: %w", err, writeErr)
			}
		}
		return err
	}
	r.Status = g.Status
	text := redact.Line(string(g.Status))
	switch {
	case g.Video != nil:
		r.setVideo(g.Video)
		r.conclude(nil)
		text += " " + r.URL
	case g.Failure != nil:
		r.conclude(g.Failure)
		text = describe(string(g.Status), g.Failure)
	}
	if o.json {
		return r.write(o.stdout, true, false)
	}
	if several {
		text = id + "\t" + text
	}
	return printLine(o.stdout, text)
}

// describe is a line about a failed generation.
func describe(status string, failure *api.FailedError) string {
	parts := []string{status, failure.Name, failure.Message}
	return redact.Line(strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ": "))
}
