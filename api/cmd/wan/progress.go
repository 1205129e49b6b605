package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/aimlvideo/wan-go/api"
)

// A progress tells how things go: on a terminal in one line that moves, elsewhere in a line for each change of status.
// It uses no colours, so that NO_COLOR has nothing to turn off.
type progress struct {
	w        io.Writer
	terminal bool
	start    time.Time

	mu   sync.Mutex
	text string
	done chan struct{}
	over sync.WaitGroup
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
			if p.text != "" {
				fmt.Fprintf(p.w, "\r\x1b[K%c %s  %s", frames[i%len(frames)], time.Since(p.start).Round(time.Second), p.text)
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

func (p *progress) upload(sent, total int64) { p.set("uploading " + share(sent, total)) }

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
	text := p.name + string(now.Status)
	switch {
	case now.Err != nil:
		text += fmt.Sprintf(" (%d polls failed)", now.Missed)
	case !now.Status.Valid():
		text += " (not a documented status)"
	}
	p.set(text)
	if !p.terminal && now.Err == nil && now.Status != p.status {
		p.status = now.Status
		p.line(fmt.Sprintf("%s after %s", text, now.Elapsed.Round(100*time.Millisecond)))
	}
}

func (p *jobProgress) download(received, total int64) {
	p.set(p.name + "downloading " + share(received, total))
}

// share writes a number of bytes out of all, which may not be known.
func share(part, total int64) string {
	const mib = 1 << 20
	if total < 0 {
		return fmt.Sprintf("%.1f MiB", float64(part)/mib)
	}
	return fmt.Sprintf("%.1f of %.1f MiB", float64(part)/mib, float64(total)/mib)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func terminalWidth(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return min(width, 120)
		}
	}
	return 100
}
