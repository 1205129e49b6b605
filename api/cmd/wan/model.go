package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// modelOptions are the flags of the command that submits to one model.
type modelOptions struct {
	*console
	connection
	output

	document     *spec.Document
	properties   *pflag.FlagSet
	file         string
	allowUnknown bool
	noValidate   bool
	dryRun       bool
	onlyEstimate bool
	noWait       bool
	noHistory    bool
	open         bool
	promptFile   string
	find         time.Duration
	maxUSD       float64
	spooled      []string // temporary files
	requestID    string
}

func newModel(c *console, document *spec.Document) *cobra.Command {
	o := &modelOptions{console: c, document: document, properties: requestFlags(document)}
	description := document.OpenAPI.Info.Description
	command := &cobra.Command{
		Use:     document.Slug + " [flags]",
		Short:   firstSentence(description),
		GroupID: "models",
		Long: description + "\n\nModel: " + document.Model +
			"\nA flag that takes FILE|URL uploads a local file, or what a pipe or - (standard input) yields.\n" +
			"A submission costs money, except with --simulate.",
		Example:     "  wan " + document.Slug + example(document) + " --simulate -o out.mp4",
		Aliases:     []string{document.Model},
		Annotations: help.Tail(environment, exitCodes()),
		Args:        noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("client-request-id") {
				o.requestID = "wan-" + rand.Text()
			}
			return nameFlag(runModel(cmd.Context(), o), o.properties)
		},
	}
	o.add(command.Flags())
	return command
}

func (o *modelOptions) add(flags *pflag.FlagSet) {
	flags.AddFlagSet(o.properties)
	flags.StringVarP(&o.file, "file", "f", "", "`FILE` with the request as a JSON object, - for standard input; flags override it")
	if o.properties.Lookup("prompt") != nil {
		flags.StringVar(&o.promptFile, "prompt-file", "", "`FILE` with the prompt as text, - for standard input")
	}
	flags.BoolVar(&o.allowUnknown, "allow-unknown", false, "send properties of --file that the spec doesn't list, too")
	flags.BoolVar(&o.noValidate, "no-validate", false, "send what the spec refuses, such as values of a newer revision of the API")
	o.output.add(flags)
	flags.BoolVar(&o.open, "open", false, "show the saved video with the platform's program")
	flags.Int64Var(&o.maxMedia, "max-media", 100, "the largest local file in MiB")
	flags.BoolVar(&o.noWait, "no-wait", false, "print the id of the accepted generation and don't wait for it")
	flags.BoolVar(&o.dryRun, "dry-run", false, "check everything but the cost, print the request with media shortened, and send nothing; with --json only its body")
	flags.BoolVar(&o.onlyEstimate, "estimate", false, "ask the API for the price, print what the request will cost, and submit nothing")
	flags.StringVar(&o.requestID, "client-request-id", "", "`ID` of the submission in the account's usage logs")
	flags.Float64Var(&o.maxUSD, "max-usd", 0, "refuse to submit if the estimate is higher, unknown, or above the balance")
	flags.DurationVar(&o.find, "find", 30*time.Second, "how long to look for a submission of unknown outcome in the account's logs, also after --timeout and Ctrl-C; 0 is never")
	flags.BoolVar(&o.noHistory, "no-history", false, "keep the submission out of wan jobs")
	flags.BoolVar(&o.simulate, "simulate", false, "use a simulator inside this process: no key, no cost, a test video")
	o.connection.add(flags)
	o.addDownload(flags)
}

func runModel(ctx context.Context, o *modelOptions) error {
	switch {
	case o.maxMedia < 1:
		return inputError(errors.New("--max-media has to be at least 1"))
	case o.output.flags.Changed("max-usd") && !(o.maxUSD > 0): // also NaN, and what is left of a spent budget
		return inputError(errors.New("--max-usd must be more than 0"))
	case o.find < 0:
		return inputError(errors.New("--find can't be negative"))
	}
	defer o.removeSpooled()
	body, err := o.request(ctx)
	if err != nil {
		return err
	}
	seed := fmt.Sprint(cmp.Or(body["seed"], any("")))
	o.slug = o.document.Slug
	if err := o.check(seed, nil); err != nil {
		return err
	}
	if o.open && (o.path == "" || o.path == "-" || o.noWait) {
		return inputError(errors.New("--open: it needs -o FILE, and no --no-wait"))
	}
	if o.simulate && o.noWait {
		return inputError(errors.New("--no-wait: the simulator ends with this command; wan simulate runs one that stays"))
	}
	if o.dryRun {
		return runDryRun(ctx, o, body)
	}
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	if o.onlyEstimate {
		return o.printEstimate(ctx, client, body)
	}
	return o.submit(ctx, client, body, seed)
}

// submit submits the request and, unless --no-wait is set, finishes the job.
func (o *modelOptions) submit(ctx context.Context, client *api.Client, body map[string]any, seed string) error {
	parent := ctx
	ctx, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	if o.maxUSD > 0 {
		if err := o.checkCost(ctx, client, body); err != nil {
			return err
		}
	}
	progress := newProgress(o.stderr, o.quiet)
	defer progress.stop()
	o.notice = progress.line
	journal := openJournal(o.console, o.noHistory || o.simulate)
	f := &finish{console: o.console, output: &o.output, connection: &o.connection, journal: journal, progress: progress.of(""), seed: seed}
	// Both ids are printed as soon as they are known, also with --quiet: they are what a lost terminal leaves. Only with
	// --no-wait is --quiet as quiet as can be, since the id comes on stdout.
	stderr := io.Writer(o.stderr)
	if o.quiet && o.noWait {
		stderr = io.Discard
	}
	submitting := sync.OnceFunc(func() {
		progress.pause(func() { fmt.Fprintln(stderr, "submitting as "+o.requestID) })
	})
	journal.add(event{Event: "submitting", ClientRequestID: o.requestID, Model: o.slug, BaseURL: o.baseURL})
	progress.set("connecting")
	since := o.now().Add(-10 * time.Minute) // the clocks may differ
	job, err := client.Submit(ctx, body, api.WithClientRequestID(o.requestID), api.OnUpload(func(sent, total int64) {
		submitting()
		progress.upload(sent, total)
	}))
	if is[*api.UnknownOutcomeError](err) && o.find > 0 {
		if found := o.lookUp(parent, client, since, progress); found != nil {
			job, err = found, nil
		}
	}
	if err != nil {
		return o.reportSubmission(ctx, f, err)
	}
	f.accepted = true
	journal.add(event{Event: "submitted", ID: job.ID(), ClientRequestID: o.requestID, Output: o.absolute(job.ID(), seed)})
	progress.pause(func() { fmt.Fprintln(stderr, "submitted "+redact.Printable(job.ID(), "")) }) // also with --quiet
	if o.noWait {
		progress.stop()
		return o.printID(stderr, job.ID(), seed)
	}
	err = f.run(ctx, job)
	if err == nil && o.open {
		err = o.console.open(o.expand(job.ID(), seed))
	}
	return err
}

// printID prints the id for --no-wait.
func (o *modelOptions) printID(stderr io.Writer, id, seed string) error {
	fmt.Fprintln(stderr, "To resume: "+o.resume(&o.connection, id, seed))
	r := result{ID: id, Outcome: "submitted", ClientRequestID: o.requestID}
	if err := r.write(o.stdout, o.json, false); err != nil {
		return &acceptedError{fmt.Errorf("print the id: %w", err)}
	}
	return nil
}

// reportSubmission reports a submission without a job.
func (o *modelOptions) reportSubmission(ctx context.Context, f *finish, err error) error {
	r := result{ClientRequestID: o.requestID}
	if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
		r.ID = unknown.GenerationID
	}
	reported := f.report(r, nameFlag(interrupted(ctx, err), o.properties))
	if is[*api.UnknownOutcomeError](err) && r.ID == "" && !o.simulate {
		args := append([]string{"wan", "find", o.requestID}, o.arguments()...)
		fmt.Fprintln(o.stderr, "To look it up: "+shellLine(args))
	}
	return reported
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ": ")
	first, _, _ = strings.Cut(first, ". ")
	return strings.TrimSuffix(strings.ReplaceAll(first, "\n", " "), ".")
}

// example shows the required flags.
func example(document *spec.Document) string {
	var b strings.Builder
	for _, p := range document.Properties() {
		if p.Required && p.Name != "model" {
			value := fmt.Sprint(p.Schema.Example)
			if words := strings.Fields(value); len(words) > 1 {
				value = `"` + strings.Join(words[:min(6, len(words))], " ") + `"`
			}
			fmt.Fprintf(&b, " --%s %s", flagName(p.Name), strings.TrimPrefix(value, "https://example.com/"))
		}
	}
	return b.String()
}

// A dryRun is a transport that keeps the request, so that --dry-run shows what the client would send.
type dryRun struct {
	request *http.Request
	body    map[string]any
}

// A dryRunError tells the client that nothing was sent.
type dryRunError struct{ err error }

func (e *dryRunError) Error() string { return fmt.Sprint(e.err) }

func (e *dryRunError) Unwrap() error { return e.err }

func (e *dryRunError) NotSent() bool { return true }

func (d *dryRun) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	d.request = r
	return nil, &dryRunError{decoder.Decode(&d.body)}
}

func runDryRun(ctx context.Context, o *modelOptions, body map[string]any) error {
	d := &dryRun{}
	o.transport = d
	client, stop, err := o.client(o.stderr)
	if err != nil {
		return err
	}
	defer stop()
	_, err = client.Submit(ctx, body, api.WithClientRequestID(o.requestID))
	if refusal, ok := errors.AsType[*dryRunError](err); !ok || refusal.err != nil {
		return err
	}
	shown, _ := spec.MapMedia(o.document.Request(), "", d.body, shorten)
	if !o.json {
		d.writeHeader(o.stdout)
	}
	if err := printIndented(o.stdout, shown); err != nil {
		return err
	}
	verdict := "The request conforms to the spec of " + o.document.Slug + "."
	switch findings := validate(o.document, body); {
	case len(findings) > 0:
		verdict = "The request doesn't conform to the spec of " + o.document.Slug + ": " + explain(findings[0]) + "."
	case unknownProperty(o.document, body) != nil:
		verdict = "The spec of " + o.document.Slug + " doesn't list all properties of the request."
	}
	fmt.Fprintln(o.stderr, verdict+" Nothing was submitted.")
	return nil
}

func (d *dryRun) writeHeader(w io.Writer) {
	fmt.Fprintf(w, "%s %s\nContent-Length: %d\n", d.request.Method, d.request.URL, d.request.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(d.request.Header)) {
		value := d.request.Header.Get(name)
		if name == "Authorization" {
			value = "Bearer ..."
		}
		fmt.Fprintf(w, "%s: %s\n", name, value)
	}
	fmt.Fprintln(w)
}

// shorten cuts the data of a data URI.
func shorten(_ string, value any) (any, error) {
	text, _ := value.(string)
	if head, data, ok := strings.Cut(text, ","); ok && media.IsDataURI(text) {
		return fmt.Sprintf("%s,... (%d characters)", head, len(data)), nil
	}
	return value, nil
}
