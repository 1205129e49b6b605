package batch

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// A RunOption configures [Batch.Run].
type RunOption func(*options) error

type options struct {
	output                    string
	concurrency, rate, maxUSD int64
	until                     time.Time
	stopAfterFailures         int64
	drain                     <-chan struct{}
	join                      bool
	onSaved                   func(context.Context, Record) error
	onChange                  func(Change)
	searchTime                time.Duration
	estimate                  func(context.Context, map[string]any) (usd float64, err error)
}

// placeholders of [WithOutput].
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// WithOutput sets the file of each video. In the path, {custom_id} and {line} stand for those of the line. The
// directory before the first of them also gets results.jsonl and errors.jsonl. The default is {custom_id}.mp4.
func WithOutput(path string) RunOption {
	return func(o *options) error {
		unique := false
		for _, p := range placeholder.FindAllString(path, -1) {
			if p != "{custom_id}" && p != "{line}" {
				return fmt.Errorf("output: unknown placeholder %s, want {custom_id} or {line}", p)
			}
			unique = true
		}
		if !unique {
			return fmt.Errorf("output: %q is one file for all lines, put {custom_id} into it", path)
		}
		o.output = path
		return nil
	}
}

// WithConcurrency sets how many generations may be in flight, in all processes together. The default is 10.
func WithConcurrency(n int) RunOption {
	return func(o *options) error {
		if n < 1 {
			return fmt.Errorf("concurrency: %d, want at least 1", n)
		}
		o.concurrency = int64(n)
		return nil
	}
}

// WithRate sets how many submissions are sent per minute, in all processes together. 0, the default, is no limit.
func WithRate(perMinute int) RunOption {
	return func(o *options) error {
		if perMinute < 0 {
			return fmt.Errorf("rate: %d, want at least 0", perMinute)
		}
		o.rate = int64(perMinute)
		return nil
	}
}

// WithMaxUSD stops submitting where the next line could make the batch cost more: what is spent, estimated for what is
// in flight, and estimated for lines of state unknown count. It needs an estimate for every line. 0 is no limit.
func WithMaxUSD(usd float64) RunOption {
	return func(o *options) error {
		if !(usd >= 0 && usd < 1e9) {
			return fmt.Errorf("max usd: %v, want an amount in dollars", usd)
		}
		o.maxUSD = toMicros(usd)
		return nil
	}
}

// WithUntil stops submitting at a time.
func WithUntil(t time.Time) RunOption {
	return func(o *options) error {
		o.until = t
		return nil
	}
}

// WithStopAfterFailures stops submitting once n lines have failed or were rejected in this run. 0 is no limit.
func WithStopAfterFailures(n int) RunOption {
	return func(o *options) error {
		if n < 0 {
			return fmt.Errorf("stop after failures: %d, want at least 0", n)
		}
		o.stopAfterFailures = int64(n)
		return nil
	}
}

// WithDrain makes Run stop softly once the channel is closed: nothing more is submitted, requests and downloads under
// way are finished, and Run returns. The next Run goes on.
func WithDrain(drain <-chan struct{}) RunOption {
	return func(o *options) error {
		o.drain = drain
		return nil
	}
}

// Join makes Run help another process with the limits and the output that are in the database.
func Join() RunOption {
	return func(o *options) error {
		o.join = true
		return nil
	}
}

// OnSaved has f called with each saved video, from several goroutines. The line is saved when f returns nil.
func OnSaved(f func(context.Context, Record) error) RunOption {
	return func(o *options) error {
		o.onSaved = f
		return nil
	}
}

// WithSearch sets how long Run looks in the account's logs for a line whose outcome is unknown: a row may come only after
// the generation is over. The default is 30 minutes; with 0 such a line stays unknown at once.
func WithSearch(d time.Duration) RunOption {
	return func(o *options) error {
		if d < 0 {
			return fmt.Errorf("search: %v is negative", d)
		}
		o.searchTime = d
		return nil
	}
}

// WithEstimate replaces [api.Client.Estimate] for [WithMaxUSD]. A price that can't be known is an error.
func WithEstimate(estimate func(ctx context.Context, body map[string]any) (usd float64, err error)) RunOption {
	return func(o *options) error {
		o.estimate = estimate
		return nil
	}
}

// OnChange has f called with each change of state that this process makes, from several goroutines.
func OnChange(f func(Change)) RunOption {
	return func(o *options) error {
		o.onChange = f
		return nil
	}
}

// A Change is a line that has changed its state, or trouble of the run where CustomID is empty.
type Change struct {
	CustomID     string
	State        State
	GenerationID string
	File         string
	Err          error
}

// A StoppedError reports that Run has ended before all lines were done. The next Run goes on.
type StoppedError struct {
	Reason string
	// Pending, InFlight count the lines that are left.
	Pending, InFlight int
	Err               error
}

func (e *StoppedError) Error() string {
	return fmt.Sprintf("batch: stopped, %s; %d lines are pending and %d in flight, run it again to go on", e.Reason, e.Pending, e.InFlight)
}

func (e *StoppedError) Unwrap() error { return e.Err }

var errNoEstimate = errors.New("no price is known, so --max-usd can't be kept")
