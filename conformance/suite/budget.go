package suite

import (
	"context"
	"sync"
)

// A budget keeps the jobs that a run creates to a limit. Submissions are let in only as far as all that are under way
// may be accepted. What is planned is accepted, as far as anybody knows, and keeps to the limit. The rest is sent to be
// rejected and may go one beyond it, so that it can be tried without any budget; once that one was accepted, or may have
// been, nothing more is let in.
type budget struct {
	limit int // negative is none

	mu         sync.Mutex
	spent      int
	unexpected int // of those spent: not planned
	unknown    int // of those spent: no answer came, or one that leaves it open
	underWay   int
	changed    chan struct{} // closed and made anew when one is no longer under way
}

func newBudget(limit int) *budget { return &budget{limit: limit, changed: make(chan struct{})} }

// enter waits until a submission may be sent, and reports whether it may. If so, leave has to follow.
func (b *budget) enter(ctx context.Context, planned bool) bool {
	for {
		b.mu.Lock()
		limit := b.limit
		if !planned {
			limit++
		}
		free := b.limit < 0 || b.spent+b.underWay < limit
		if free {
			b.underWay++
		}
		wait := !free && b.underWay > 0
		changed := b.changed
		b.mu.Unlock()
		if !wait {
			return free
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// leave tells what became of a submission.
func (b *budget) leave(x *trip, planned bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underWay--
	unknown := x.status == 0 || x.status >= 500
	if x.accepted() || unknown {
		b.spent++
		if unknown {
			b.unknown++
		}
		if !planned {
			b.unexpected++
		}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}
