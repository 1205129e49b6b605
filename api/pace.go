package api

import (
	"math"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// maxSlowdown limits the factor by which the polls of a client slow down.
	maxSlowdown = 32
	// slowdownHalfLife is how long a slowdown takes to halve.
	slowdownHalfLife = time.Minute
)

// A pace slows down all polls of a client after a response 429: the limit is the account's, and polls at full speed
// would only be refused too. The zero pace is full speed.
type pace struct {
	mu     sync.Mutex
	factor float64 // at the time of last
	last   time.Time
}

// slow returns a longer interval, at most about a minute, so that the end of a generation isn't noticed too late.
func (p *pace) slow(interval time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	ceiling := wire.Jitter(wire.MaxRetryAfter)
	return max(interval, min(ceiling, time.Duration(float64(interval)*p.now(time.Now()))))
}

func (p *pace) now(t time.Time) float64 {
	if p.factor == 0 {
		return 1
	}
	return max(1, p.factor*math.Exp2(-t.Sub(p.last).Seconds()/slowdownHalfLife.Seconds()))
}

// tooMany doubles the slowdown, once for all polls that were under way together.
func (p *pace) tooMany() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := time.Now(); p.factor == 0 || t.Sub(p.last) >= time.Second {
		p.factor, p.last = min(maxSlowdown, 2*p.now(t)), t
	}
}
