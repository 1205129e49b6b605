package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api"
)

// A progress tells how things go: on a terminal in one line that moves, elsewhere in a line for each change of status.
// It uses no colours, so that NO_COLOR has nothing to turn off.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time

	mu       sync.Mutex
	text     string
	jobs     int // how many are waited for, if several
	finished int // of them
	done     chan struct{}
	over     sync.WaitGroup
}

const frames = "|/-\\"

func newProgress(w io.Writer, quiet bool) *progress {
	if quiet {
		w = io.Discard
	}
	p := &progress{w: w, terminal: isTerminal(w) && os.Getenv("TERM") != "dumb", start: time.Now(), done: make(chan struct{})}
	if p.terminal {
		p.over.Go(p.animate)
	}
	return p
}

// animate draws the line again and again, so that it moves between two polls.
func (p *progress) animate() {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			p.mu.Lock()
			text := p.text
			if p.jobs > 1 {
				text = fmt.Sprintf("%d of %d done  %s", p.finished, p.jobs, text)
			}
			if text != "" {
				line := []rune(fmt.Sprintf("%c %s  %s", frames[i%len(frames)], time.Since(p.start).Round(time.Second), text))
				// A line that the terminal breaks can't be taken back.
				fmt.Fprint(p.w, "\r\x1b[K"+string(line[:min(len(line), terminalWidth(p.w)-1)]))
			}
			p.mu.Unlock()
		case <-p.done:
			fmt.Fprint(p.w, "\r\x1b[K")
			return
		}
	}
}

// stop ends the telling. It may be called again.
func (p *progress) stop() {
	p.mu.Lock()
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	p.mu.Unlock()
	p.over.Wait()
}

func (p *progress) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// expect says how many jobs are waited for.
func (p *progress) expect(jobs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = jobs
}

// finish counts a job that needs no more waiting, and is no longer what the line is about.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished++
	p.text = ""
}

// line prints a line that stays.
func (p *progress) line(text string) {
	p.aside(func() { fmt.Fprintln(p.w, text) })
}

// aside has something else printed, where the line that moves isn't in the way.
func (p *progress) aside(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	f()
}

func (p *progress) upload(sent, total int64) {
	if sent == total {
		p.set("sent " + size(total) + ", waiting for the answer")
		return
	}
	p.set("uploading " + share(sent, total))
}

// of returns the progress of one job. The name tells it from others; a single one has none.
func (p *progress) of(name string) *jobProgress {
	if name != "" {
		name += ": "
	}
	return &jobProgress{progress: p, name: name}
}

type jobProgress struct {
	*progress

	name   string
	status api.Status // the last one that was told in a line
}

func (p *jobProgress) wait(now api.Progress) {
	text := p.name + cmp.Or(printable(string(now.Status)), "waiting")
	switch {
	case now.Err != nil:
		text += fmt.Sprintf(" (failed polls: %d)", now.Missed)
	case !now.Status.Valid():
		text += " (not a documented status)"
	}
	p.set(text)
	switch {
	case p.terminal:
	case now.Missed == 1:
		p.line(fmt.Sprintf("%spoll failed: %s", p.name, message(now.Err)))
	case now.Err == nil && now.Status != p.status:
		p.status = now.Status
		p.line(fmt.Sprintf("%s after %s", text, now.Elapsed.Round(100*time.Millisecond)))
	}
}

func (p *jobProgress) download(received, total int64) {
	p.set(p.name + "downloading " + share(received, total))
}

// share writes a number of bytes out of all, which may not be known.
func share(part, total int64) string {
	if total < 0 {
		return size(part)
	}
	return size(part) + " of " + size(total)
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}

// printable keeps words from outside from moving the cursor.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return min(width, 120)
		}
	}
	return 100
}
