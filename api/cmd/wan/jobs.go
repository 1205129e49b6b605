package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/spec/redact"
)

type jobsOptions struct {
	*console

	unknown, json bool
}

func newJobs(c *console) *cobra.Command {
	o := &jobsOptions{console: c}
	command := &cobra.Command{
		Use:   "jobs",
		Short: "List the generations that wan has submitted",
		Long: "List the generations that wan has submitted from this machine, oldest first: time, outcome, model, id and file. " +
			"They stand in " + journalPath() + ", without the API key and media. " +
			"--no-history or the environment variable " + noHistory + " keeps a submission out of it. Simulated ones are never in it.",
		GroupID: "jobs",
		Example: "  wan jobs\n  wan wait LAST -o out.mp4\n  wan jobs --unknown",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runJobs(cmd.Context(), o) },
	}
	command.Flags().BoolVar(&o.unknown, "unknown", false, "only submissions of unknown outcome, with the id to look them up with")
	command.Flags().BoolVar(&o.json, "json", false, "print JSON objects, one in a line")
	return command
}

func runJobs(ctx context.Context, o *jobsOptions) error {
	records, err := await(ctx, o.jobs)
	if err != nil {
		return err
	}
	if o.unknown {
		records = slices.DeleteFunc(records, func(r *record) bool { return !r.isUnknown() })
	}
	if len(records) == 0 && !o.json {
		fmt.Fprintln(o.stderr, "no jobs; simulated ones aren't listed")
	}
	w := bufio.NewWriter(o.stdout)
	encoder := json.NewEncoder(w)
	for _, r := range records {
		if o.json {
			if err := encoder.Encode(r); err != nil {
				return err
			}
			continue
		}
		id := r.ID
		if r.isUnknown() {
			id = "client request id " + r.ClientRequestID
		}
		line := fmt.Sprintf("%s  %-10s  %-16s  %s", r.Time.Local().Format(time.DateTime), r.Outcome, r.Model, id)
		if r.Output != "" {
			line += "  " + r.Output
		}
		fmt.Fprintln(w, redact.Printable(line, ""))
	}
	return w.Flush()
}

// isUnknown reports whether the outcome of the submission is unknown: no response was of use, or wan ended before one.
func (r *record) isUnknown() bool {
	return r.ID == "" && (r.Outcome == "submitting" || r.Outcome == outcomes[exitUnknown].name)
}
