package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

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
	polls := make([]chan poll, len(ids)) // printed in the order of the arguments
	for i := range polls {
		polls[i] = make(chan poll, 1)
	}
	go each(len(ids), 16, func(i int) {
		g, err := client.Job(ids[i]).Poll(ctx)
		polls[i] <- poll{g, err}
	})
	var worst error
	for i, id := range ids {
		p := <-polls[i]
		err := o.print(id, p.generation, p.err, len(ids) > 1)
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

type poll struct {
	generation *api.Generation
	err        error
}

// each calls f for each index below n, at most limit at once, and returns when all calls have.
func each(n, limit int, f func(i int)) {
	slots := make(chan struct{}, limit)
	var calls sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		calls.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	calls.Wait()
}

// print prints one generation, with its id if it is one of several.
func (o *getOptions) print(id string, g *api.Generation, err error, several bool) error {
	r := result{ID: id, Outcome: outcomes[exitRunning].name}
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
