package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
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
	suite.Config

	run, skip, deviations string
	reports               []*reportFile
}

// A reportFile is a file that a report is written to.
type reportFile struct {
	flag, path string
	write      func(*suite.Report, io.Writer) error
}

// newConformance returns the command that checks a server against the specs.
func newConformance() *cobra.Command {
	o := conformanceOptions{reports: []*reportFile{
		{flag: "junit", write: (*suite.Report).WriteJUnit},
		{flag: "json", write: (*suite.Report).WriteJSON},
		{flag: "html", write: (*suite.Report).WriteHTML},
	}}
	command := &cobra.Command{
		Use:   "conformance",
		Short: "Check a server against the specs",
		Long: "Check a server against the specs: the built-in simulator, or any other with --target. It sends some 3,500 valid and\n" +
			"invalid requests, and follows generations from submission to result. Every accepted submission costs money on the\n" +
			"live API: --spend limits them. By default no submission is sent that should be accepted.\n\n" +
			"Exit codes:\n" +
			"  0  the target conforms, as far as it was checked\n" +
			"  1  it doesn't, or the run was interrupted, or no case was sent\n" +
			"  2  invalid flags, or the target can't be reached or rejects the key",
		Example: "  wan conformance --html report.html\n" +
			"  wan conformance --target https://api.aimlapi.com --spend 5 --junit report.xml\n" +
			"  wan conformance --target http://127.0.0.1:4010 --key any --spend -1 --deviations prism.yaml",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.execute(cmd) },
	}
	o.add(command.Flags())
	return command
}

func (o *conformanceOptions) add(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&o.Target, "target", "", "base `URL` of the server; the built-in simulator by default")
	flags.StringVar(&o.Key, "key", "", "API key; AIML_API_KEY by default. Mocks accept any")
	flags.BoolVar(&o.InsecureHTTP, "insecure-http", false, "allow plain http to another machine, which exposes the key")
	flags.IntVar(&o.Spend, "spend", 0, "limit of submissions that are accepted or get a 5xx; -1 for none. One more is possible where the server accepts an invalid one")
	flags.StringArrayVar(&o.Generations, "generation", nil, "`ID` of an existing generation to follow as well, which costs nothing; may be repeated")
	flags.DurationVar(&o.Patience, "patience", 10*time.Minute, "how long to follow a generation")
	flags.BoolVar(&o.Exact, "exact", false, "also check the status codes and JSON pointers that the simulator returns")
	flags.StringVar(&o.run, "run", "", "run only the cases whose names match the regular `EXPRESSION`")
	flags.StringVar(&o.skip, "skip", "", "skip the cases whose names match the regular `EXPRESSION`")
	flags.StringVar(&o.deviations, "deviations", "", "YAML `FILE` of cases that are known to fail, with reasons")
	for _, report := range o.reports {
		flags.StringVar(&report.path, report.flag, "", "write the report as "+report.flag+" to `FILE`")
	}
}

func (o *conformanceOptions) execute(cmd *cobra.Command) error {
	if err := o.complete(cmd.Flags()); err != nil {
		return inputError(err)
	}
	if o.Target == "" {
		stop, err := o.simulate(cmd)
		if err != nil {
			return err
		}
		defer stop()
	}
	progress := newProgress(cmd.ErrOrStderr(), false)
	o.Progress = func(p suite.Progress) {
		progress.set(fmt.Sprintf("%d of %d cases, %d failed", p.Done, p.Total, p.Failed))
	}
	report, err := suite.Run(cmd.Context(), o.Config)
	progress.stop()
	if report == nil {
		return inputError(err)
	}
	if err := report.WriteSummary(cmd.OutOrStdout()); err != nil {
		return err
	}
	for _, file := range o.reports {
		if err := file.save(report); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case !report.OK():
		return errors.New("the target doesn't conform")
	}
	return nil
}

// complete checks the flags and completes the configuration.
func (o *conformanceOptions) complete(flags *pflag.FlagSet) error {
	for _, name := range []string{"target", "key"} { // from an unset variable
		if flag := flags.Lookup(name); flag.Changed && flag.Value.String() == "" {
			return fmt.Errorf("--%s is empty", name)
		}
	}
	for _, name := range []string{"key", "insecure-http", "generation"} {
		if o.Target == "" && flags.Changed(name) {
			return fmt.Errorf("--%s requires --target", name)
		}
	}
	if o.Patience <= 0 {
		return errors.New("--patience must be positive")
	}
	var err error
	if o.Run, err = compile("run", o.run); err != nil {
		return err
	}
	if o.Skip, err = compile("skip", o.skip); err != nil {
		return err
	}
	if o.deviations != "" {
		data, err := os.ReadFile(o.deviations)
		if err != nil {
			return fmt.Errorf("--deviations: %w", err)
		}
		if o.Deviations, err = suite.ParseDeviations(data); err != nil {
			return err
		}
	}
	for _, report := range o.reports {
		if err := report.check(); err != nil {
			return fmt.Errorf("--%s: %w", report.flag, err)
		}
	}
	o.Key = cmp.Or(o.Key, wire.Key())
	return nil
}

// compile compiles the regular expression of a flag. It returns nil for an empty one.
func compile(flag, expression string) (*regexp.Regexp, error) {
	if expression == "" {
		return nil, nil
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	return compiled, nil
}

// simulate starts a simulator as the target, with one generation that fails.
func (o *conformanceOptions) simulate(cmd *cobra.Command) (stop func(), err error) {
	server, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(100*time.Millisecond, 100*time.Millisecond)))
	if err != nil {
		return nil, err
	}
	o.Target, o.Key, o.Exact = server.URL, server.Key, true
	if !cmd.Flags().Changed("spend") {
		o.Spend = -1
	}
	server.Script(simulator.Fail("SimulatedFailure", "This generation fails by script"))
	id, err := submitExample(cmd.Context(), server)
	if err != nil {
		server.Close()
		return nil, err
	}
	o.Generations = []string{id}
	return server.Close, nil
}

// submitExample submits the example of the first spec.
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

// check reports before the run whether the file can be written. A pipe must not be opened twice: its reader takes the
// first close as the end.
func (f *reportFile) check() error {
	if f.path == "" {
		return nil
	}
	switch info, err := os.Stat(f.path); {
	case err != nil || info.IsDir():
		return creatable(f.path)
	case info.Mode().IsRegular():
		file, err := os.OpenFile(f.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return file.Close()
	}
	return nil
}

func (f *reportFile) save(report *suite.Report) error {
	if f.path == "" {
		return nil
	}
	file, err := os.Create(f.path)
	if err != nil {
		return err
	}
	return errors.Join(f.write(report, file), file.Close())
}
