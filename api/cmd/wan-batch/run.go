package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/spec"
)

// runOptions are the flags of run and work.
type runOptions struct {
	*console
	place
	connection

	manifest, output, model string
	allowUnknown            bool
	concurrency, rate       int
	maxUSD, price           float64
	until                   string
	stopAfterFailures       int
	find                    time.Duration
	exec                    string
	shell                   bool
	json                    bool
	quiet                   bool
	join                    bool
}

func newRun(c *console) *cobra.Command {
	o := &runOptions{console: c}
	command := &cobra.Command{
		Use:   "run MANIFEST",
		Short: "Submit the lines of a manifest, wait, and save the videos",
		Long: `Submit the lines of a manifest, wait, and save the videos. After any stop, the same command goes on:
what is in the ledger beside the videos isn't submitted again. A manifest that has grown adds its new lines.

A manifest is JSONL with {"custom_id", "body"} or request bodies with a custom_id, or CSV with a header of property
names ("a.png|b.png" in a cell is a list), or - for stdin. Media are URLs or paths relative to the manifest.`,
		Example: "  wan-batch run jobs.jsonl -o videos/ --concurrency 20 --max-usd 50\n  wan-batch run api/batch/testdata/example.jsonl --simulate -o /tmp/videos",
		Args:    exactly(1, "which manifest? wan-batch run MANIFEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.manifest = args[0]
			return o.run(cmd.Context())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.output, "output", "o", "videos/", "directory or `TEMPLATE` of the videos; {custom_id} and {line} are replaced")
	flags.StringVar(&o.model, "model", "", "`MODEL` of lines that name none")
	flags.BoolVar(&o.allowUnknown, "allow-unknown", false, "send properties that the spec doesn't list")
	flags.IntVar(&o.concurrency, "concurrency", 10, "generations in flight")
	flags.IntVar(&o.rate, "rate", 0, "submissions per minute; 0 is no limit")
	flags.Float64Var(&o.maxUSD, "max-usd", 0, "stop submitting where the batch could cost more; 0 is no limit")
	flags.Float64Var(&o.price, "price", 0, "what one generation costs in `USD`, where --max-usd can't get it from the API")
	flags.StringVar(&o.until, "until", "", "stop submitting at this `TIME`, such as 18:30 or 2026-12-01T08:00:00Z, or after a duration such as 8h")
	flags.IntVar(&o.stopAfterFailures, "stop-after-failures", 0, "stop submitting after so many failed lines; 0 is no limit")
	o.addShared(flags)
	return command
}

func newWork(c *console) *cobra.Command {
	o := &runOptions{console: c, join: true}
	command := &cobra.Command{
		Use:     "work",
		Short:   "Help to run a batch that is in Postgres, on this machine too",
		Long:    "Help to run a batch that is in Postgres. Limits and output are those of the last run; local files need the same paths here.",
		Example: "  wan-batch work --database postgres://user@host/wan --batch spring",
		Args:    exactly(0, "work takes no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	o.addShared(command.Flags())
	return command
}

func (o *runOptions) addShared(flags *pflag.FlagSet) {
	flags.DurationVar(&o.find, "find", 30*time.Minute, "how long to look in the account's logs for submissions of unknown outcome; 0 is never")
	flags.StringVar(&o.exec, "exec", "", "`COMMAND` for each saved video, without a shell; {file}, {custom_id}, {id} and {usd} are replaced. The line is saved when it succeeds")
	flags.BoolVar(&o.shell, "exec-shell", false, "run --exec in a shell; the replacements are quoted")
	flags.BoolVar(&o.json, "json", false, "print the final status as JSON")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print no progress")
	o.place.add(flags)
	o.connection.add(flags)
}

// exactly checks the number of arguments.
func exactly(n int, message string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return errors.New(message)
		}
		return nil
	}
}

func (o *runOptions) run(ctx context.Context) error {
	options, err := o.options()
	if err != nil {
		return &usageError{err}
	}
	b, err := o.openBatch(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	client, stop, err := o.connection.open()
	if err != nil {
		return err
	}
	defer stop()
	options.Estimate = func(ctx context.Context, body map[string]any) (float64, error) { return o.estimate(ctx, client, body) }
	return o.follow(ctx, b, client, options)
}

// openBatch opens the batch and adds the lines of the manifest.
func (o *runOptions) openBatch(ctx context.Context) (*batch.Batch, error) {
	if o.join {
		if o.database == "" {
			return nil, &usageError{errors.New("work needs --database postgres://...; with a file, one process runs the batch")}
		}
		return o.place.open(ctx, "", "", false)
	}
	lines, err := readManifest(ctx, o.manifest, o.model, o.allowUnknown, o.stdin)
	if err != nil {
		return nil, &usageError{err}
	}
	file := ledgerFile
	if o.simulate {
		file = "simulated.db" // its generations end with the simulator
	}
	b, err := o.place.open(ctx, directoryOf(o.output), file, true)
	if err != nil {
		return nil, err
	}
	added, err := b.Add(ctx, lines...)
	if err != nil {
		_ = b.Close()
		return nil, err
	}
	if !o.quiet {
		fmt.Fprintf(o.stderr, "batch %s: %d lines, %d of them new\n", b.ID(), len(lines), added)
	}
	return b, nil
}

// options are those of the flags.
func (o *runOptions) options() (batch.Options, error) {
	until, err := parseUntil(o.until, time.Now())
	if err != nil {
		return batch.Options{}, fmt.Errorf("--until: %w", err)
	}
	options := batch.Options{
		Output: template(o.output), Concurrency: o.concurrency, Rate: o.rate, MaxUSD: o.maxUSD, Until: until, StopAfterFailures: o.stopAfterFailures,
		Search: o.find, Join: o.join,
	}
	if o.find == 0 {
		options.Search = -1
	}
	if o.exec != "" {
		if options.OnSaved, err = newHook(o.exec, o.shell, o.stderr); err != nil {
			return batch.Options{}, fmt.Errorf("--exec: %w", err)
		}
	}
	return options, nil
}

// estimate estimates what a request costs. A property that it leaves out has the spec's default.
func (o *runOptions) estimate(ctx context.Context, client *api.Client, body map[string]any) (float64, error) {
	if document, ok := spec.ByModel(fmt.Sprint(body["model"])); ok {
		for _, p := range document.Properties() {
			if _, set := body[p.Name]; !set && p.Schema.Default != nil {
				body[p.Name] = p.Schema.Default
			}
		}
	}
	estimate, err := client.Estimate(ctx, body)
	switch {
	case err == nil && estimate.USD != nil:
		return *estimate.USD, nil
	case o.price > 0:
		return o.price, nil
	case err != nil:
		return 0, err
	}
	return 0, fmt.Errorf("%s; --price says what a generation costs", estimate.Reason)
}

// parseUntil reads a time of day, a date and time, or a duration.
func parseUntil(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("15:04", text, now.Location()); err == nil {
		at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
		if at.Before(now) {
			at = at.AddDate(0, 0, 1)
		}
		return at, nil
	}
	return time.Time{}, fmt.Errorf("%q, want 18:30, 2026-12-01T08:00:00Z or 8h", text)
}

// follow runs the batch, shows how far it is, and returns the exit code. The first interrupt stops softly, the second at
// once.
func (o *runOptions) follow(ctx context.Context, b *batch.Batch, client *api.Client, options batch.Options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := newView(o.stderr, o.quiet)
	drain := make(chan struct{})
	done := make(chan struct{})
	defer close(done)
	go func() {
		for n := 1; ; n++ {
			select {
			case <-o.interrupts:
			case <-done:
				return
			}
			switch n {
			case 1:
				v.print("stopping: nothing more is submitted, requests and downloads under way are finished; a second Ctrl-C stops at once")
				close(drain)
			case 2:
				cancel()
			}
		}
	}()
	stopView := v.start(ctx, b)
	options.Drain, options.OnChange = drain, v.change
	err := b.Run(ctx, client, options)
	stopView()
	status, statusErr := b.Status(context.WithoutCancel(ctx))
	if statusErr != nil {
		return errors.Join(err, statusErr)
	}
	if err != nil && !is[*batch.StoppedError](err) {
		return err
	}
	if !o.quiet {
		v.print(strings.Join(summary(status), "\n"))
	}
	if o.json {
		if err := printJSON(o.stdout, status); err != nil {
			return err
		}
	}
	if err != nil {
		v.print("wan-batch: " + strings.TrimPrefix(err.Error(), "batch: "))
		v.print("To go on: " + resumeCommand(os.Args))
	}
	if code := statusCode(status, err); code != exitDone {
		return &exitError{code}
	}
	return nil
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

// statusCode is the exit code of a batch: the highest of its lines.
func statusCode(s *batch.Status, err error) int {
	n := s.States
	switch {
	case n[batch.Unknown] > 0:
		return exitUnknown
	case n[batch.Submitting]+n[batch.InProgress]+n[batch.Completed] > 0:
		return exitRunning
	case errors.Is(err, api.ErrUnauthorized), errors.Is(err, api.ErrForbidden):
		return exitAccount
	case n[batch.Failed] > 0:
		return exitFailed
	case n[batch.Pending]+n[batch.Rejected] > 0:
		return exitTrouble
	}
	return exitDone
}

// resumeCommand is the command line once more, to be pasted into a shell.
func resumeCommand(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = shellQuote(arg)
	}
	return strings.Join(quoted, " ")
}

// shellQuote makes a word that a shell leaves alone.
func shellQuote(word string) string {
	if word != "" && strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
