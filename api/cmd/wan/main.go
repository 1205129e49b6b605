// Command wan generates videos with the Wan 2.2 models of the AI/ML API: it submits, waits and saves. It also runs a
// simulator of the API and checks servers against the specs.
//
//	wan animate-move --video-url dance.mp4 --image-url hero.png -o out.mp4
//
// The flags of a model are the properties of its spec. See wan --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

const environment = `Environment:
  AIML_API_KEY   the API key
  AIML_API_BASE  the base URL of the API`

func main() {
	cobra.EnableCommandSorting = false // the help lists first what people do most
	// SIGQUIT and SIGABRT too: by default they end a Go program with exit code 2, which means bad input here.
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGABRT}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	context.AfterFunc(ctx, stop) // the next signal ends the process at once
	// A stderr that nobody reads any more must not end a wait that has been paid for.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	os.Exit(code)
}

// run is main without the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := newConsole(ctx, stdin, stdout, stderr)
	defer c.stderr.close()
	log.SetFlags(0)
	log.SetOutput(&logFilter{c.stderr})
	unknown := error(nil)
	root := newRoot(c, args, &unknown)
	root.SetArgs(args)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = unknown
	}
	code := exitCode(err)
	if err != nil && !is[*printedError](err) {
		c.printError(err)
	}
	if code == exitInput && command != nil {
		fmt.Fprintf(c.stderr, "See \"%s --help\".\n", command.CommandPath())
	}
	return code
}

// newRoot makes the commands that the arguments may mean. A request for the help of an unknown command sets unknown.
func newRoot(c *console, args []string, unknown *error) *cobra.Command {
	root := &cobra.Command{
		Use:           "wan",
		Short:         "Generate videos with the Wan 2.2 models of the AI/ML API",
		Annotations:   help.Tail(environment, exitCodes()),
		Version:       wire.Version(),
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
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd == root && cmd.Flags().NArg() > 0 { // wan typo --help
			*unknown = inputError(unknownCommand(cmd, cmd.Flags().Args()))
			return
		}
		*unknown = printHelp(cmd)
	})
	// Properties may be spelled as in the spec.
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(flagName(name))
	})
	root.AddGroup(&cobra.Group{ID: "models", Title: "Generate:"}, &cobra.Group{ID: "jobs", Title: "Follow:"},
		&cobra.Group{ID: "account", Title: "Models and account:"}, &cobra.Group{ID: "servers", Title: "Test servers and clients:"})
	addModels(c, root, args)
	root.AddCommand(newWait(c), newGet(c), newJobs(c), newFind(c), newBatch(c), newModels(c), newBalance(c), newAuth(c), newSimulate(c), newConformance(c), newProxy(c))
	root.SetHelpCommand(newHelp())
	for _, command := range append(root.Commands(), root) {
		if args := command.Args; args != nil {
			command.Args = func(cmd *cobra.Command, given []string) error { return inputError(args(cmd, given)) }
		}
		command.Flags().SortFlags = false
		complete(c, command)
	}
	return root
}

// addModels adds a command for each model. Only the one that the arguments name gets its flags, for which the specs have
// to be loaded.
func addModels(c *console, root *cobra.Command, args []string) {
	for _, arg := range args {
		if document, ok := modelOf(arg); ok {
			root.AddCommand(newModel(c, document))
		}
	}
	slugs, descriptions := summaries()
	for i, slug := range slugs {
		if found, _, _ := root.Find([]string{slug}); found == root {
			root.AddCommand(&cobra.Command{Use: slug, Short: firstSentence(descriptions[i]), GroupID: "models", RunE: func(*cobra.Command, []string) error { return nil }})
		}
	}
}

// newHelp makes the help command, which knows a misspelled name.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:    "help [COMMAND]",
		Short:  "Print the help of a command",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || found == cmd.Root() && len(rest) > 0 {
				return inputError(unknownCommand(cmd.Root(), args))
			}
			return found.Help()
		},
	}
}

// didYouMean suggests names similar to a misspelled word, as cobra does for commands.
func didYouMean(word string, names []string) string {
	commands := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, name := range names {
		commands.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	found := commands.SuggestionsFor(word)
	if len(found) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(slices.Sorted(slices.Values(found)), " or ") + "?"
}

// unknownCommand suggests the command that was probably meant.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, command := range root.Commands() {
		if command.IsAvailableCommand() {
			names = append(names, command.Name())
		}
	}
	return fmt.Errorf("unknown command %.60q%s", args[0], didYouMean(args[0], names))
}

// unknownFlag suggests the flag that was probably meant.
func unknownFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	return fmt.Errorf("%w%s", err, didYouMean("--"+unknown.GetSpecifiedName(), names))
}

// unknownProperty suggests the property that was probably meant.
func unknownProperty(document *spec.Document, body map[string]any) error {
	listed := slices.Sorted(maps.Keys(document.Request().Properties))
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if !slices.Contains(listed, name) {
			return fmt.Errorf("%s has no property %.60q%s; --allow-unknown sends it anyway", document.Slug, name, didYouMean(name, listed))
		}
	}
	return nil
}

// noArguments explains how an argument probably came about.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("unexpected argument %.60q: quote text with spaces, turn a flag off with --flag=false, and repeat the flag of a list for each element", args[0])
}
