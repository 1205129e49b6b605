package simulator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

// An Option configures a Simulator. If one is invalid, [Listen] returns an error, [Start] and [StartInMemory] fail the
// test, and [New] panics.
type Option func(*config) error

type config struct {
	mutable

	key         string
	failureRate float64
	faults      []Fault
	seed        uint64
	maxBody     int64
	logDelay    time.Duration
	retention   time.Duration
	log         func(Entry)
	control     bool
	statePath   string
	replay      []Timeline
	certificate *tls.Certificate

	latencyMin, latencyMax time.Duration
}

// mutable is what the control API changes.
type mutable struct {
	timeline  Timeline
	timelines map[string]Timeline // by slug
	balance   int                 // in credits
	prices    map[string]Price    // by slug
}

func defaultConfig() config {
	return config{
		mutable: mutable{
			timeline:  Complete(time.Second, 2*time.Second),
			timelines: map[string]Timeline{},
			balance:   credits(1_000_000),
			prices:    map[string]Price{},
		},
		seed:      rand.Uint64(),
		maxBody:   256 << 20,
		retention: time.Hour,
	}
}

// WithKey sets the only API key to accept; "" accepts any. The default of [New] is any key, that of servers a random one:
// [Server.Key].
func WithKey(key string) Option {
	return func(c *config) error {
		if strings.ContainsFunc(key, unicode.IsControl) || strings.TrimSpace(key) != key {
			return errors.New("WithKey: no header carries a key with control characters or surrounding white space")
		}
		c.key = key
		return nil
	}
}

// WithTimeline sets the timeline of each job, or of the jobs of some models by their slugs, such as "animate-move". The
// default is Complete(time.Second, 2*time.Second).
func WithTimeline(t Timeline, slugs ...string) Option {
	return func(c *config) error {
		if slugs == nil {
			c.timeline = t
		}
		for _, slug := range slugs {
			if err := checkSlug(slug); err != nil {
				return fmt.Errorf("WithTimeline: %w", err)
			}
			c.timelines[slug] = t
		}
		return nil
	}
}

// WithFailureRate makes jobs fail with probability p, from 0 to 1. It doesn't affect jobs with a timeline from
// [Simulator.Script] or of its model. The default is 0.
func WithFailureRate(p float64) Option {
	return func(c *config) error {
		if !(p >= 0 && p <= 1) { // also NaN
			return fmt.Errorf("WithFailureRate: %v isn't a probability from 0 to 1", p)
		}
		c.failureRate = p
		return nil
	}
}

// WithFaults injects faults from the start, like [Simulator.Inject].
func WithFaults(faults ...Fault) Option {
	return func(c *config) error {
		for _, f := range faults {
			if err := f.check(); err != nil {
				return err
			}
		}
		c.faults = append(c.faults, faults...)
		return nil
	}
}

// WithSeed makes job ids and random decisions repeatable. Polls don't change which jobs fail. The default is a random seed.
func WithSeed(seed uint64) Option {
	return func(c *config) error {
		c.seed = seed
		return nil
	}
}

// WithMaxBody caps the body of a submission in bytes; a larger one gets 413. The default is 256 MiB.
func WithMaxBody(bytes int64) Option {
	return func(c *config) error {
		if bytes <= 0 {
			return fmt.Errorf("WithMaxBody: no submission fits in %d bytes", bytes)
		}
		c.maxBody = bytes
		return nil
	}
}

// WithRetention sets how long jobs are kept after their last step began. The default is one hour.
func WithRetention(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithRetention: %v is negative", d)
		}
		c.retention = d
		return nil
	}
}

// WithLog calls log at the end of each request, one call at a time. A log that blocks holds up the responses. An entry has
// no keys and no bodies; [Entry.String] is a line for people, its JSON one for programs.
func WithLog(log func(Entry)) Option {
	return func(c *config) error {
		c.log = log
		return nil
	}
}

// WithCertificate makes servers speak TLS and HTTP/2 with the certificate.
func WithCertificate(certificate tls.Certificate) Option {
	return func(c *config) error {
		if len(certificate.Certificate) == 0 {
			return errors.New("WithCertificate: the certificate is empty")
		}
		c.certificate = &certificate
		return nil
	}
}

// WithLatency delays each request of the API by a random duration between low and high.
func WithLatency(low, high time.Duration) Option {
	return func(c *config) error {
		if low < 0 || high < low {
			return fmt.Errorf("WithLatency: %v to %v isn't a range", low, high)
		}
		c.latencyMin, c.latencyMax = low, high
		return nil
	}
}

const maxBalance = 1e9 // in USD

// WithBalance sets the balance of the account in USD. A submission that it doesn't cover gets 403. The default is
// 1,000,000 USD.
func WithBalance(usd float64) Option {
	return func(c *config) error {
		if !(usd >= 0 && usd <= maxBalance) {
			return fmt.Errorf("WithBalance: %v isn't an amount from 0 to 1e9", usd)
		}
		c.balance = credits(usd)
		return nil
	}
}

// WithLogDelay delays the rows of /v2/logs and /v2/billing/transactions after the end of a job. The default is 0.
func WithLogDelay(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithLogDelay: %v is negative", d)
		}
		c.logDelay = d
		return nil
	}
}
