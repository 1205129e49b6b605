package main

import (
	"cmp"
	"fmt"
	"strings"

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
		flags       = requestFlags(document)
		description = document.OpenAPI.Info.Description
	)
	command := &cobra.Command{
		Use:     document.Slug + " [flags]",
		Short:   firstSentence(description),
		GroupID: "models",
		Long: description + "\n\nModel: " + document.Model +
			"\nA file given for a media property is sent along. Submitting costs money, but not with --simulate.\n\n" + exitCodes,
		Example: "  wan " + document.Slug + example(document) + " --simulate -o out.mp4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := newRequest(document, file, cmd.InOrStdin(), flags)
			if err != nil {
				return err
			}
			if dry {
				return dryRun(cmd.OutOrStdout(), document, body, flags)
			}
			if err := out.check(1); err != nil {
				return err
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			progress := newProgress(cmd.ErrOrStderr(), out.quiet)
			defer progress.stop()
			opts := []api.SubmitOption{api.OnUpload(progress.upload)}
			if cmd.Flags().Changed("client-request-id") {
				opts = append(opts, api.WithClientRequestID(name))
			}
			ctx, cancel := withTimeout(cmd.Context(), out.timeout)
			defer cancel()
			job, err := client.Submit(ctx, body, opts...)
			if err != nil {
				progress.aside(func() { err = out.refused(cmd, &conn, nameFlag(err, flags)) })
				return err
			}
			// The id comes first of all, whatever --quiet says: with it, nothing is lost.
			progress.aside(func() { fmt.Fprintln(cmd.ErrOrStderr(), "submitted "+job.ID()) })
			if noWait {
				r := result{ID: job.ID(), Outcome: "submitted", ClientRequestID: job.ClientRequestID()}
				return r.write(cmd.OutOrStdout(), out.json)
			}
			return out.finish(ctx, cmd, &conn, job, progress.of(""), fmt.Sprint(cmp.Or(body["seed"], any(""))))
		},
	}
	own := command.Flags()
	own.SortFlags = false
	own.AddFlagSet(flags)
	own.StringVarP(&file, "file", "f", "", "`FILE` with the request as a JSON object, - for standard input; flags go on top of it")
	out.add(own)
	own.BoolVar(&noWait, "no-wait", false, "print the id once the generation is submitted, and leave it running")
	own.BoolVar(&dry, "dry-run", false, "print the request, and send nothing")
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
