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

// statusOptions are the flags of status.
type statusOptions struct {
	*console
	place

	json, watch bool
}

func newStatus(c *console) *cobra.Command {
	o := &statusOptions{console: c}
	command := &cobra.Command{
		Use:     "status [DIRECTORY]",
		Short:   "Print how far a batch is, also while it runs",
		Example: "  wan-batch status videos/\n  wan-batch status videos/ --json | jq .request_counts",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	o.addExisting(command.Flags())
	command.Flags().BoolVar(&o.json, "json", false, "print the status as JSON")
	command.Flags().BoolVar(&o.watch, "watch", false, "print it again every two seconds")
	return command
}

func (o *statusOptions) run(ctx context.Context, args []string) error {
	b, err := o.openIn(ctx, args)
	if err != nil {
		return err
	}
	defer b.Close()
	for {
		status, err := b.Status(ctx)
		if err != nil {
			return err
		}
		if o.json {
			err = printJSON(o.stdout, status)
		} else {
			_, err = fmt.Fprintln(o.stdout, strings.Join(summary(status), "\n"))
		}
		if err != nil || !o.watch || wire.Sleep(ctx, 2*time.Second) != nil {
			return err
		}
	}
}

func newExport(c *console) *cobra.Command {
	var p place
	command := &cobra.Command{
		Use:     "export [DIRECTORY]",
		Short:   "Print the outcome of every line from the ledger, each line once",
		Example: "  wan-batch export videos/ | jq -r 'select(.state == \"saved\") | .file'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := p.openIn(cmd.Context(), args)
			if err != nil {
				return err
			}
			defer b.Close()
			return b.Export(cmd.Context(), func(r batch.Record) error { return printJSON(c.stdout, r) })
		},
	}
	p.addExisting(command.Flags())
	return command
}

// linesOptions are the flags of a command that changes lines of a batch by their custom ids.
type linesOptions struct {
	*console
	place

	all    bool
	done   string // what happened to the lines
	change func(*batch.Batch, context.Context, ...string) (int, error)
}

// newLines adds what these commands have in common. all is the flag for all lines.
func newLines(c *console, command *cobra.Command, all, done string, change func(*batch.Batch, context.Context, ...string) (int, error)) *cobra.Command {
	o := &linesOptions{console: c, done: done, change: change}
	command.RunE = func(cmd *cobra.Command, args []string) error {
		ids := o.take(args)
		switch {
		case len(ids) == 0 && !o.all:
			return &usageError{fmt.Errorf("which lines? Give their custom ids, or --%s", all)}
		case len(ids) > 0 && o.all:
			return &usageError{fmt.Errorf("%.40q is neither the directory of a batch nor, beside --%s, a custom id", ids[0], all)}
		}
		return o.run(cmd.Context(), ids)
	}
	flags := command.Flags()
	flags.BoolVar(&o.all, all, false, "all lines that this applies to")
	o.addExisting(flags)
	return command
}

func (o *linesOptions) run(ctx context.Context, ids []string) error {
	b, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	n, err := o.change(b, ctx, ids...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.stdout, "%s %s\n", plural(n, "line"), o.done)
	return err
}

func newRetry(c *console) *cobra.Command {
	return newLines(c, &cobra.Command{
		Use:     "retry [DIRECTORY] ID...",
		Short:   "Submit failed lines again, and save videos that weren't saved",
		Example: "  wan-batch retry videos/ --failed\n  wan-batch retry videos/ clip-7 clip-9",
		Long: `Submit failed and rejected lines again, which weren't charged; save videos that weren't saved; and look once more in
the account's logs for lines of unknown outcome, which are never submitted again. The next run does the work.`,
	}, "failed", "to be resumed by the next run", (*batch.Batch).Retry)
}

func newResolve(c *console) *cobra.Command {
	var resubmit bool
	command := &cobra.Command{
		Use:     "resolve [DIRECTORY] --resubmit ID...",
		Short:   "Decide to submit lines of unknown outcome again",
		Example: "  wan-batch resolve videos/ --resubmit clip-7",
		Long: `Decide to submit lines of unknown outcome again. They may be charged twice: look in the account's logs first. Their
first attempt still counts as spent.`,
		Args: func(*cobra.Command, []string) error {
			if !resubmit {
				return errors.New("nothing was decided: --resubmit submits the lines again, wan-batch cancel gives them up")
			}
			return nil
		},
	}
	command.Flags().BoolVar(&resubmit, "resubmit", false, "submit them again, although they may be charged twice")
	return newLines(c, command, "all", "to be submitted again by the next run", (*batch.Batch).Resubmit)
}

func newCancel(c *console) *cobra.Command {
	return newLines(c, &cobra.Command{
		Use:     "cancel [DIRECTORY] ID...",
		Short:   "Give up lines that are pending or of unknown outcome",
		Example: "  wan-batch cancel videos/ --all",
		Long: `Give up lines that are pending or of unknown outcome. The API can't cancel a generation: an unknown one may run and be
charged all the same, and still counts as spent.`,
	}, "all", "canceled", (*batch.Batch).Cancel)
}

// plural counts things.
func plural(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}
