// Command wan makes videos with the four Wan 2.2 models of the AI/ML API: it submits, waits and saves. It also runs a
// simulator of the API.
//
//	wan animate-move --video-url dance.mp4 --image-url hero.png -o out.mp4
//
// The flags of a model are the properties of its document in spec/. See wan --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec"
)

// The exit codes.
const (
	exitDone    = 0
	exitTrouble = 1
	exitInput   = 2
	exitFailed  = 3
	exitAccount = 4
	exitRunning = 5
	exitUnknown = 6
)

const exitCodes = `Exit codes, and the words for them in --json:
  0  done
  1  trouble   such as a network that fails before anything is submitted
  2            bad input; nothing was sent
  3  failed    the generation failed; nothing is charged
  4  account   the API key isn't accepted, or the account is out of credits
  5  running   submitted, but the video isn't here yet; "wan wait ID" goes on
  6  unknown   nobody knows whether the submission was accepted; it may be charged
Of several generations, the highest one counts.`

const environment = `Environment:
  AIML_API_KEY   the API key
  AIML_API_BASE  another address of the API`

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// A stderr that nobody reads any more must not end a wait that has been paid for.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if err != nil && !is[toldError](err) {
		fmt.Fprintln(stderr, "wan: "+message(err))
	}
	if code == exitInput && command != nil {
		fmt.Fprintf(stderr, "See \"%s --help\".\n", command.CommandPath())
	}
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "wan",
		Short:         "Make videos with the Wan 2.2 models of the AI/ML API",
		Annotations:   tail(environment, exitCodes),
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && cmd.Flags().NArg() > 0 { // a flag of a command that isn't one
			err = unknownCommand(cmd, cmd.Flags().Args())
		}
		return inputError(unknownFlag(cmd, err))
	})
	// Names of properties may be given as the documents spell them.
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(flagName(name))
	})
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages ", "Flags.FlagUsagesWrapped 100 ") + "{{with .Annotations.tail}}\n{{.}}\n{{end}}")
	root.AddGroup(&cobra.Group{ID: "models", Title: "Models:"}, &cobra.Group{ID: "jobs", Title: "Jobs:"})
	root.SetHelpCommandGroupID("")
	for _, document := range spec.Models() {
		root.AddCommand(newModel(document))
	}
	root.AddCommand(newWait(), newGet(), newModels(), newSimulate(), newConformance(), newProxy())
	for _, command := range append(root.Commands(), root) {
		if args := command.Args; args != nil {
			command.Args = func(cmd *cobra.Command, given []string) error { return inputError(args(cmd, given)) }
		}
	}
	return root
}

// A toldError has been printed already, beside what it is about.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// message is what an error says, in the words of the command line.
func message(err error) string {
	text := strings.NewReplacer(
		context.DeadlineExceeded.Error(), "the --timeout is over",
		context.Canceled.Error(), "interrupted",
		" signal received", "", // of context.Cause
		"WithInsecureHTTP", "--insecure-http",
	).Replace(strings.TrimPrefix(err.Error(), "wan: "))
	switch {
	case is[*api.FailedError](err):
		text += "; nothing is charged"
	case errors.Is(err, api.ErrUnauthorized):
		text += "; check AIML_API_KEY"
	}
	return text
}

// tail is what stands at the end of a command's help.
func tail(paragraphs ...string) map[string]string {
	return map[string]string{"tail": strings.Join(paragraphs, "\n\n")}
}

// version is that of the module, as the build knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// errInput marks errors of the command line.
var errInput = errors.New("bad input")

type usageError struct{ error }

func (e usageError) Is(target error) bool { return target == errInput }

func inputError(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInput), is[*api.InputError](err):
		return exitInput
	case is[*api.UnknownOutcomeError](err): // whatever it came from
		return exitUnknown
	case is[*api.FailedError](err):
		return exitFailed
	case errors.Is(err, api.ErrUnauthorized), errors.Is(err, api.ErrForbidden):
		return exitAccount
	case errors.Is(err, api.ErrNotFound), errors.Is(err, api.ErrNoVideo): // it is over
		return exitTrouble
	case is[*api.WaitError](err), is[*api.DownloadError](err):
		return exitRunning
	}
	return exitTrouble
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
