// Command wan-batch generates thousands of videos from a manifest, each paid once:
//
//	wan-batch run jobs.jsonl -o videos/
//
// It is a command of its own because it links a database. "wan batch" runs it. See wan-batch --help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// The exit codes are those of wan. Of several lines, the highest one counts.
const (
	exitDone = iota
	exitTrouble
	exitInput
	exitFailed
	exitAccount
	exitRunning
	exitUnknown
)

const environment = `Environment:
  AIML_API_KEY        the API key
  AIML_API_BASE       the base URL of the API
  WAN_BATCH_DATABASE  the default of --database`

const exitCodes = `Exit codes of run and work; of several lines, the highest one counts:
  0  every line is saved
  1  trouble: lines are left that were never submitted, or were rejected
  2  bad input; nothing was sent
  3  a generation failed; no charge
  4  the API key isn't accepted, or the account is out of credits
  5  a generation is in flight, or its video isn't saved; run the same command again
  6  the outcome of a submission is unknown; it may be charged`

// A console is what a command reads and writes.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// interrupts gets a value for each Ctrl-C.
	interrupts <-chan os.Signal
	// restore makes the next Ctrl-C kill the process.
	restore func()
	// soft is what the first interrupt calls instead of ending the command.
	soft atomic.Pointer[func()]
}

var errInterrupted = errors.New("interrupted")

// await waits for the error of a command. An interrupt ends its context; a command that doesn't end then is left behind,
// such as one that reads stdin.
func (c *console) await(done <-chan error, cancel func()) error {
	patience := time.Second
	for {
		select {
		case err := <-done:
			return err
		case <-c.interrupts:
		}
		if soft := c.soft.Swap(nil); soft != nil {
			(*soft)()
			patience = 8 * time.Second // the batch writes down what has happened
			continue
		}
		if c.restore != nil {
			c.restore()
		}
		cancel()
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return errInterrupted
			}
			return err
		case <-time.After(patience):
			return errInterrupted
		}
	}
}

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // a large manifest is in memory only until it is added
	}
	interrupts := make(chan os.Signal, 4)
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		signals = append(signals, syscall.SIGHUP)
	}
	signal.Notify(interrupts, signals...)
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run(context.Background(), os.Args[1:], &console{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, interrupts: interrupts,
		restore: func() { signal.Reset(signals...) }}))
}

// run is main without the process.
func run(ctx context.Context, args []string, c *console) int {
	log.SetOutput(io.Discard) // net/http logs bytes of unsolicited responses there, which may hold the key
	root := newRoot(c)
	root.SetArgs(args)
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	err := c.await(done, cancel)
	if err != nil && !is[*exitError](err) {
		fmt.Fprintln(c.stderr, redact.Printable("wan-batch: "+strings.TrimPrefix(err.Error(), "batch: "), "\n"))
	}
	return exitCode(err)
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:           "wan-batch",
		Short:         "Generate the videos of a manifest, each paid once",
		Version:       wire.Version(),
		Annotations:   help.Tail(environment, exitCodes),
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("unknown command %.40q; wan-batch --help lists them", args[0])}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.Annotations[cobra.CommandDisplayNameAnnotation] = commandName()
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		help.Write(c.stdout, cmd, help.Width(c.stdout), help.Flags)
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRun(c), newWork(c), newStatus(c), newRetry(c), newResolve(c), newCancel(c), newExport(c), newRecover(c), newUI(c))
	for _, command := range root.Commands() {
		if args := command.Args; args != nil {
			command.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return &usageError{err}
				}
				return nil
			}
		}
	}
	return root
}

// commandName is the command as it was typed: wan batch, which passes its name on, or wan-batch.
func commandName() string {
	const viaWan = "wan batch"
	if os.Args[0] == viaWan {
		return viaWan
	}
	return "wan-batch"
}

// A usageError is bad input: nothing was sent.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// An exitError is an exit code whose reason has been printed.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func exitCode(err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	switch {
	case err == nil:
		return exitDone
	case is[*usageError](err), is[*batch.ChangedError](err), is[*batch.OutputError](err), is[*batch.LeftError](err), is[*api.InputError](err), errors.Is(err, batch.ErrNoBatch),
		errors.Is(err, batch.ErrNoLine):
		return exitInput
	case errors.Is(err, api.ErrUnauthorized), errors.Is(err, api.ErrForbidden):
		return exitAccount
	}
	return exitTrouble
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
