package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
)

// connection holds the flags with which a command reaches the API.
type connection struct {
	baseURL  string
	simulate bool
	verbose  bool
}

func (c *connection) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.baseURL, "base-url", "", "where the API is; AIML_API_BASE or "+api.DefaultBaseURL+" if not given")
	flags.BoolVar(&c.verbose, "verbose", false, "log what the client does to stderr")
}

// again is the command that takes up a job. There is none for a simulator that ends with this process.
func (c *connection) again(id string) string {
	switch {
	case c.simulate:
		return ""
	case c.baseURL != "":
		return "wan wait " + id + " --base-url " + c.baseURL
	}
	return "wan wait " + id
}

// client makes a client, and a simulator for it if that is asked for. The caller calls stop.
func (c *connection) client(stderr io.Writer) (client *api.Client, stop func(), err error) {
	var opts []api.Option
	stop = func() {}
	if c.verbose {
		opts = append(opts, api.WithLogger(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	if c.baseURL != "" {
		opts = append(opts, api.WithBaseURL(c.baseURL))
	}
	if c.simulate {
		server, err := simulator.Listen("127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, api.WithBaseURL(server.URL), api.WithAPIKey(server.Key))
		stop = server.Close
	}
	client, err = api.New(opts...)
	if err != nil {
		stop()
		if errors.Is(err, api.ErrNoAPIKey) {
			err = inputError(errors.New("there is no API key: set AIML_API_KEY, or let a model's command --simulate, which needs none and costs nothing"))
		}
		return nil, nil, err
	}
	return client, stop, nil
}

// newModel makes the command that submits to one model.
func newModel(document *spec.Document) *cobra.Command {
	var (
		conn  connection
		out   output
		flags = requestFlags(document)
	)
	command := &cobra.Command{
		Use:     document.Slug + " [flags]",
		Short:   firstSentence(document.OpenAPI.Info.Description),
		GroupID: "models",
		Long: document.OpenAPI.Info.Description + "\n\nModel: " + document.Model +
			"\nA file given for a media property is sent along. Submitting costs money, but not with --simulate.\n\n" + exitCodes,
		Example: "  wan " + document.Slug + example(document) + " --simulate -o out.mp4",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body, err := request(document, flags)
			if err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			client, stop, err := conn.client(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer stop()
			job, err := client.Submit(cmd.Context(), body)
			if err != nil {
				return nameFlag(err, flags)
			}
			// The id comes first of all: with it, nothing is lost.
			fmt.Fprintf(cmd.ErrOrStderr(), "submitted %s\n", job.ID())
			return out.finish(cmd, &conn, job)
		},
	}
	command.Flags().SortFlags = false
	command.Flags().AddFlagSet(flags)
	out.add(command.Flags())
	command.Flags().BoolVar(&conn.simulate, "simulate", false, "use a simulator within this process: no key, no cost, a made-up video")
	conn.add(command.Flags())
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

// preview replaces local files by short data URIs.
func preview(value any) any {
	switch v := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = preview(member)
		}
		return members
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = preview(element)
		}
		return elements
	case media.Source:
		if v.IsLocal() {
			return "data:application/octet-stream;base64,AAAA"
		}
	}
	return value
}

// withTimeout bounds a wait; 0 is no bound.
func withTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, timeout)
}
