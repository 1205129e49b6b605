package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A view shows how far a batch is: on a terminal a block that is drawn anew, elsewhere a line for each outcome.
type view struct {
	w        io.Writer
	quiet    bool
	terminal bool

	mu    sync.Mutex
	drawn int // lines of the block
}

func newView(w io.Writer, quiet bool) *view {
	f, ok := w.(*os.File)
	return &view{w: w, quiet: quiet, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// print prints lines above the block.
func (v *view) print(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.erase()
	fmt.Fprintln(v.w, redact.Printable(text, "\n"))
}

func (v *view) erase() {
	if v.drawn > 0 {
		fmt.Fprintf(v.w, "\x1b[%dA\x1b[J", v.drawn)
		v.drawn = 0
	}
}

// change prints an outcome, or trouble.
func (v *view) change(c batch.Change) {
	if v.quiet {
		return
	}
	switch {
	case c.CustomID == "" && c.Err != nil:
		v.print(c.Reason())
	case c.Err != nil && c.State != batch.Pending:
		v.print(fmt.Sprintf("%s: %s: %s", redact.Line(c.CustomID), c.State, c.Reason()))
	case c.State == batch.Saved && !v.terminal:
		v.print(fmt.Sprintf("%s: saved %s", redact.Line(c.CustomID), c.File))
	}
}

// start draws the block each second, or prints a line each half minute. The caller calls stop.
func (v *view) start(ctx context.Context, b *batch.Batch) (stop func()) {
	if v.quiet {
		return func() {}
	}
	interval := 30 * time.Second
	if v.terminal {
		interval = time.Second
	}
	ctx, cancel := context.WithCancel(ctx)
	var drawing sync.WaitGroup
	drawing.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			if status, err := b.Status(ctx); err == nil {
				v.draw(summary(status))
			}
		}
	})
	return func() {
		cancel()
		drawing.Wait()
		v.mu.Lock()
		defer v.mu.Unlock()
		v.erase()
	}
}

func (v *view) draw(lines []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.terminal {
		fmt.Fprintln(v.w, lines[0])
		return
	}
	v.erase()
	for _, line := range lines {
		fmt.Fprintln(v.w, redact.Cut(line, 100))
	}
	v.drawn = len(lines)
}

var states = []batch.State{
	batch.Pending, batch.Submitting, batch.InProgress, batch.Completed, batch.Saved, batch.Failed, batch.Rejected, batch.Unknown, batch.Canceled,
}

// summary describes a batch in a few lines, the first of which is enough.
func summary(s *batch.Status) []string {
	var counts []string
	for _, state := range states {
		if n := s.States[state]; n > 0 && state != batch.Saved {
			counts = append(counts, fmt.Sprintf("%d %s", n, state))
		}
	}
	first := fmt.Sprintf("%d of %d saved", s.RequestCounts.Completed, s.RequestCounts.Total)
	if counts != nil {
		first += ": " + strings.Join(counts, ", ")
	}
	spent := "spent"
	if s.Batch == simulated {
		spent = "simulated, nothing spent"
	}
	money := fmt.Sprintf("$%.2f %s", s.USD.Spent, spent)
	if s.USD.Reserved > 0 {
		money += fmt.Sprintf(", about $%.2f in flight", s.USD.Reserved)
	}
	if s.USD.Unknown > 0 {
		money += fmt.Sprintf(", about $%.2f of unknown outcome", s.USD.Unknown)
	}
	if s.USD.Max > 0 {
		money += fmt.Sprintf(", at most $%.2f", s.USD.Max)
	}
	second := fmt.Sprintf("%d submitted in the last minute; %s", s.PerMinute, money)
	if s.ETA > 0 {
		second += fmt.Sprintf("; about %v left", s.ETA)
	}
	lines := []string{first, second}
	if s.Paused != "" {
		lines = append(lines, fmt.Sprintf("paused until %s: %s", s.PausedUntil.Format(time.TimeOnly), redact.Line(s.Paused)))
	}
	for i, f := range s.Failures {
		const most = 3
		if i == most {
			lines = append(lines, fmt.Sprintf("  and %d more", len(s.Failures)-most))
			break
		}
		if f.Error != nil {
			lines = append(lines, fmt.Sprintf("  %s: %s: %s", redact.Line(f.CustomID), f.State, redact.Line(f.Error.Message)))
		}
	}
	return lines
}
