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
	ids, err := o.readIDs(ctx, o.args)
	if err == nil {
		ids, err = o.replaceLast(ids)
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
	defer journal.close()
	ctx, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	errs := make([]error, len(ids))
	total := &costs{}
	each(len(ids), o.concurrency, func(i int) {
		name := ids[i]
		if len(ids) == 1 {
			name = ""
		}
		f := &finish{console: o.console, output: &o.output, connection: &o.connection, journal: journal, progress: progress.of(name), several: len(ids) > 1, costs: total}
		errs[i] = f.run(ctx, client.Job(ids[i]))
	})
	if total.videos > 1 && !o.quiet {
		progress.line(total.String())
	}
	return slices.MaxFunc(errs, func(a, b error) int { return cmp.Compare(exitCode(a), exitCode(b)) })
}

// replaceLast replaces LAST by the id of the last submission, and takes its base URL and its file unless flags say
// otherwise.
func (o *waitOptions) replaceLast(ids []string) ([]string, error) {
	i := slices.Index(ids, "LAST")
	if i < 0 {
		return ids, nil
	}
	last, err := o.last()
	if err != nil {
		return nil, err
	}
	ids[i] = last.ID
	if o.baseURL == "" {
		o.baseURL = last.BaseURL
	}
	if len(ids) == 1 && !o.output.flags.Changed("output") && last.Output != "" {
		return ids, o.output.flags.Set("output", last.Output)
	}
	return ids, nil
}

// readIDs replaces "-" by the words of standard input, and drops repetitions.
func (c *console) readIDs(ctx context.Context, args []string) (ids []string, err error) {
	for _, arg := range args {
		words := []string{arg}
		if arg == "-" {
			text, err := c.readAll(ctx, arg)
			if err != nil {
				return nil, err
			}
			words = strings.Fields(string(text))
		}
		for _, id := range words {
			if id == "" {
				return nil, inputError(errors.New("the generation id is empty"))
			}
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) == 0 {
		return nil, inputError(errors.New("no id on standard input"))
	}
	return ids, nil
}
