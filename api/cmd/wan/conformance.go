package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// conformanceOptions are the flags of wan conformance.
type conformanceOptions struct {
	*console
	suite.Config

	flags           *pflag.FlagSet
	reports         []*reportFile
	list, overwrite bool
}

// A reportFile is a file that a report is written to; "-" is stdout.
type reportFile struct {
	flag, path string
	write      func(*suite.Report, io.Writer) error
}

// newConformance returns the command that checks a server against the specs.
func newConformance(c *console) *cobra.Command {
	o := &conformanceOptions{console: c, reports: []*reportFile{
		{flag: "junit", write: (*suite.Report).WriteJUnit},
		{flag: "json", write: (*suite.Report).WriteJSON},
		{flag: "html", write: (*suite.Report).WriteHTML},
	}}
	command := &cobra.Command{
		Use:   "conformance",
		Short: "Check a server against the specs",
		Long: "Check a server against the specs: the built-in simulator, or any other with --target. It sends some 8,000 valid and " +
			"invalid requests, and follows generations from submission to result.\n\n" +
			"Every accepted submission costs money on the live API. --spend limits them; by default no submission is sent to a " +
			"--target that should be accepted. Invalid ones are always sent. If the server accepts one, it counts, so a run with " +
			"--spend 5 creates at most 6 jobs.\n\n" +
			"Three levels of --strictness: lenient allows any 4xx for a rejection, and reports without failing what breaks only " +
			"inferred rules; documented fails those too, and allows only the status codes in the specs; exact also checks the messages, as the " +
			"simulator writes them.\n\n" +
			"Exit codes:\n" +
			"  0  the target conforms, as far as it was checked\n" +
			"  1  it doesn't, or the run ended early, or no case was sent\n" +
			"  2  invalid flags, or the target can't be reached or rejects the key",
		Example: "  wan conformance --html report.html\n" +
			"  wan conformance --target https://api.aimlapi.com --spend 5 --junit report.xml\n" +
			"  wan conformance --target http://127.0.0.1:4010 --key any --spend -1 --deviations prism.yaml\n" +
			"  wan conformance --model vace-fun-pose --list | grep num_frames",
		GroupID: "servers",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runConformance(cmd.Context(), o) },
	}
	o.add(command.Flags())
	return command
}

func (o *conformanceOptions) add(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringVar(&o.Target, "target", "", "base `URL` of the server; the built-in simulator by default")
	flags.StringVar(&o.Key, "key", "", "API key; AIML_API_KEY by default. Mocks accept any")
	flags.BoolVar(&o.InsecureHTTP, "insecure-http", false, "allow plain http to another machine, which exposes the key")
	flags.IntVar(&o.Spend, "spend", 0, "limit of submissions that are accepted or get a 5xx, -1 for none; exceeded by at most one. By default 0, and -1 for the built-in simulator")
	flags.StringArrayVar(&o.Generations, "generation", nil, "`ID` of an existing generation to follow as well, which costs nothing; may be repeated")
	flags.DurationVar(&o.MaxTime, "max-time", 15*time.Minute, "end the run after this time, with exit code 1")
	flags.DurationVar(&o.Timeout, "timeout", 2*time.Minute, "how long to wait for a response")
	flags.DurationVar(&o.Patience, "patience", 10*time.Minute, "how long to follow a generation")
	flags.IntVar(&o.Concurrency, "concurrency", 8, "how many requests to send at once")
	flags.BoolVar(&o.FailFast, "fail-fast", false, "end the run after the first failure")
	flags.Func("strictness", "`LEVEL`: lenient, documented or exact. By default lenient, and exact for the built-in simulator",
		func(text string) error { return o.Strictness.UnmarshalText([]byte(text)) })
	flags.StringArrayVar(&o.Models, "model", nil, "check only the model with this `SLUG`, such as vace-fun-pose; may be repeated")
	flags.Func("run", "run only the cases whose names match the regular `EXPRESSION`",
		func(text string) (err error) { o.Run, err = regexp.Compile(text); return err })
	flags.Func("skip", "skip the cases whose names match the regular `EXPRESSION`",
		func(text string) (err error) { o.Skip, err = regexp.Compile(text); return err })
	flags.Func("deviations", "YAML `FILE` of cases and rules that are known to fail, with reasons", o.readDeviations)
	flags.BoolVar(&o.list, "list", false, "list the cases and what they expect, and send nothing")
	for _, report := range o.reports {
		flags.StringVar(&report.path, report.flag, "", "write the report as "+report.flag+" to `FILE`; - is stdout")
	}
	flags.BoolVar(&o.overwrite, "overwrite", false, "overwrite the files of the reports if they exist")
}

func (o *conformanceOptions) readDeviations(path string) error {
	text, err := os.ReadFile(path)
	if err == nil {
		o.Deviations, err = suite.ParseDeviations(text)
	}
	return err
}

func runConformance(ctx context.Context, o *conformanceOptions) error {
	if err := o.complete(); err != nil {
		return inputError(err)
	}
	if o.list {
		return o.printList()
	}
	if o.Target == "" {
		stop, err := o.simulate(ctx)
		if err != nil {
			return err
		}
		defer stop()
	}
	progress := newProgress(o.stderr, false)
	o.Progress = progressPrinter(progress)
	report, err := suite.Run(ctx, o.Config)
	progress.stop()
	if report == nil {
		return inputError(err)
	}
	summary := o.stdout
	if slices.ContainsFunc(o.reports, func(f *reportFile) bool { return f.path == "-" }) {
		summary = o.stderr
	}
	if err := report.WriteSummary(summary); err != nil {
		return err
	}
	for _, file := range o.reports {
		if err := file.save(report, o.stdout); err != nil {
			return err
		}
	}
	switch {
	case report.Interrupted:
		return errors.New(report.Reason)
	case !report.OK():
		return errors.New("the target doesn't conform")
	}
	return nil
}

// progressPrinter returns a function that shows the progress: on a terminal in one line, elsewhere in a line every 10 s.
func progressPrinter(progress *progress) func(suite.Progress) {
	last := time.Now()
	return func(p suite.Progress) {
		text := fmt.Sprintf("%d of %d cases, %d failed", p.Done, p.Total, p.Failed)
		if p.Waiting > 0 {
			text += fmt.Sprintf("; generations to wait for: %d, with %d s left of the patience", p.Waiting, int(p.Patience.Seconds()))
		}
		progress.set(text)
		if !progress.terminal && time.Since(last) >= 10*time.Second {
			last = time.Now()
			progress.line(text)
		}
	}
}

// printList lists the selected cases.
func (o *conformanceOptions) printList() error {
	list, err := suite.List(o.Config)
	if err != nil {
		return inputError(err)
	}
	var b strings.Builder
	for _, result := range list {
		fmt.Fprintln(&b, strings.TrimSpace(result.Name+"  "+result.Expected), " "+result.Why)
	}
	_, err = io.WriteString(o.stdout, b.String())
	return err
}

// complete checks the flags and completes the configuration.
func (o *conformanceOptions) complete() error {
	for _, name := range []string{"target", "key"} { // from an unset variable
		if flag := o.flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return fmt.Errorf("--%s is empty", name)
		}
	}
	for _, name := range []string{"key", "insecure-http", "generation"} {
		if o.Target == "" && o.flags.Changed(name) {
			return fmt.Errorf("--%s requires --target", name)
		}
	}
	for _, limit := range []struct {
		flag  string
		value time.Duration
	}{{"patience", o.Patience}, {"max-time", o.MaxTime}, {"timeout", o.Timeout}, {"concurrency", time.Duration(o.Concurrency)}} {
		if limit.value <= 0 {
			return fmt.Errorf("--%s must be positive", limit.flag)
		}
	}
	if o.Target == "" && !o.flags.Changed("spend") {
		o.Spend = -1
	}
	if o.Target == "" && !o.flags.Changed("strictness") {
		o.Strictness = suite.Exact
	}
	stdout := 0
	for _, report := range o.reports {
		if err := report.check(o.overwrite); err != nil {
			return fmt.Errorf("--%s: %w", report.flag, err)
		}
		if report.path == "-" {
			stdout++
		}
	}
	if stdout > 1 {
		return errors.New("only one report can be written to stdout")
	}
	o.Key = cmp.Or(o.Key, wire.Key())
	if o.Target != "" && o.Key == "" && !o.list {
		return errors.New("no API key: add --key or set AIML_API_KEY; mocks accept any")
	}
	return nil
}

// simulate starts a simulator as the target, with one generation that fails.
func (o *conformanceOptions) simulate(ctx context.Context) (stop func(), err error) {
	server, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(100*time.Millisecond, 100*time.Millisecond)))
	if err != nil {
		return nil, err
	}
	o.Target, o.Name, o.Key = server.URL, "the built-in simulator", server.Key
	server.Script(simulator.Fail("SimulatedFailure", "This generation fails by script"))
	request := map[string]any{}
	for _, p := range spec.Models()[0].Properties() {
		if p.Required {
			request[p.Name] = p.Schema.Example
		}
	}
	client, err := api.New(api.WithBaseURL(server.URL), api.WithAPIKey(server.Key))
	if err == nil {
		_, err = client.Submit(ctx, request)
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	o.Generations = []string{server.Ledger().Jobs[0].ID}
	return server.Close, nil
}

// check reports before the run whether the file can be written. A pipe must not be opened twice: its reader takes the
// first close as the end.
func (f *reportFile) check(overwrite bool) error {
	info, err := os.Stat(f.path)
	switch {
	case f.path == "" || f.path == "-" || err == nil && !info.IsDir() && !info.Mode().IsRegular():
		return nil
	case err == nil && info.Mode().IsRegular() && !overwrite:
		return fmt.Errorf("%s exists; choose another name or use --overwrite", f.path)
	}
	return savable(f.path)
}

func (f *reportFile) save(report *suite.Report, stdout io.Writer) error {
	switch f.path {
	case "":
		return nil
	case "-":
		return f.write(report, stdout)
	}
	err := os.MkdirAll(filepath.Dir(f.path), 0o750)
	if err != nil {
		return err
	}
	file, err := os.Create(f.path)
	if err != nil {
		return err
	}
	return errors.Join(f.write(report, file), file.Close())
}
