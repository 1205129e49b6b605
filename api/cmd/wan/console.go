package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// patience is how long a stream that nobody serves may hold up the command.
const patience = time.Second

// A console holds the streams of a command and its clock. No stream that blocks keeps the command from ending.
type console struct {
	stdin  io.Reader
	stdout io.Writer
	stderr *relay
	now    func() time.Time
	exec   func(path string, args []string) error // replaces this process
	open   func(path string) error                // shows a file
}

func newConsole(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) *console {
	return &console{stdin, &boundedWriter{ctx, stdout}, newRelay(stderr), time.Now, execute, openFile}
}

// printError prints an error to stderr. Nothing in it moves the cursor of a terminal.
func (c *console) printError(err error) {
	fmt.Fprintln(c.stderr, "wan: "+redact.Printable(message(err), ""))
}

// printLine prints a line for programs byte for byte, and for a terminal without characters that move the cursor.
func printLine(w io.Writer, text string) error {
	if isTerminal(w) {
		text = redact.Printable(text, "\u3000")
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// A logFilter prints what net/http logs by itself. The bytes of unsolicited responses may hold the key and are dropped.
type logFilter struct{ w io.Writer }

func (f *logFilter) Write(p []byte) (int, error) {
	text, _, _ := strings.Cut(string(p), "starting with")
	fmt.Fprintln(f.w, "wan: "+redact.Line(redact.New(wire.Key()).Message(text)))
	return len(p), nil
}

// await returns the result of f, or the context's error if that ends first. f is a system call that can't be
// interrupted; it goes on in its goroutine.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// readAll reads a file, or standard input if the name is "-".
func (c *console) readAll(ctx context.Context, name string) ([]byte, error) {
	return await(ctx, func() ([]byte, error) {
		if name == "-" {
			return io.ReadAll(c.stdin)
		}
		return os.ReadFile(name)
	})
}

// A boundedWriter writes as w does, but gives up shortly after the context has ended.
type boundedWriter struct {
	ctx context.Context
	w   io.Writer
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(b.ctx))
	defer cancel(nil)
	stop := context.AfterFunc(b.ctx, func() {
		time.AfterFunc(patience, func() { cancel(context.Cause(b.ctx)) })
	})
	defer stop()
	p = bytes.Clone(p) // a write that blocks outlives this call
	return await(ctx, func() (int, error) { return b.w.Write(p) })
}

// A relay writes to w in the order of the calls and ignores errors. A write that blocks holds up its caller only once,
// for a moment; what follows waits in a queue and is dropped when that is full.
type relay struct {
	w     io.Writer
	queue chan relayed
	stuck atomic.Bool
	done  chan struct{}
}

type relayed struct {
	text    []byte
	written chan struct{}
}

func newRelay(w io.Writer) *relay {
	r := &relay{w: w, queue: make(chan relayed, 1000), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for item := range r.queue {
			if item.text == nil {
				return
			}
			_, _ = r.w.Write(item.text)
			close(item.written)
			r.stuck.Store(false)
		}
	}()
	return r
}

func (r *relay) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	item := relayed{bytes.Clone(p), make(chan struct{})}
	select {
	case r.queue <- item:
	default:
		return len(p), nil
	}
	if !r.stuck.Load() && !within(patience, item.written) {
		r.stuck.Store(true)
	}
	return len(p), nil
}

// close lets the queue drain. Later writes are dropped.
func (r *relay) close() {
	select {
	case r.queue <- relayed{}:
		within(patience, r.done)
	default: // the queue is full, so nobody reads
	}
}

// within reports whether the channel is closed before the time has passed.
func within(d time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// file is the file behind a stream, if it is one.
func file(w io.Writer) (*os.File, bool) {
	switch v := w.(type) {
	case *os.File:
		return v, true
	case *relay:
		return file(v.w)
	case *boundedWriter:
		return file(v.w)
	}
	return nil, false
}

func isTerminal(w io.Writer) bool {
	f, ok := file(w)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is the width of the terminal, or 100 where there is none.
func terminalWidth(w io.Writer) int {
	if f, ok := file(w); ok {
		return help.Width(f)
	}
	return help.Width(w)
}

// openFile shows a file with the program that the platform uses for it, and doesn't wait for it.
func openFile(path string) error {
	command := exec.Command("xdg-open", path) //nolint:gosec,noctx // a file that wan has just saved; the program outlives wan
	switch runtime.GOOS {
	case "darwin":
		command = exec.Command("open", path) //nolint:gosec,noctx // the same
	case "windows":
		command = exec.Command("rundll32", "url.dll,FileProtocolHandler", path) //nolint:gosec,noctx // the same
	}
	return command.Start()
}
