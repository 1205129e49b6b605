package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// runOptions are the flags of run, work and recover.
type runOptions struct {
	*console
	place
	connection
	batch.Options

	manifest, model, until string
	allowUnknown           bool
	exec                   string
	shell, json, quiet     bool
	recovers               bool // the ledger was lost
}

func newRun(c *console) *cobra.Command {
	o := &runOptions{console: c}
	command := &cobra.Command{
		Use:   "run MANIFEST",
		Short: "Submit the lines of a manifest, wait, and save the videos",
		Long: `Submit the lines of a manifest, wait, and save the videos. After any stop, the same command resumes:
what is in the ledger beside the videos isn't submitted again. A manifest that has grown adds its new lines.

A manifest is JSONL with {"custom_id", "body"} or request bodies with a custom_id, or CSV with a header of property
names ("a.png|b.png" in a cell is a list), or - for stdin. Media are URLs or paths relative to the manifest.`,
		Example:     "  wan-batch run jobs.jsonl -o videos/ --concurrency 20 --max-usd 50\n  wan-batch run api/batch/testdata/example.jsonl --simulate -o /tmp/videos",
		Args:        exactly(1, "which manifest? wan-batch run MANIFEST"),
		Annotations: help.Tail(environment, exitCodes),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.manifest = args[0]
			if o.Concurrency < 1 {
				return &usageError{fmt.Errorf("--concurrency: %d, want at least 1", o.Concurrency)}
			}
			return o.run(cmd.Context())
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	o.addManifest(flags)
	flags.IntVar(&o.Concurrency, "concurrency", 10, "generations in flight, at least 1")
	flags.IntVar(&o.Rate, "rate", 0, "submissions per minute; 0 is no limit")
	flags.Float64Var(&o.MaxUSD, "max-usd", 0, "stop submitting where the batch could cost more; 0 is no limit")
	flags.Float64Var(&o.Price, "price", 0, "what one generation costs in `USD`, where --max-usd can't get it from the API")
	flags.StringVar(&o.until, "until", "", "stop submitting at this `TIME`, such as 18:30 or 2026-12-01T08:00:00Z, or after a duration such as 8h")
	flags.IntVar(&o.StopAfterFailures, "stop-after-failures", 0, "stop submitting after so many failed lines; 0 is no limit")
	flags.BoolVar(&o.simulate, "simulate", false, "use the built-in simulator: no key, no network, no cost; all files are in simulated/ below the videos' directory")
	o.addShared(flags)
	return command
}

func newWork(c *console) *cobra.Command {
	o := &runOptions{console: c}
	o.Join = true
	command := &cobra.Command{
		Use:         "work",
		Short:       "Help to run a batch that is in Postgres, on this machine too",
		Long:        "Help to run a batch that is in Postgres. Limits and output are those of the last run; local files need the same paths here.",
		Example:     "  wan-batch work --database postgres://user@host/wan --batch spring",
		Args:        exactly(0, "work takes no arguments"),
		Annotations: help.Tail(environment, exitCodes),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.database == "" {
				return &usageError{errors.New("work needs --database postgres://...; with a file, one process runs the batch")}
			}
			return o.run(cmd.Context())
		},
	}
	o.addShared(command.Flags())
	return command
}

func (o *runOptions) addManifest(flags *pflag.FlagSet) {
	flags.StringVarP(&o.Output, "output", "o", "videos/", "directory or `TEMPLATE` of the videos, in which {custom_id} is replaced")
	flags.StringVar(&o.model, "model", "", "`MODEL` of lines that name none")
	flags.BoolVar(&o.allowUnknown, "allow-unknown", false, "send properties that the spec doesn't list")
}

func (o *runOptions) addShared(flags *pflag.FlagSet) {
	flags.DurationVar(&o.Search, "find", 30*time.Minute, "how long to look in the account's logs for submissions of unknown outcome; 0 is never")
	flags.StringVar(&o.exec, "exec", "", "`COMMAND` for each video that is saved from now on, without a shell; {file}, {custom_id}, {id} and {usd} are replaced. The line is saved when it succeeds")
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
	b, client, stop, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return o.follow(ctx, b, client)
}

// open opens the batch and the API, and adds the lines of the manifest. Nothing is written before all input has been
// checked.
func (o *runOptions) open(ctx context.Context) (*batch.Batch, *api.Client, func(), error) {
	if err := o.complete(); err != nil {
		return nil, nil, nil, &usageError{err}
	}
	lines := &manifest{}
	if !o.Join {
		var err error
		if lines, err = readManifest(ctx, o.manifest, o.model, o.allowUnknown, o.stdin); err != nil {
			return nil, nil, nil, &usageError{err}
		}
	}
	directory := batch.Directory(o.Output)
	client, stopAPI, err := o.connection.open(directory)
	if err != nil {
		return nil, nil, nil, err
	}
	var b *batch.Batch
	if o.Join {
		b, err = o.place.open(ctx)
	} else {
		b, err = o.create(ctx, directory, o.recovers)
	}
	if err != nil {
		stopAPI()
		return nil, nil, nil, err
	}
	stop := func() {
		_ = b.Close()
		stopAPI()
	}
	added := 0
	if !o.Join {
		added, err = b.AddManifest(ctx, lines.all, o.Output)
	}
	if err != nil {
		stop()
		return nil, nil, nil, err
	}
	if !o.quiet && !o.Join {
		fmt.Fprintf(o.stderr, "batch %s: %s, %d of them new\n", b.ID(), plural(len(lines.lines), "line"), added)
	}
	return b, client, stop, nil
}

// complete completes the options by what the flags say, and checks them.
func (o *runOptions) complete() (err error) {
	if isOneFile(o.Output) {
		return fmt.Errorf("-o %s is one file for all lines: name a directory, or put {custom_id} into it, as in %s",
			o.Output, filepath.Join(filepath.Dir(o.Output), "{custom_id}"+filepath.Ext(o.Output)))
	}
	o.Output = template(o.Output)
	switch {
	case o.simulate && (o.id != "" || o.database != os.Getenv("WAN_BATCH_DATABASE")):
		return errors.New("--simulate has a batch of its own, without --batch and --database")
	case o.simulate:
		o.Output, o.place = simulatedTemplate(o.Output), place{id: simulated}
	case o.id == simulated:
		return fmt.Errorf("--batch: %s is the id of batches that are", simulated)
	}
	if o.Until, err = parseUntil(o.until, time.Now()); err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if o.Search == 0 {
		o.Search = -1
	}
	if o.exec != "" {
		if o.OnSaved, err = newHook(o.exec, o.shell, o.stderr); err != nil {
			return fmt.Errorf("--exec: %w", err)
		}
	}
	return o.Validate()
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

// follow runs the batch, shows how far it is, and returns the exit code. The first interrupt stops softly.
func (o *runOptions) follow(ctx context.Context, b *batch.Batch, client *api.Client) error {
	v := newView(o.stderr, o.quiet)
	drain := make(chan struct{})
	o.soft.Store(new(func() {
		v.print("stopping: nothing more is submitted, requests and downloads under way are finished; a second Ctrl-C stops at once")
		close(drain)
	}))
	o.Drain, o.OnChange = drain, v.change
	stopView := v.start(ctx, b)
	err := b.Run(ctx, client, o.Options)
	stopView()
	if err != nil && !is[*batch.StoppedError](err) {
		return err
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	status, statusErr := b.Status(late)
	if statusErr != nil && err == nil {
		return statusErr
	}
	if statusErr == nil && !o.quiet {
		v.print(strings.Join(summary(status), "\n"))
	}
	if statusErr == nil && o.json {
		if err := printJSON(o.stdout, status); err != nil {
			return err
		}
	}
	if err != nil {
		v.print("wan-batch: " + strings.TrimPrefix(err.Error(), "batch: "))
		v.print("To resume: " + resumption(os.Args[1:]))
	}
	if statusErr != nil { // the database doesn't answer, so generations may be in flight
		return &exitError{exitRunning}
	}
	if code := statusCode(status, err); code != exitDone {
		return &exitError{code}
	}
	return nil
}

// resumption is the command that resumes a batch, without the password of its database.
func resumption(args []string) string {
	shown := make([]string, len(args))
	for i, arg := range args {
		shown[i] = redact.Password(arg)
	}
	return commandName() + " " + shellquote.Join(shown...)
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
