package suite

import (
	"context"
	"sync"
)

// A budget limits the jobs that a run creates. It admits a submission only if all those in flight may be accepted without
// exceeding the limit. Submissions that should be rejected may exceed it by one, so that they can be sent without any
// budget; once the limit is exceeded, nothing more is admitted.
type budget struct {
	limit int // negative means none

	mu         sync.Mutex
	spent      int
	unexpected int // of those spent: should have been rejected
	unknown    int // of those spent: no response, or a 5xx
	inFlight   int
	changed    chan struct{} // closed and replaced whenever a submission leaves
}

func newBudget(limit int) *budget { return &budget{limit: limit, changed: make(chan struct{})} }

// enter waits until it is certain whether a submission may be sent, and reports it. If it may, leave must follow.
func (b *budget) enter(ctx context.Context, planned bool) bool {
	for {
		b.mu.Lock()
		limit := b.limit
		if !planned {
			limit++
		}
		free := b.limit < 0 || b.spent+b.inFlight < limit
		if free {
			b.inFlight++
		}
		wait := !free && b.inFlight > 0
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

// leave records the outcome of a submission.
func (b *budget) leave(c *call, planned bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight--
	unknown := c.status == 0 || c.status >= 500
	if c.accepted() || unknown {
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
