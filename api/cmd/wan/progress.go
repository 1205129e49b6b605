package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A progress reports progress: on a terminal in one line that is redrawn, elsewhere in a line for each change of status.
// It uses no colours, so NO_COLOR has nothing to turn off.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time

	mu       sync.Mutex
	text     string
	jobs     int
	finished int // of the jobs
	done     chan struct{}
	drawing  sync.WaitGroup
}

const (
	frames = "|/-\\"
	erase  = "\r\x1b[K"
)

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, terminal: isTerminal(w) && !quiet && os.Getenv("TERM") != "dumb", start: time.Now(), done: make(chan struct{})}
	if quiet {
		p.w = io.Discard
	}
	if p.terminal {
		p.drawing.Go(p.animate)
	}
	return p
}

// animate redraws the line, so that it moves between two polls.
func (p *progress) animate() {
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
			p.draw(frames[i%len(frames)])
		case <-p.done:
			fmt.Fprint(p.w, erase)
			return
		}
	}
}

func (p *progress) draw(frame byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.text
	if p.jobs > 1 {
		text = fmt.Sprintf("%d of %d done  %s", p.finished, p.jobs, text)
	}
	if text == "" {
		return
	}
	line := []rune(fmt.Sprintf("%c %s  %s", frame, time.Since(p.start).Round(time.Second), redact.Line(text)))
	// A line that the terminal wraps can't be erased.
	fmt.Fprint(p.w, erase+string(line[:min(len(line), terminalWidth(p.w)-1)]))
}

// stop ends the report. It may be called again.
func (p *progress) stop() {
	p.mu.Lock()
	select {
	case <-p.done:
	default:
		close(p.done)
	}
	p.mu.Unlock()
	p.drawing.Wait()
}

func (p *progress) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// expect sets the number of jobs.
func (p *progress) expect(jobs int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jobs = jobs
}

// finish counts a job whose wait is over.
func (p *progress) finish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished++
	p.text = ""
}

// line prints a line that stays.
func (p *progress) line(text string) {
	p.pause(func() { fmt.Fprintln(p.w, redact.Printable(text, "")) })
}

// pause calls f, which prints, with the progress line erased.
func (p *progress) pause(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprint(p.w, erase)
	}
	f()
}

func (p *progress) upload(sent, total int64) {
	if sent == total {
		p.set("sent " + size(total) + ", waiting for the response")
		return
	}
	p.set("uploading " + share(sent, total))
}

// of returns the progress of one job. The name distinguishes it from others; a single job has none.
func (p *progress) of(name string) *jobProgress {
	if name != "" {
		name += ": "
	}
	return &jobProgress{progress: p, name: name}
}

type jobProgress struct {
	*progress

	name   string
	status api.Status // the last one printed
	failed string     // a failed poll that isn't printed yet
}

// wait shows the state after a poll. Failed polls are in the log too.
func (p *jobProgress) wait(now api.Progress, logged bool) {
	text := p.name + cmp.Or(redact.Line(string(now.Status)), "waiting")
	switch {
	case now.Err != nil:
		text += fmt.Sprintf(" (failed polls: %d)", now.Missed)
	case !now.Status.Valid():
		text += " (not a documented status)"
	}
	p.set(text)
	if p.failed != "" { // and the wait goes on: the error that ends it is printed anyway
		p.line(p.failed)
		p.failed = ""
	}
	switch {
	case p.terminal:
	case now.Missed == 1 && !logged:
		p.failed = fmt.Sprintf("%spoll failed: %s", p.name, message(now.Err))
	case now.Err == nil && now.Status != p.status:
		p.status = now.Status
		p.line(fmt.Sprintf("%s after %s", text, now.Elapsed.Round(100*time.Millisecond)))
	}
}

func (p *jobProgress) download(received, total int64) {
	p.set(p.name + "downloading " + share(received, total))
}

// share is a part of a number of bytes, which is negative if unknown.
func share(part, total int64) string {
	if total < 0 {
		return size(part)
	}
	return size(part) + " of " + size(total)
}

// size is a number of bytes for people.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
