package wire

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter is the longest wait that RetryAfter returns.
const MaxRetryAfter = time.Minute

// RetryAfter returns how long a response asks to wait, at most a minute. It returns 0 if the header is missing or isn't
// a number of seconds or a date. A date is compared with the server's own clock, if the response has one.
func RetryAfter(header http.Header) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) { // also NaN
			return 0
		}
		return time.Duration(min(seconds, MaxRetryAfter.Seconds()) * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		from = time.Now()
	}
	return min(max(0, date.Sub(from)), MaxRetryAfter)
}

// Backoff returns growing intervals with jitter. Set First and Longest.
type Backoff struct {
	First, Longest time.Duration

	interval time.Duration
}

// Next returns the next interval: half as long again as the one before, at most Longest, give or take a fifth.
func (b *Backoff) Next() time.Duration {
	if b.interval == 0 {
		b.interval = b.First
	}
	d := b.interval
	b.interval = min(b.Longest, b.interval+b.interval/2)
	return Jitter(d)
}

// Jitter returns d, give or take up to a fifth, so that many clients don't come at once.
func Jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// Sleep waits for d. It returns the context's error as soon as the context ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
