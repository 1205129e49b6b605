package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func newRecover(c *console) *cobra.Command {
	o := &runOptions{console: c}
	var since time.Duration
	command := &cobra.Command{
		Use:   "recover MANIFEST --batch ID",
		Short: "Rebuild a lost ledger from the manifest and the account's logs",
		Long: `Rebuild a lost ledger from the manifest and the account's logs. The batch id is in every line of results.jsonl and in
the client request ids of the logs, "wan:BATCH:LINE:ATTEMPT". Afterwards every line is of unknown outcome, and the next
run takes up those that the logs know. A line without a row may be running: resubmit it only when that can't be.`,
		Example: "  wan-batch recover jobs.jsonl -o videos/ --batch 7kq2m4xabc",
		Args:    exactly(1, "which manifest? wan-batch recover MANIFEST --batch ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.id == "" {
				return &usageError{errors.New("which batch? --batch ID; it is in the client request ids")}
			}
			ctx, stop := interruptible(cmd.Context(), c)
			defer stop()
			client, stopAPI, err := o.connection.open()
			if err != nil {
				return err
			}
			defer stopAPI()
			o.manifest = args[0]
			b, err := o.openBatch(ctx)
			if err != nil {
				return err
			}
			defer b.Close()
			found, missing, err := b.Recover(ctx, client, time.Now().Add(-since))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.stdout, "%d lines are in the account's logs, %d are not; run the manifest to go on\n", found, missing)
			return err
		},
	}
	flags := command.Flags()
	flags.StringVarP(&o.output, "output", "o", "videos/", "directory or `TEMPLATE` of the videos")
	flags.StringVar(&o.model, "model", "", "`MODEL` of lines that name none")
	flags.BoolVar(&o.allowUnknown, "allow-unknown", false, "accept properties that the spec doesn't list")
	flags.DurationVar(&since, "since", 92*24*time.Hour, "how far to look back in the logs")
	o.place.add(flags)
	o.connection.add(flags)
	return command
}
