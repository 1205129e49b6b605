package main

import (
	"io"
	"sync"
)

// maxQueued caps the bytes that wait for a reader; what follows is dropped.
const maxQueued = 1 << 20

// A lineQueue is a writer that never blocks. Lines that come while others are written wait for one write together.
type lineQueue struct {
	w io.Writer

	mu      sync.Mutex
	lines   []byte
	writing bool
	writes  sync.WaitGroup
}

func (q *lineQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) < maxQueued {
		q.lines = append(q.lines, line...)
	}
	if !q.writing {
		q.writing = true
		q.writes.Go(q.write)
	}
	return len(line), nil
}

func (q *lineQueue) write() {
	for {
		q.mu.Lock()
		lines := q.lines
		q.lines, q.writing = nil, len(lines) > 0
		q.mu.Unlock()
		if lines == nil {
			return
		}
		_, _ = q.w.Write(lines)
	}
}
