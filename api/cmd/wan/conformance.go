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
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec"
)

// A trial holds the flags of wan conformance.
type trial struct {
	suite.Config

	run, skip, deviations string
	reports               []*reportFile
}

// A reportFile is a file that a report is written to.
type reportFile struct {
	flag, path string
	write      func(*suite.Report, io.Writer) error
	open       *os.File // already, where there is something else than a file
}

// newConformance makes the command that tries a server against the documents.
func newConformance() *cobra.Command {
	t := trial{reports: []*reportFile{
		{flag: "junit", write: (*suite.Report).WriteJUnit},
		{flag: "json", write: (*suite.Report).WriteJSON},
		{flag: "html", write: (*suite.Report).WriteHTML},
	}}
	command := &cobra.Command{
		Use:   "conformance",
		Short: "Try a server against the documents",
		Long: "Try a server against the documents: the built-in simulator, or with --target any other. It sends some 3,500 requests,\n" +
			"valid and not, and follows generations from submission to result. On the live API every submission that is accepted\n" +
			"costs money: --spend limits them, and without it nothing is submitted that should be accepted.\n\n" +
			"Exit codes:\n" +
			"  0  the target keeps to the documents, as far as it was tried\n" +
			"  1  it doesn't, or the run was interrupted, or nothing was tried\n" +
			"  2  bad flags, or the target can't be reached or doesn't take the key",
		Example: "  wan conformance --html report.html\n" +
			"  wan conformance --target https://api.aimlapi.com --spend 5 --junit report.xml\n" +
			"  wan conformance --target http://127.0.0.1:4010 --key any --spend -1 --deviations prism.yaml",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.try(cmd) },
	}
	t.add(command.Flags())
	return command
}

func (t *trial) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&t.Target, "target", "", "base `URL` of the server; the built-in simulator if not given")
	flags.StringVar(&t.Key, "key", "", "its API key; AIML_API_KEY if not given. A mock takes any")
	flags.BoolVar(&t.InsecureHTTP, "insecure-http", false, "let the key go over plain http to another machine")
	flags.IntVar(&t.Spend, "spend", 0, "how many submissions may be accepted, or answered 5xx, which leaves it open; -1 is no limit")
	flags.StringArrayVar(&t.Generations, "generation", nil, "`ID` of a generation that there is, whose life is looked at, too; costs nothing; may be given again")
	flags.DurationVar(&t.Patience, "patience", 10*time.Minute, "how long to follow a generation")
	flags.BoolVar(&t.Exact, "exact", false, "ask also for the statuses and the JSON pointers that the simulator answers")
	flags.StringVar(&t.run, "run", "", "only the cases whose names match the regular `EXPRESSION`")
	flags.StringVar(&t.skip, "skip", "", "not the cases whose names match the regular `EXPRESSION`")
	flags.StringVar(&t.deviations, "deviations", "", "YAML `FILE` of cases that are known to fail, each with the reason")
	for _, report := range t.reports {
		flags.StringVar(&report.path, report.flag, "", "`FILE` for the report as "+report.flag)
	}
}

func (t *trial) try(cmd *cobra.Command) error {
	if err := t.read(cmd.Flags()); err != nil {
		return inputError(err)
	}
	if t.Target == "" {
		stop, err := t.simulate(cmd)
		if err != nil {
			return err
		}
		defer stop()
	}
	progress := newProgress(cmd.ErrOrStderr(), false)
	t.Progress = func(p suite.Progress) {
		progress.set(fmt.Sprintf("%d of %d cases, %d failed", p.Done, p.Total, p.Failed))
	}
	report, err := suite.Run(cmd.Context(), t.Config)
	progress.stop()
	if report == nil {
		return inputError(err) // nothing has begun
	}
	if err := report.WriteSummary(cmd.OutOrStdout()); err != nil {
		return err
	}
	for _, file := range t.reports {
		if err := file.save(report); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case !report.OK():
		return errors.New("the target doesn't pass")
	}
	return nil
}

// read turns what the flags say into a configuration.
func (t *trial) read(flags *pflag.FlagSet) error {
	for _, name := range []string{"target", "key"} { // from a variable that isn't set
		if flag := flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return fmt.Errorf("--%s: it is empty", name)
		}
	}
	for _, name := range []string{"key", "insecure-http", "generation"} {
		if t.Target == "" && flags.Changed(name) {
			return fmt.Errorf("--%s: it is about a --target; the built-in simulator needs none", name)
		}
	}
	if t.Patience <= 0 {
		return errors.New("--patience: it has to be more than nothing")
	}
	if slices.Contains(t.Generations, "") {
		return errors.New("--generation: it is empty")
	}
	for flag, expression := range map[string]struct {
		text  string
		value **regexp.Regexp
	}{"run": {t.run, &t.Run}, "skip": {t.skip, &t.Skip}} {
		if expression.text == "" {
			continue
		}
		compiled, err := regexp.Compile(expression.text)
		if err != nil {
			return fmt.Errorf("--%s: %w", flag, err)
		}
		*expression.value = compiled
	}
	if t.deviations != "" {
		data, err := os.ReadFile(t.deviations)
		if err != nil {
			return fmt.Errorf("--deviations: %w", err)
		}
		if t.Deviations, err = suite.ParseDeviations(data); err != nil {
			return err
		}
	}
	t.Key = cmp.Or(t.Key, os.Getenv("AIML_API_KEY"), os.Getenv("AIMLAPI_API_KEY"))
	return t.openReports()
}

// openReports finds out now whether the reports can be written when the run is over.
func (t *trial) openReports() error {
	for i, report := range t.reports {
		if report.path == "" {
			continue
		}
		if err := report.check(); err != nil {
			return fmt.Errorf("--%s: %w", report.flag, err)
		}
		for _, other := range t.reports[:i] {
			if other.path != "" && report.same(other) {
				return fmt.Errorf("--%s: it is the file of --%s", report.flag, other.flag)
			}
		}
	}
	return nil
}

// simulate starts a simulator as the target, with one generation that fails.
func (t *trial) simulate(cmd *cobra.Command) (stop func(), err error) {
	server, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(100*time.Millisecond, 100*time.Millisecond)))
	if err != nil {
		return nil, err
	}
	t.Target, t.Key, t.Exact = server.URL, server.Key, true
	if !cmd.Flags().Changed("spend") {
		t.Spend = -1
	}
	server.Script(simulator.Fail("SimulatedFailure", "The simulator was told to let this generation fail"))
	id, err := submitExample(cmd.Context(), server)
	if err != nil {
		server.Close()
		return nil, err
	}
	t.Generations = []string{id}
	return server.Close, nil
}

// submitExample submits what the first document gives as an example.
func submitExample(ctx context.Context, server *simulator.Server) (id string, err error) {
	client, err := api.New(api.WithBaseURL(server.URL), api.WithAPIKey(server.Key))
	if err != nil {
		return "", err
	}
	request := map[string]any{}
	for _, p := range spec.Models()[0].Properties() {
		if p.Required {
			request[p.Name] = p.Schema.Example
		}
	}
	job, err := client.Submit(ctx, request)
	if err != nil {
		return "", err
	}
	return job.ID(), nil
}

// check looks whether the file can be written. A pipe or a terminal stays open: who reads a pipe takes its closing for
// the end. So does the file that the summary goes to, which isn't to be overwritten.
func (f *reportFile) check() error {
	info, err := os.Stat(f.path)
	if err != nil || info.IsDir() {
		return creatable(f.path)
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if out, err := os.Stdout.Stat(); info.Mode().IsRegular() && (err != nil || !os.SameFile(info, out)) {
		return file.Close()
	}
	f.open = file
	return nil
}

// same reports whether both are one file, whatever the ways to it.
func (f *reportFile) same(other *reportFile) bool {
	one, err := os.Stat(f.path)
	two, otherErr := os.Stat(other.path)
	if err == nil && otherErr == nil {
		return os.SameFile(one, two)
	}
	return f.absolute() == other.absolute() // there is no such file yet
}

func (f *reportFile) absolute() string {
	directory, err := filepath.EvalSymlinks(filepath.Dir(f.path))
	if err == nil {
		directory, err = filepath.Abs(directory)
	}
	if err != nil {
		return f.path
	}
	return filepath.Join(directory, filepath.Base(f.path))
}

func (f *reportFile) save(report *suite.Report) error {
	if f.path == "" {
		return nil
	}
	file := f.open
	if file == nil {
		var err error
		if file, err = os.Create(f.path); err != nil {
			return err
		}
	}
	return errors.Join(f.write(report, file), file.Close())
}
