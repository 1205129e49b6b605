// Drift reports what the vendor's published docs say differently from the specs in package spec.
//
//	go run ./spec/drift [flags] FILE_OR_URL...
//	go run ./spec/drift --live
//
// An argument is an OpenAPI spec in JSON or YAML, or a Markdown page with specs in code blocks or behind links of the form
// [OpenAPI name](URL). "-" reads standard input. --live fetches the spec of every model from the API itself. A spec may be
// slightly invalid. A submission is recognized by the model that its request names, the polling by its path or its
// generation_id parameter. A spec with neither is an error: what is no longer recognized has changed most.
//
// Each finding is one line:
//
//	new    breaking    vace-fun-pose  vace-fun-pose.yaml#/components/schemas/Request/properties/num_frames/maximum: ours 241, theirs 161: ...
//
// The JSON pointer leads to the place in our spec that needs the edit. The grade is "breaking" if a program that follows
// our spec may be rejected, receive what it can't read, or get something else for the same request; "compatible" if it is
// unaffected; and "text" if a description, title, example, code sample, extension or page is worded differently than when
// it was last read, since some facts are in texts only. Ignored are operationId, tags and the extensions x-hideTryItPanel
// and x-order, which arrange the vendor's pages.
//
// known.yaml lists the differences that we keep, with a reason; they are reported as known. A listed difference that has
// disappeared is reported as gone. texts.yaml holds fingerprints of the texts that were read; --accept records those of
// the given sources. Both apply to the vendor's docs only, not to copies of our own specs, which are recognized by their
// operationId.
//
// The exit status is 0 for nothing new, 1 if something is new or gone, and 2 if an argument couldn't be read or compared;
// all others are reported even so.
//
// The comparison is our own because oasdiff can't replace it. v1.26.1 doesn't compile with the kin-openapi of this module;
// v1.37 was tried with every row of TestChanges. It doesn't report a changed server, additionalProperties: false, a
// required property without a schema, or any text. It calls a changed default harmless, a version that moved from the path
// into the server two removed endpoints, and an enum of one value that became a const a removed value. It refuses an allOf
// whose members contradict each other. It can't tell silence from removal: the vendor's specs omit all errors and most
// headers. And it names no JSON pointer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/aimlvideo/wan-go/spec/wire"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	o := &options{ours: current(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	code := o.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// options are the flags and streams of one run.
type options struct {
	ours           *contract
	stdin          io.Reader
	stdout, stderr io.Writer

	asJSON, live, accept          bool
	baseURL, knownFile, textsFile string
	args                          []string
}

func (o *options) parse(args []string) error {
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(o.stderr)
	flags.Usage = func() {
		fmt.Fprint(o.stderr, "usage: drift [flags] FILE_OR_URL...\n       drift [flags] --live\n\n"+
			"Report what the vendor's specs say differently from ours. FILE_OR_URL is an OpenAPI spec in JSON or YAML, a Markdown\n"+
			"page with specs in code blocks or behind links, or - for standard input.\n\n"+
			"Exit status: 0 nothing is new, 1 something is new or gone, 2 a source couldn't be read or compared.\n\n")
		flags.PrintDefaults()
	}
	base := wire.BaseURL()
	if base == "" {
		base = wire.DefaultBaseURL
	}
	flags.BoolVar(&o.asJSON, "json", false, "print a JSON array")
	flags.BoolVar(&o.live, "live", false, "fetch the spec of every model from the API")
	flags.StringVar(&o.baseURL, "base-url", base, "the API for --live")
	flags.BoolVar(&o.accept, "accept", false, "record the texts of the sources as read")
	flags.StringVar(&o.knownFile, "known", "", "`file` with the known differences (default spec/drift/known.yaml, built in)")
	flags.StringVar(&o.textsFile, "texts", "", "`file` with the recorded texts (default spec/drift/texts.yaml, built in)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.args = flags.Args()
	if len(o.args) == 0 && !o.live {
		flags.Usage()
		return errors.New("no source")
	}
	return nil
}

func (o *options) run(ctx context.Context, args []string) int {
	switch err := o.parse(args); { // which is already printed
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	list, err := readKnown(o.knownFile, o.textsFile)
	if err != nil {
		return o.fail("", err)
	}
	r := report{ours: o.ours, known: list, accept: o.accept}
	code := 0
	if o.live {
		urls, err := o.ours.liveURLs(o.baseURL)
		if err != nil {
			return o.fail("", err)
		}
		o.args = append(urls, o.args...)
	}
	for _, name := range o.args {
		for _, err := range r.add(ctx, name, o.stdin) {
			code = o.fail(name, err)
		}
	}
	if o.accept {
		if err := list.texts.write(o.textsFile); err != nil {
			return o.fail("", err)
		}
	}
	findings := r.finish()
	if err := o.print(findings); err != nil {
		return o.fail("", err)
	}
	if code == 0 && slices.ContainsFunc(findings, func(f finding) bool { return f.State != stateKnown }) {
		code = 1
	}
	return code
}

// fail prints an error about a source and returns the exit status for it.
func (o *options) fail(source string, err error) int {
	if source != "" {
		err = fmt.Errorf("%s: %w", clean(source), err)
	}
	fmt.Fprintf(o.stderr, "drift: %s\n", line(err.Error()))
	return 2
}

func (o *options) print(findings []finding) error {
	if o.asJSON {
		encoder := json.NewEncoder(o.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(findings)
	}
	for _, f := range findings {
		if _, err := fmt.Fprintln(o.stdout, f); err != nil {
			return err
		}
	}
	return nil
}
