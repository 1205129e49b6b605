package api

import (
	"math"
	"sync"
	"time"
)

const (
	// maxSlowdown bounds by what factor the polls of a client are slowed down.
	maxSlowdown = 32
	// slowdownHalfLife is how long it takes until a slowdown has halved.
	slowdownHalfLife = time.Minute
)

// A pace slows down all polls of a client after one of them was answered 429: the limit is the account's, and the
// others would only use up their patience on it. The zero pace is full speed.
type pace struct {
	mu     sync.Mutex
	factor float64 // at the time of last
	last   time.Time
}

// slow makes an interval longer, but no longer than about maxHint, so that the end of a generation isn't noticed too late.
func (p *pace) slow(interval time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	ceiling := jitter(maxHint)
	return max(interval, min(ceiling, time.Duration(float64(interval)*p.now(time.Now()))))
}

func (p *pace) now(t time.Time) float64 {
	if p.factor == 0 {
		return 1
	}
	return max(1, p.factor*math.Exp2(-t.Sub(p.last).Seconds()/slowdownHalfLife.Seconds()))
}

// tooMany doubles the slowdown, but for the polls that were already under way only once.
func (p *pace) tooMany() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := time.Now(); p.factor == 0 || t.Sub(p.last) >= time.Second {
		p.factor, p.last = min(maxSlowdown, 2*p.now(t)), t
	}
}
