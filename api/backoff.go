package api

import (
	"context"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// backoff makes growing intervals that differ by chance, so that many clients don't come at once.
type backoff struct{ interval, longest time.Duration }

func newBackoff(first, longest time.Duration) *backoff {
	const most = math.MaxInt64 / 2 // further on it would overflow
	return &backoff{min(first, most), min(longest, most)}
}

func (b *backoff) next() time.Duration {
	d := b.interval
	b.interval = min(b.longest, b.interval+b.interval/2)
	return jitter(d)
}

// jitter adds or takes away up to a fifth by chance.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

// sleep waits, but not longer than the context.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// maxHint bounds how long the client waits because the server says so.
const maxHint = time.Minute

// retryAfter reads the Retry-After header: seconds or a date, 0 for none and for rubbish, maxHint at most. A date is
// compared with the server's own, whose clock need not be ours.
func retryAfter(header http.Header, now func() time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) { // also NaN
			return 0
		}
		return time.Duration(min(seconds, maxHint.Seconds()) * float64(time.Second))
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	from, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		from = now()
	}
	return min(max(0, date.Sub(from)), maxHint)
}
