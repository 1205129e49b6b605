package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
)

func newRecover(c *console) *cobra.Command {
	o := &runOptions{console: c, recovers: true}
	var since time.Duration
	command := &cobra.Command{
		Use:   "recover MANIFEST --batch ID",
		Short: "Rebuild a lost ledger from the manifest and the account's logs",
		Long: `Rebuild a lost ledger from the manifest and the account's logs. The batch id is in every line of results.jsonl and in
the client request ids of the logs, "wan:BATCH:LINE:ATTEMPT". Afterwards every line is of unknown outcome, and the next
run resumes those that the logs know. A line without a row may be running: resubmit it only when that can't be.`,
		Example:     "  wan-batch recover jobs.jsonl -o videos/ --batch 7kq2m4xabc",
		Annotations: help.Tail(environment),
		Args:        exactly(1, "which manifest? wan-batch recover MANIFEST --batch ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.manifest = args[0]
			return o.recover(cmd.Context(), time.Now().Add(-since))
		},
	}
	o.addManifest(command.Flags())
	command.Flags().DurationVar(&since, "since", 92*24*time.Hour, "how far to look back in the logs")
	o.place.add(command.Flags())
	o.connection.add(command.Flags())
	return command
}

func (o *runOptions) recover(ctx context.Context, since time.Time) error {
	if o.id == "" {
		return &usageError{errors.New("which batch? --batch ID; it is in the client request ids")}
	}
	b, client, stop, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	found, missing, err := b.Recover(ctx, client, since)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.stdout, "%s in the account's logs, %d missing; run the manifest to resume them\n", plural(found, "line"), missing)
	return err
}
