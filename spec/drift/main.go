// Drift tells what the vendor's published documents say differently from the documents in spec.
//
//	go run ./spec/drift [--json] [--known FILE] FILE_OR_URL...
//
// Each argument is an OpenAPI document, as JSON, as YAML, or in the code blocks of a Markdown page, and may be slightly
// invalid. A model is recognised by the enum of the model property of a POST request, the polling by its path or its
// generation_id. Everything else in the documents is left aside; but one without any of these is an error, since what
// isn't recognised any more has changed most.
//
// Each finding is a line:
//
//	new    breaking    vace-fun-pose  vace-fun-pose.yaml#/components/schemas/Request/properties/num_frames/maximum: ours 241, theirs 161: ...
//
// The JSON pointer leads to the place in our document, which is where the next edit is. The grade says what becomes of
// a program that keeps to our document: it is "breaking" where the API may refuse it, answer what it can't read or make
// something else of the same request; "compatible" where it goes on as before; "text" where the vendor words something
// differently than when it was last read, which may hide a fact.
//
// Differences that we know and keep are listed with a reason in known.yaml, or another FILE, and reported as known. One
// that is listed but isn't there any more is reported as gone. The list is about the vendor's documents: to a copy of
// one of ours, told by its operationId, it doesn't apply.
//
// Exit status: 0 for nothing new, 1 for something new or gone, 2 for an argument that couldn't be read or compared; what
// could be is reported all the same.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, current(), os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, ours *contract, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("drift", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: drift [--json] [--known FILE] FILE_OR_URL...\n")
		flags.PrintDefaults()
	}
	asJSON := flags.Bool("json", false, "print a JSON array")
	knownFile := flags.String("known", "", "the differences that are known (default spec/drift/known.yaml, built in)")
	if flags.Parse(args) != nil {
		return 2
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return 2
	}
	list, err := readKnown(*knownFile)
	if err != nil {
		fmt.Fprintf(stderr, "drift: %s\n", clean(err.Error()))
		return 2
	}
	all := report{ours: ours, known: list}
	unread := false
	for _, name := range flags.Args() {
		for _, err := range all.add(ctx, name) {
			fmt.Fprintf(stderr, "drift: %s: %s\n", clean(name), clean(err.Error()))
			unread = true
		}
	}
	findings := all.finish()
	if *asJSON {
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(findings)
	} else {
		for _, f := range findings {
			if _, err = fmt.Fprintln(stdout, f); err != nil {
				break
			}
		}
	}
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "drift: %s\n", clean(err.Error()))
		return 2
	case unread:
		return 2
	case slices.ContainsFunc(findings, func(f finding) bool { return f.State != stateKnown }):
		return 1
	}
	return 0
}
