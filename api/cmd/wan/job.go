package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// newWait makes the command that takes up a job.
func newWait() *cobra.Command {
	var (
		conn connection
		out  output
	)
	command := &cobra.Command{
		Use:     "wait ID",
		Short:   "Wait for a generation and save its video",
		Long:    "Wait for a generation that was submitted before, here or elsewhere, and save its video.\n\n" + exitCodes,
		GroupID: "jobs",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(); err != nil {
				return err
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			return out.finish(cmd, &conn, client.Job(args[0]))
		},
	}
	out.add(command.Flags())
	conn.add(command.Flags())
	return command
}

// newGet makes the command that polls once.
func newGet() *cobra.Command {
	var conn connection
	var raw bool
	command := &cobra.Command{
		Use:     "get ID",
		Short:   "Ask once how far a generation is",
		GroupID: "jobs",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			g, err := client.Job(args[0]).Poll(cmd.Context())
			if err != nil {
				return err
			}
			r := result{ID: g.ID, Status: g.Status}
			text := string(g.Status)
			if g.Video != nil {
				r.URL, r.Credits, r.USD = g.Video.URL, g.Video.Usage.Credits, g.Video.Usage.USD
				text += " " + r.URL
			}
			if g.Failure != nil {
				r.Error = &failure{g.Failure.Name, g.Failure.Message}
				for _, reason := range []string{g.Failure.Name, g.Failure.Message} {
					if reason != "" {
						text += ": " + reason
					}
				}
			}
			if raw {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	command.Flags().BoolVar(&raw, "json", false, "print the result as a JSON object")
	conn.add(command.Flags())
	return command
}
