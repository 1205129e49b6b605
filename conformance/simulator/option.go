package simulator

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aimlvideo/wan-go/spec"
)

// An Option changes how a Simulator behaves. One that makes no sense is an error of [Listen], ends the test of [Start] and
// [StartInMemory], and makes [New] panic.
type Option func(*config) error

type config struct {
	key         string
	timeline    Timeline
	timelines   map[string]Timeline // by slug
	failureRate float64
	faults      []Fault
	seed        uint64
	maxBody     int64
	retention   time.Duration
	log         io.Writer
}

func defaultConfig() config {
	return config{
		timeline:  Complete(time.Second, 2*time.Second),
		timelines: map[string]Timeline{},
		seed:      rand.Uint64(),
		maxBody:   256 << 20,
		retention: time.Hour,
	}
}

// WithKey makes the simulator accept only this API key; with an empty one, any will do. Without this option, [New] accepts
// any key, and servers make one up: [Server.Key].
func WithKey(key string) Option {
	return func(c *config) error {
		if strings.ContainsFunc(key, unicode.IsControl) || strings.TrimSpace(key) != key {
			return errors.New("WithKey: the key has white space around it or control characters in it, which no header carries")
		}
		c.key = key
		return nil
	}
}

// WithTimeline sets what happens to each job. The default is Complete(time.Second, 2*time.Second).
func WithTimeline(t Timeline) Option {
	return func(c *config) error {
		c.timeline = t
		return nil
	}
}

// WithModelTimeline sets what happens to the jobs of one model, given by its slug, such as "animate-move".
func WithModelTimeline(slug string, t Timeline) Option {
	return func(c *config) error {
		var slugs []string
		for _, d := range spec.Models() {
			slugs = append(slugs, d.Slug)
		}
		if !slices.Contains(slugs, slug) {
			return fmt.Errorf("WithModelTimeline: %q isn't one of %s", slug, strings.Join(slugs, ", "))
		}
		c.timelines[slug] = t
		return nil
	}
}

// WithFailureRate makes jobs fail at their end with the probability p, from 0 to 1. Jobs with a timeline of their own,
// by [Simulator.Script] or [WithModelTimeline], aren't touched. The default is 0.
func WithFailureRate(p float64) Option {
	return func(c *config) error {
		if !(p >= 0 && p <= 1) { // nor is it NaN
			return fmt.Errorf("WithFailureRate: %v isn't a probability from 0 to 1", p)
		}
		c.failureRate = p
		return nil
	}
}

// WithFaults injects faults from the start, as [Simulator.Inject] does later.
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

// WithSeed makes the ids of jobs and everything that depends on a probability repeatable: the n-th job fails or not,
// whatever is polled in between. The default is a random seed.
func WithSeed(seed uint64) Option {
	return func(c *config) error {
		c.seed = seed
		return nil
	}
}

// WithMaxBody caps the body of a submission, in bytes. Larger ones are answered 413. The default is 256 MiB.
func WithMaxBody(bytes int64) Option {
	return func(c *config) error {
		if bytes <= 0 {
			return fmt.Errorf("WithMaxBody: no submission fits in %d bytes", bytes)
		}
		c.maxBody = bytes
		return nil
	}
}

// WithRetention sets for how long jobs are remembered after their submission. The default is one hour.
func WithRetention(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithRetention: %v is negative", d)
		}
		c.retention = d
		return nil
	}
}

// WithLog writes one line for each request, by one call of Write, never two at a time. The lines show neither keys nor
// bodies. While the writer is stuck, up to 10,000 lines wait; further ones are lost.
func WithLog(w io.Writer) Option {
	return func(c *config) error {
		c.log = w
		return nil
	}
}
