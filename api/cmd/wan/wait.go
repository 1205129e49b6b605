package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec/redact"
)

type waitOptions struct {
	*console
	connection
	output

	args        []string
	concurrency int
}

func newWait(c *console) *cobra.Command {
	o := &waitOptions{console: c}
	command := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait for generations and save their videos",
		Long: "Wait for generations that were submitted before, here or elsewhere, and save their videos. " +
			"The ID - reads further IDs from standard input, LAST is the last one of wan jobs. Several generations are awaited " +
			"at the same time; the output is then ID<TAB>FILE or ID<TAB>URL, in the order of completion. " +
			"If {id} is in the name of -o, the same command run again skips the videos that are saved already.",
		Annotations: help.Tail(environment, exitCodes()),
		GroupID:     "jobs",
		Example:     "  wan wait ID -o out.mp4\n  wan wait - -o '{id}.mp4' < ids.txt",
		Args:        someIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.args = args
			return runWait(cmd.Context(), o)
		},
	}
	o.output.add(command.Flags())
	command.Flags().IntVar(&o.concurrency, "concurrency", 32, "how many generations to await at the same time")
	o.connection.add(command.Flags())
	o.addDownload(command.Flags())
	return command
}

// someIDs is the check of commands that take generation ids.
func someIDs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errors.New("which generation? wan " + cmd.Name() + " ID")
	}
	return nil
}

func runWait(ctx context.Context, o *waitOptions) error {
	ids, last, err := o.readIDs(ctx, o.args, &o.connection)
	if err == nil && last.Output != "" && len(ids) == 1 && !o.output.flags.Changed("output") {
		err = o.output.flags.Set("output", last.Output)
	}
	if err != nil {
		return err
	}
	if o.concurrency < 1 {
		return inputError(fmt.Errorf("--concurrency: %d is less than 1", o.concurrency))
	}
	if err := o.check("", ids); err != nil {
		return err
	}
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	progress := newProgress(o.stderr, o.quiet)
	defer progress.stop()
	progress.expect(len(ids))
	o.notice = progress.line
	journal := openJournal(o.console, false)
	ctx, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	finishes, errs := make([]*finish, len(ids)), make([]error, len(ids))
	each(len(ids), o.concurrency, func(i int) {
		name := ids[i]
		if len(ids) == 1 {
			name = ""
		}
		finishes[i] = &finish{console: o.console, output: &o.output, connection: &o.connection, journal: journal, progress: progress.of(name), several: len(ids) > 1}
		errs[i] = finishes[i].run(ctx, client.Job(ids[i]))
	})
	if len(ids) > 1 {
		printTotal(progress, finishes)
	}
	return worst(errs)
}

// printTotal prints what the videos cost, if there are several.
func printTotal(progress *progress, finishes []*finish) {
	var videos, unknown int
	var credits, usd float64
	for _, f := range finishes {
		if f.usage == nil {
			continue
		}
		videos++
		if f.usage.Credits == nil && f.usage.USD == nil {
			unknown++
		}
		credits += *cmp.Or(f.usage.Credits, new(float64))
		usd += *cmp.Or(f.usage.USD, new(float64))
	}
	text := fmt.Sprintf("total: %d videos, %.0f credits, $%.2f", videos, credits, usd)
	if unknown > 0 {
		text += fmt.Sprintf(", without the cost of %d that the API didn't report", unknown)
	}
	if videos > 1 {
		progress.line(text)
	}
}

// readIDs replaces "-" by the words of standard input and LAST by the id of the last submission, which it returns, too. It
// drops repetitions. The base URL is that of the last submission, unless a flag says otherwise.
func (c *console) readIDs(ctx context.Context, args []string, conn *connection) (ids []string, last record, err error) {
	for _, arg := range args {
		words := []string{arg}
		if arg == "-" {
			text, err := c.readAll(ctx, arg)
			if err != nil {
				return nil, last, err
			}
			words = strings.Fields(string(text))
		}
		for _, id := range words {
			if id == "" {
				return nil, last, inputError(errors.New("the generation id is empty"))
			}
			if id == "LAST" {
				if last, err = c.last(); err != nil {
					return nil, last, err
				}
				id, conn.baseURL = last.ID, cmp.Or(conn.baseURL, last.BaseURL)
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil, last, inputError(errors.New("no id on standard input"))
	}
	return ids, last, nil
}

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
		Annotations: help.Tail(environment),
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
