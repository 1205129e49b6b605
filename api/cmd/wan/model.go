package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
)

// newModel makes the command that submits to one model.
func newModel(document *spec.Document) *cobra.Command {
	var (
		conn        connection
		out         output
		file, name  string
		dry, noWait bool
		unlisted    bool
		flags       = requestFlags(document)
		description = document.OpenAPI.Info.Description
	)
	command := &cobra.Command{
		Use:     document.Slug + " [flags]",
		Short:   firstSentence(description),
		GroupID: "models",
		Long: strings.Join(wrap(description, 100), "\n") + "\n\nModel: " + document.Model +
			"\nWhere a file or a URL is asked for, a file is sent along; it may have 100 MiB.\n" +
			"Submitting costs money, but not with --simulate.",
		Example: "  wan " + document.Slug + example(document) + " --simulate -o out.mp4",
		Aliases: []string{document.Model},
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := newRequest(document, file, unlisted, cmd.InOrStdin(), flags)
			if err != nil {
				return err
			}
			seed := fmt.Sprint(cmp.Or(body["seed"], any("")))
			out.slug, out.inputs = document.Slug, inputs(body, file)
			if err := out.check(seed, nil); err != nil {
				return err
			}
			var rehearsal dryRun
			if dry {
				conn.transport = &rehearsal
			}
			if conn.simulate && noWait {
				return inputError(errors.New("--no-wait: the simulator ends with this command; wan simulate runs one that stays"))
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			progress := newProgress(cmd.ErrOrStderr(), out.quiet)
			defer progress.stop()
			if !cmd.Flags().Changed("client-request-id") {
				name = "wan-" + rand.Text()
			}
			named := api.WithClientRequestID(name)
			if dry {
				return nameFlag(rehearsal.show(cmd, client, document, body, out.json, named), flags)
			}
			// Both ids are told as soon as there are any, whatever --quiet says: with them, nothing is lost.
			told := sync.OnceFunc(func() {
				progress.aside(func() { fmt.Fprintln(cmd.ErrOrStderr(), "submitting as "+name) })
			})
			ctx, cancel := withTimeout(cmd.Context(), out.timeout)
			defer cancel()
			progress.set("connecting")
			job, err := client.Submit(ctx, body, named, api.OnUpload(func(sent, total int64) {
				told()
				progress.upload(sent, total)
			}))
			if err != nil {
				r := result{ClientRequestID: name}
				if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
					r.ID = unknown.GenerationID
				}
				progress.aside(func() { err = out.tell(cmd, &conn, r, out.path(r.ID, seed), nameFlag(err, flags)) })
				return err
			}
			progress.aside(func() { fmt.Fprintln(cmd.ErrOrStderr(), "submitted "+printable(job.ID())) })
			if noWait {
				progress.stop()
				fmt.Fprintln(cmd.ErrOrStderr(), "To go on: "+out.again(&conn, job.ID(), out.path(job.ID(), seed)))
				r := result{ID: job.ID(), Outcome: "submitted", ClientRequestID: name}
				return r.write(cmd.OutOrStdout(), out.json)
			}
			return out.finish(ctx, cmd, &conn, job, progress.of(""), seed)
		},
	}
	own := command.Flags()
	own.SortFlags = false
	own.AddFlagSet(flags)
	own.StringVarP(&file, "file", "f", "", "`FILE` with the request as a JSON object, - for standard input; flags go on top of it")
	own.BoolVar(&unlisted, "allow-unknown", false, "send also properties from --file that the document doesn't list")
	out.add(own)
	own.BoolVar(&noWait, "no-wait", false, "print the id once the generation is submitted, and leave it running")
	own.BoolVar(&dry, "dry-run", false, "check everything, print the request with media shortened, and send nothing; with --json only its body")
	own.StringVar(&name, "client-request-id", "", "a `NAME` for the submission, to be found in the account's usage logs")
	own.BoolVar(&conn.simulate, "simulate", false, "use a simulator within this process: no key, no cost, a made-up video")
	conn.add(own)
	completeFlags(command, document)
	command.SetUsageFunc(usage(document, flags))
	return command
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ": ")
	first, _, _ = strings.Cut(first, ". ")
	return strings.TrimSuffix(strings.ReplaceAll(first, "\n", " "), ".")
}

// example shows the flags that are required.
func example(document *spec.Document) string {
	var b strings.Builder
	for _, p := range document.Properties() {
		if p.Required && p.Name != "model" {
			value := fmt.Sprint(p.Schema.Example)
			if strings.Contains(value, " ") {
				value = `"` + value + `"`
			}
			fmt.Fprintf(&b, " --%s %s", flagName(p.Name), strings.TrimPrefix(value, "https://example.com/"))
		}
	}
	return b.String()
}
