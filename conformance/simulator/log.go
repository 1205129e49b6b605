package simulator

import (
	"io"
	"sync"
)

// A lineLog writes whole lines in their order. A writer that is slow or stuck holds up no one but the caller whose line it
// is on, and may itself make requests and look at the ledger.
type lineLog struct {
	w io.Writer // nil writes nothing

	mu    sync.Mutex
	lines []string
	idle  chan struct{} // closed once all is written; nil if it is
}

// maxLines is how many lines wait for a writer that is slow. Further ones are lost.
const maxLines = 10_000

// add writes the line itself if nobody else is writing. Otherwise it leaves the line behind.
func (l *lineLog) add(line string) {
	if l.w == nil {
		return
	}
	l.mu.Lock()
	if len(l.lines) < maxLines {
		l.lines = append(l.lines, line)
	}
	if l.idle != nil {
		l.mu.Unlock()
		return
	}
	l.idle = make(chan struct{})
	l.mu.Unlock()
	if more := l.writeOne(); more { // of others, for which the caller needn't wait
		go func() {
			for l.writeOne() {
			}
		}()
	}
}

// writeOne writes the oldest line and reports whether there are more.
func (l *lineLog) writeOne() (more bool) {
	l.mu.Lock()
	line := l.lines[0]
	l.mu.Unlock()
	defer func() {
		_ = recover() // a writer that panics loses its line, and nothing else
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = l.lines[1:]
		if more = len(l.lines) > 0; !more {
			close(l.idle)
			l.lines, l.idle = nil, nil
		}
	}()
	_, _ = io.WriteString(l.w, line)
	return more
}

// wait waits until all is written.
func (l *lineLog) wait() {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
