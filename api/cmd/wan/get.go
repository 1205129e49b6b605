package main

import (
	"context"
	"errors"
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

	id   string
	json bool
}

func newGet(c *console) *cobra.Command {
	o := &getOptions{console: c}
	command := &cobra.Command{
		Use:     "get ID",
		Short:   "Print the status of a generation",
		GroupID: "jobs",
		Long: "Poll a generation once and print its status. The exit code is 0 whatever the status, also that of a failed generation.\n" +
			"Errors have the exit codes of wan wait.",
		Annotations: tail(environment),
		Example:     "  wan get ID\n  wan get ID --json | jq -r .outcome",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one generation at a time, not %d", len(args))
			}
			return someIDs(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			return runGet(cmd.Context(), o)
		},
	}
	command.Flags().BoolVar(&o.json, "json", false, jsonUsage)
	o.connection.add(command.Flags())
	return command
}

func runGet(ctx context.Context, o *getOptions) error {
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	r := result{ID: o.id, Outcome: outcomes[exitRunning].name}
	g, err := client.Job(o.id).Poll(ctx)
	if err != nil {
		if r.conclude(err); o.json && r.Outcome != "" {
			err = errors.Join(err, r.write(o.stdout, true))
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
		return r.write(o.stdout, true)
	}
	_, err = fmt.Fprintln(o.stdout, text)
	return err
}

// describe is a line about a failed generation.
func describe(status string, failure *api.FailedError) string {
	parts := []string{status, failure.Name, failure.Message}
	return redact.Line(strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ": "))
}
