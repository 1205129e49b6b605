package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/spec/wire"
)

func newStatus(c *console) *cobra.Command {
	var p place
	var asJSON, watch bool
	command := &cobra.Command{
		Use:     "status [DIRECTORY]",
		Short:   "Print how far a batch is, also while it runs",
		Example: "  wan-batch status videos/\n  wan-batch status videos/ --json | jq .request_counts",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := p.openExisting(cmd.Context(), args)
			if err != nil {
				return err
			}
			defer b.Close()
			ctx, stop := interruptible(cmd.Context(), c)
			defer stop()
			for {
				status, err := b.Status(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					err = printJSON(c.stdout, status)
				} else {
					_, err = fmt.Fprintln(c.stdout, strings.Join(summary(status), "\n"))
				}
				if err != nil || !watch || wire.Sleep(ctx, 2*time.Second) != nil {
					return err
				}
			}
		},
	}
	p.add(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print the status as JSON")
	command.Flags().BoolVar(&watch, "watch", false, "print it again every two seconds")
	return command
}

// interruptible ends the context with the first interrupt.
func interruptible(ctx context.Context, c *console) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-c.interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return fmt.Errorf("at most %d argument", n)
		}
		return nil
	}
}

// A linesOptions is a command that changes lines of a batch by their custom ids.
type linesOptions struct {
	*console
	place

	directory string
	all       bool
}

// newLines makes a command that changes lines. verb says what was done.
func newLines(c *console, use, short, long, verb string, change func(*batch.Batch, context.Context, ...string) (int, error), ready func(*cobra.Command) error) *cobra.Command {
	o := &linesOptions{console: c}
	command := &cobra.Command{
		Use: use, Short: short, Long: long,
		Args: func(cmd *cobra.Command, ids []string) error {
			if err := ready(cmd); err != nil {
				return err
			}
			if len(ids) == 0 && !o.all {
				return errors.New("which lines? Give their custom ids, or --all")
			}
			if len(ids) > 0 && o.all {
				return errors.New("--all and ids exclude each other")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, ids []string) error {
			b, err := o.openExisting(cmd.Context(), []string{o.directory})
			if err != nil {
				return err
			}
			defer b.Close()
			n, err := change(b, cmd.Context(), ids...)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(o.stdout, "%d lines %s\n", n, verb)
			return err
		},
	}
	flags := command.Flags()
	flags.StringVarP(&o.directory, "output", "o", "videos/", "directory or `TEMPLATE` of the batch's videos")
	flags.BoolVar(&o.all, "all", false, "all lines that it applies to")
	o.add(flags)
	return command
}

func newRetry(c *console) *cobra.Command {
	var failed bool
	command := newLines(c, "retry [ID...]", "Submit failed lines again, and save videos that weren't saved",
		"Submit failed and rejected lines again, which weren't charged; save videos that weren't saved; and look once more in\nthe account's logs for lines of unknown outcome, which are never submitted again. The next run does the work.",
		"will go on with the next run", (*batch.Batch).Retry, func(cmd *cobra.Command) error {
			if failed {
				return cmd.Flags().Set("all", "true")
			}
			return nil
		})
	command.Flags().BoolVar(&failed, "failed", false, "all lines that have ended without a saved video")
	return command
}

func newResolve(c *console) *cobra.Command {
	var resubmit bool
	command := newLines(c, "resolve --resubmit ID...", "Decide to submit lines of unknown outcome again",
		"Decide to submit lines of unknown outcome again. They may be charged twice: look in the account's logs first. Their\nfirst attempt goes on counting as spent.",
		"will be submitted again by the next run", (*batch.Batch).Resubmit, func(*cobra.Command) error {
			if !resubmit {
				return errors.New("nothing was decided: --resubmit submits the lines again, wan-batch cancel gives them up")
			}
			return nil
		})
	command.Flags().BoolVar(&resubmit, "resubmit", false, "submit them again, although they may be charged twice")
	return command
}

func newCancel(c *console) *cobra.Command {
	return newLines(c, "cancel ID...", "Give up lines that are pending or of unknown outcome",
		"Give up lines that are pending or of unknown outcome. The API can't cancel a generation: an unknown one may run and be\ncharged all the same, and goes on counting as spent.",
		"are canceled", (*batch.Batch).Cancel, func(*cobra.Command) error { return nil })
}

func newExport(c *console) *cobra.Command {
	var p place
	command := &cobra.Command{
		Use:     "export [DIRECTORY]",
		Short:   "Print the outcome of every line from the ledger, each line once",
		Example: "  wan-batch export videos/ | jq -r 'select(.state == \"saved\") | .file'",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := p.openExisting(cmd.Context(), args)
			if err != nil {
				return err
			}
			defer b.Close()
			return b.Export(cmd.Context(), func(r batch.Record) error { return printJSON(c.stdout, r) })
		},
	}
	p.add(command.Flags())
	return command
}
