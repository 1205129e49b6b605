package main

import (
	"cmp"
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
			"An ID of - reads further ids from standard input. Several are waited for at the same time.",
		Annotations: tail(environment, exitCodes),
		GroupID:     "jobs",
		Example:     "  wan wait ID -o out.mp4\n  wan wait - -o '{id}.mp4' < ids.txt",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("which generation? wan wait ID")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := readIDs(args, cmd.InOrStdin())
			if err != nil {
				return err
			}
			if err := out.check("", ids); err != nil {
				return err
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			progress := newProgress(cmd.ErrOrStderr(), out.quiet)
			defer progress.stop()
			progress.expect(len(ids))
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
			// Of several outcomes the highest exit code counts: above all, that there is still something to wait for.
			return slices.MaxFunc(errs, func(a, b error) int { return cmp.Compare(exitCode(a), exitCode(b)) })
		},
	}
	out.add(command.Flags())
	conn.add(command.Flags())
	return command
}

// readIDs replaces "-" by the words of standard input, and takes each id once.
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
	if slices.Contains(ids, "") {
		return nil, inputError(errors.New("generation id: it is empty"))
	}
	seen := map[string]bool{}
	ids = slices.DeleteFunc(ids, func(id string) bool {
		twice := seen[id]
		seen[id] = true
		return twice
	})
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
		Use:         "get ID",
		Short:       "Ask once how far a generation is",
		GroupID:     "jobs",
		Long:        "Ask once how far a generation is. The exit code is 0 whatever its state is, also that it has failed, and otherwise as\nthat of wan wait.",
		Annotations: tail(environment),
		Example:     "  wan get ID\n  wan get ID --json | jq -r .outcome",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return errors.New("which generation? wan get ID")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			r := result{ID: args[0], Outcome: outcomes[exitRunning]}
			g, err := client.Job(r.ID).Poll(cmd.Context())
			if err != nil {
				if r.conclude(err); asJSON && r.Outcome != "" {
					err = errors.Join(err, r.write(cmd.OutOrStdout(), true))
				}
				return err
			}
			r.Status = g.Status
			text := printable(string(g.Status))
			switch {
			case g.Video != nil:
				r.has(g.Video)
				r.conclude(nil)
				text += " " + printable(r.URL)
			case g.Failure != nil:
				r.conclude(g.Failure)
				words := []string{text, g.Failure.Name, g.Failure.Message}
				text = strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), ": ")
				text = printable(strings.Join(strings.Fields(text), " "))
			}
			if asJSON {
				return r.write(cmd.OutOrStdout(), true)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
			return err
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the result as a JSON object in one line, whatever becomes of the generation")
	conn.add(command.Flags())
	return command
}
