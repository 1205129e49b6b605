package suite

import (
	"context"
	"sync"
)

// A budget keeps the jobs that a run creates to a limit. Submissions are let in only as far as all that are under way
// may be accepted. What is sent to be rejected may go one beyond the limit, so that it can be tried without any budget;
// once that one was accepted, nothing more is let in.
type budget struct {
	limit int // negative is none

	mu         sync.Mutex
	spent      int
	unexpected int // of those spent
	unknown    int // of those spent: no answer came, or one that leaves it open
	underWay   int
	changed    chan struct{} // closed and made anew when one is no longer under way
}

func newBudget(limit int) *budget { return &budget{limit: limit, changed: make(chan struct{})} }

// enter waits until a submission may be sent, and reports whether it may. If so, leave has to follow.
func (b *budget) enter(ctx context.Context, wanted bool) bool {
	for {
		b.mu.Lock()
		limit := b.limit
		if !wanted {
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
func (b *budget) leave(x *trip, wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.underWay--
	switch {
	case x.accepted():
		b.spent++
		if !wanted {
			b.unexpected++
		}
	case x.status == 0, wanted && x.status >= 500:
		b.spent++
		b.unknown++
	}
	close(b.changed)
	b.changed = make(chan struct{})
}
