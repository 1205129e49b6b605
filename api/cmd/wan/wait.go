package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

type waitOptions struct {
	*console
	connection
	output

	args []string
}

func newWait(c *console) *cobra.Command {
	o := &waitOptions{console: c}
	command := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait for generations and save their videos",
		Long: "Wait for generations that were submitted before, here or elsewhere, and save their videos.\n" +
			"The ID - reads further IDs from standard input. Several generations are awaited at the same time.",
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
	o.connection.add(command.Flags())
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
	if err != nil {
		return err
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
	ctx, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	errs := make([]error, len(ids))
	var waiting sync.WaitGroup
	for i, id := range ids {
		name := id
		if len(ids) == 1 {
			name = ""
		}
		f := &finish{console: o.console, output: &o.output, connection: &o.connection, progress: progress.of(name)}
		waiting.Go(func() { errs[i] = f.run(ctx, client.Job(id)) })
	}
	waiting.Wait()
	return slices.MaxFunc(errs, func(a, b error) int { return cmp.Compare(exitCode(a), exitCode(b)) })
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
