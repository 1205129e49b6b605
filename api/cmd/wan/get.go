package main

import (
	"cmp"
	"context"
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
	ids, _, err := o.readIDs(ctx, o.args, &o.connection)
	if err != nil {
		return err
	}
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	generations, errs := make([]*api.Generation, len(ids)), make([]error, len(ids))
	each(len(ids), 16, func(i int) { generations[i], errs[i] = client.Job(ids[i]).Poll(ctx) })
	for i, id := range ids {
		errs[i] = o.print(id, generations[i], errs[i], len(ids) > 1)
		if errs[i] != nil && len(ids) > 1 {
			o.printError(errs[i])
			errs[i] = &printedError{errs[i]}
		}
	}
	return worst(errs)
}

// worst is the error with the highest exit code.
func worst(errs []error) error {
	return slices.MaxFunc(errs, func(a, b error) int { return cmp.Compare(exitCode(a), exitCode(b)) })
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
		return r.writeError(o.stdout, o.json, err)
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
