package simulator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
)

// An Option configures a Simulator. If one is invalid, [Listen] returns an error, [Start] and [StartInMemory] fail the
// test, and [New] panics.
type Option func(*config)

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
	replayDir   fs.FS
	balanceUSD  float64
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
			prices:    map[string]Price{},
		},
		balanceUSD: 1_000_000,
		seed:       rand.Uint64(),
		maxBody:    256 << 20,
		retention:  time.Hour,
	}
}

// check returns an error if an option is invalid.
func (c *config) check() error {
	switch {
	case strings.ContainsFunc(c.key, unicode.IsControl) || strings.TrimSpace(c.key) != c.key:
		return errors.New("WithKey: no header carries a key with control characters or surrounding white space")
	case !(c.failureRate >= 0 && c.failureRate <= 1): // also NaN
		return fmt.Errorf("WithFailureRate: %v isn't a probability from 0 to 1", c.failureRate)
	case c.maxBody <= 0:
		return fmt.Errorf("WithMaxBody: no submission fits in %d bytes", c.maxBody)
	case c.retention < 0:
		return fmt.Errorf("WithRetention: %v is negative", c.retention)
	case c.certificate != nil && len(c.certificate.Certificate) == 0:
		return errors.New("WithCertificate: the certificate is empty")
	case c.latencyMin < 0 || c.latencyMax < c.latencyMin:
		return fmt.Errorf("WithLatency: %v to %v isn't a range", c.latencyMin, c.latencyMax)
	case !(c.balanceUSD >= 0 && c.balanceUSD <= 1e9):
		return fmt.Errorf("WithBalance: %v isn't an amount from 0 to 1e9", c.balanceUSD)
	case c.logDelay < 0:
		return fmt.Errorf("WithLogDelay: %v is negative", c.logDelay)
	}
	for slug := range c.timelines {
		if err := checkSlug(slug); err != nil {
			return fmt.Errorf("WithTimeline: %w", err)
		}
	}
	if err := checkPrices(c.prices); err != nil {
		return fmt.Errorf("WithPrices: %w", err)
	}
	for _, f := range c.faults {
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

// WithKey sets the only API key to accept; "" accepts any. The default of [New] is any key, that of servers a random one:
// [Server.Key].
func WithKey(key string) Option { return func(c *config) { c.key = key } }

// WithTimeline sets the timeline of each job, or of the jobs of some models by their slugs, such as "animate-move". The
// default is Complete(time.Second, 2*time.Second).
func WithTimeline(t Timeline, slugs ...string) Option {
	return func(c *config) {
		if slugs == nil {
			c.timeline = t
		}
		for _, slug := range slugs {
			c.timelines[slug] = t
		}
	}
}

// WithFailureRate makes jobs fail with probability p, from 0 to 1. It doesn't affect jobs with a timeline from
// [Simulator.Script] or of its model. The default is 0.
func WithFailureRate(p float64) Option { return func(c *config) { c.failureRate = p } }

// WithFaults injects faults from the start, like [Simulator.Inject].
func WithFaults(faults ...Fault) Option {
	return func(c *config) { c.faults = append(c.faults, faults...) }
}

// WithSeed makes job ids and random decisions repeatable. Polls don't change which jobs fail. The default is a random seed.
func WithSeed(seed uint64) Option { return func(c *config) { c.seed = seed } }

// WithMaxBody caps the body of a submission in bytes; a larger one gets 413. The default is 256 MiB.
func WithMaxBody(bytes int64) Option { return func(c *config) { c.maxBody = bytes } }

// WithRetention sets how long jobs are kept after their last step began. The default is one hour.
func WithRetention(d time.Duration) Option { return func(c *config) { c.retention = d } }

// WithLog calls log at the end of each request, one call at a time. A log that blocks holds up the responses. An entry has
// no keys and no bodies; [Entry.String] is a line for people, its JSON one for programs.
func WithLog(log func(Entry)) Option { return func(c *config) { c.log = log } }

// WithCertificate makes servers speak TLS and HTTP/2 with the certificate.
func WithCertificate(certificate tls.Certificate) Option {
	return func(c *config) { c.certificate = &certificate }
}

// WithLatency delays each request of the API by a random duration between low and high.
func WithLatency(low, high time.Duration) Option {
	return func(c *config) { c.latencyMin, c.latencyMax = low, high }
}

// WithBalance sets the balance of the account in USD. A submission that it doesn't cover gets 403. The default is
// 1,000,000 USD.
func WithBalance(usd float64) Option { return func(c *config) { c.balanceUSD = usd } }

// WithLogDelay delays the rows of /v2/logs and /v2/billing/transactions after the end of a job. The default is 0.
func WithLogDelay(d time.Duration) Option { return func(c *config) { c.logDelay = d } }

// WithPrices sets the prices of models by slug, such as "animate-move". A job of a model with another price costs
// [USDPerJob], and so does a job whose price is variable.
func WithPrices(prices map[string]Price) Option {
	return func(c *config) { maps.Copy(c.prices, prices) }
}

// WithControl serves the control API below /simulator/ to every client. Without this option it is served on loopback
// only, to requests with a loopback Host.
func WithControl() Option { return func(c *config) { c.control = true } }

// WithState keeps the jobs in a file, so that they survive a restart of the process, however it ends. The file has one
// JSON object per line and grows with each job. Only one simulator can use it at a time: FILE.lock is its lock. API keys are
// stored as hashes.
func WithState(path string) Option { return func(c *config) { c.statePath = path } }

// WithReplay sets the timelines of the first jobs to those of the recorded generations, in the order of their
// submission. The directory has the files of a [conformance.Recorder]. Result URLs are replaced by the simulator's own.
func WithReplay(dir fs.FS) Option { return func(c *config) { c.replayDir = dir } }
