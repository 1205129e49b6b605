// Command wan generates videos with the Wan 2.2 models of the AI/ML API: it submits, waits and saves. It also runs a
// simulator of the API and checks servers against the specs.
//
//	wan animate-move --video-url dance.mp4 --image-url hero.png -o out.mp4
//
// The flags of a model are the properties of its spec. See wan --help.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/spec"
)

const environment = `Environment:
  AIML_API_KEY   the API key
  AIML_API_BASE  the base URL of the API`

func main() {
	// SIGQUIT and SIGABRT too: by default they end a Go program with exit code 2, which means bad input here.
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// A stderr that nobody reads any more must not end a wait that has been paid for.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := newConsole(ctx, stdin, stdout, stderr)
	defer c.stderr.close()
	log.SetOutput(io.Discard) // net/http logs bytes of unsolicited responses there, which may hold the key
	root := newRoot(c)
	root.SetArgs(args)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	command, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if err != nil && !is[*printedError](err) {
		fmt.Fprintln(c.stderr, "wan: "+message(err))
	}
	if code == exitInput && command != nil {
		fmt.Fprintf(c.stderr, "See \"%s --help\".\n", command.CommandPath())
	}
	return code
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:           "wan",
		Short:         "Generate videos with the Wan 2.2 models of the AI/ML API",
		Annotations:   tail(environment, exitCodes()),
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd == root && cmd.Flags().NArg() > 0 { // the flag of an unknown command
			err = unknownCommand(cmd, cmd.Flags().Args())
		}
		return inputError(unknownFlag(cmd, err))
	})
	// Properties may be spelled as in the spec.
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(flagName(name))
	})
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages ", "Flags.FlagUsagesWrapped 100 ") + "{{with .Annotations.tail}}\n{{.}}\n{{end}}")
	root.AddGroup(&cobra.Group{ID: "models", Title: "Models:"}, &cobra.Group{ID: "jobs", Title: "Jobs:"})
	root.SetHelpCommandGroupID("")
	for _, document := range spec.Models() {
		root.AddCommand(newModel(c, document))
	}
	root.AddCommand(newWait(c), newGet(c), newModels(c), newSimulate(c), newConformance(), newProxy(c))
	for _, command := range append(root.Commands(), root) {
		if args := command.Args; args != nil {
			command.Args = func(cmd *cobra.Command, given []string) error { return inputError(args(cmd, given)) }
		}
	}
	return root
}

// tail is the end of a command's help.
func tail(paragraphs ...string) map[string]string {
	return map[string]string{"tail": strings.Join(paragraphs, "\n\n")}
}

// version is the module's, from the build information.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
