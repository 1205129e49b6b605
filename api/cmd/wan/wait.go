package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
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
		Annotations: tail(environment, exitCodes()),
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
