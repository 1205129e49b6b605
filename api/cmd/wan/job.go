package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
)

// newWait makes the command that takes up jobs.
func newWait() *cobra.Command {
	var (
		conn connection
		out  output
	)
	command := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait for generations and save their videos",
		Long: "Wait for generations that were submitted before, here or elsewhere, and save their videos.\n" +
			"An ID of - reads further ids from standard input. Several are waited for at the same time.\n\n" + exitCodes,
		GroupID: "jobs",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := readIDs(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			if err := out.check(len(ids)); err != nil {
				return err
			}
			if strings.Contains(out.file, "{seed}") {
				return inputError(errors.New("--output: the seed of a generation is known only when it is submitted"))
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			progress := newProgress(cmd.ErrOrStderr(), out.quiet)
			defer progress.stop()
			ctx, cancel := withTimeout(cmd.Context(), out.timeout)
			defer cancel()
			errs := make([]error, len(ids))
			var waiting sync.WaitGroup
			for i, id := range ids {
				name := id
				if len(ids) == 1 {
					name = ""
				}
				waiting.Go(func() { errs[i] = out.finish(ctx, cmd, &conn, client.Job(id), progress.of(name), "") })
			}
			waiting.Wait()
			return errors.Join(errs...)
		},
	}
	out.add(command.Flags())
	conn.add(command.Flags())
	return command
}

// readIDs replaces "-" by the words of standard input.
func readIDs(args []string, stdin io.Reader) (ids []string, err error) {
	for _, arg := range args {
		if arg != "-" {
			ids = append(ids, arg)
			continue
		}
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, err
		}
		ids = append(ids, strings.Fields(string(text))...)
	}
	if len(ids) == 0 {
		return nil, inputError(errors.New("standard input holds no id"))
	}
	return ids, nil
}

// newGet makes the command that polls once.
func newGet() *cobra.Command {
	var conn connection
	var asJSON bool
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
				words := []string{text, g.Failure.Name, g.Failure.Message}
				text = strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), ": ")
				text = strings.Join(strings.Fields(text), " ")
			}
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the result as a JSON object in one line")
	conn.add(command.Flags())
	return command
}
