package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec/wire"
)

type findOptions struct {
	*console
	connection

	id   string
	ago  time.Duration
	json bool
}

func newFind(c *console) *cobra.Command {
	o := &findOptions{console: c}
	command := &cobra.Command{
		Use:   "find CLIENT-REQUEST-ID",
		Short: "Find a submission of unknown outcome in the account's logs",
		Long: "Find a submission of unknown outcome in the account's logs, and print the id of its generation. A submission that " +
			"isn't found may still be running: a row may appear only when the generation has ended. Exit codes are those of wan wait.",
		Annotations: help.Tail(environment, exitCodes()),
		GroupID:     "jobs",
		Example:     "  wan find wan-KX2M3QF7BHZV5S6TJ4NRYPLACE\n  wan find wan:summer:17:1 --since 48h --json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("which submission? wan find CLIENT-REQUEST-ID")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.id = args[0]
			return runFind(cmd.Context(), o)
		},
	}
	command.Flags().DurationVar(&o.ago, "since", 24*time.Hour, "how far back to look, at most 92 days")
	command.Flags().BoolVar(&o.json, "json", false, jsonUsage)
	o.add(command.Flags())
	return command
}

func runFind(ctx context.Context, o *findOptions) error {
	if o.ago <= 0 {
		return inputError(fmt.Errorf("--since: %v isn't in the past", o.ago))
	}
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	found, err := client.FindSubmission(ctx, o.id, o.now().Add(-o.ago))
	if found == nil {
		o.printBody(o.stderr, err)
		return err
	}
	if err != nil { // found, but what it cost isn't known
		o.printError(err)
	}
	r := result{ID: found.Job.ID(), Outcome: outcomes[exitRunning].name, ClientRequestID: o.id, Credits: found.Usage.Credits, USD: found.Usage.USD}
	if found.Failed {
		r.Outcome = outcomes[exitFailed].name
	} else {
		journal := openJournal(o.console, false)
		journal.add(event{Event: "submitted", ID: r.ID, ClientRequestID: o.id})
		fmt.Fprintln(o.stderr, "To resume: "+new(output).resume(&o.connection, r.ID, ""))
	}
	return r.write(o.stdout, o.json, false)
}

// lookUp looks for a submission of unknown outcome in the account's logs for a while. It returns nil if the submission
// isn't found, which proves nothing. After Ctrl-C it looks, too; another one ends the process.
func (o *modelOptions) lookUp(ctx context.Context, client *api.Client, since time.Time, progress *progress) *api.Job {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, o.find)
	defer cancel()
	progress.line("looking for the submission in the account's logs for up to " + o.find.String())
	progress.set("looking for the submission in the account's logs")
	backoff := wire.Backoff{First: time.Second, Longest: 8 * time.Second}
	unreadable := false
	for {
		found, err := client.FindSubmission(ctx, o.requestID, since)
		if found != nil { // also if what it cost isn't known yet
			return found.Job
		}
		if !is[*api.SubmissionNotFoundError](err) && ctx.Err() == nil && !unreadable {
			unreadable = true
			progress.line(message(err))
		}
		if wire.Sleep(ctx, backoff.Next()) != nil {
			return nil
		}
	}
}
