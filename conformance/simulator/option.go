package simulator

import (
	"io"
	"math/rand/v2"
	"time"
)

// An Option changes how a Simulator behaves.
type Option func(*config)

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

// WithKey makes the simulator accept only this API key. Without it any key will do.
func WithKey(key string) Option { return func(c *config) { c.key = key } }

// WithTimeline sets what happens to each job. The default is Complete(time.Second, 2*time.Second).
func WithTimeline(t Timeline) Option { return func(c *config) { c.timeline = t } }

// WithModelTimeline sets what happens to the jobs of one model, given by its slug, such as "animate-move".
func WithModelTimeline(slug string, t Timeline) Option {
	return func(c *config) { c.timelines[slug] = t }
}

// WithFailureRate makes jobs fail at their end with the probability p, from 0 to 1. Jobs with a timeline of their own,
// by [Simulator.Script] or [WithModelTimeline], aren't touched. The default is 0.
func WithFailureRate(p float64) Option { return func(c *config) { c.failureRate = p } }

// WithFaults injects faults from the start, as [Simulator.Inject] does later.
func WithFaults(faults ...Fault) Option {
	return func(c *config) { c.faults = append(c.faults, faults...) }
}

// WithSeed makes the ids of jobs and everything that depends on a probability repeatable: the n-th job fails or not,
// whatever is polled in between. The default is a random seed.
func WithSeed(seed uint64) Option { return func(c *config) { c.seed = seed } }

// WithMaxBody caps the body of a submission, in bytes. Larger ones are answered 413. The default is 256 MiB.
func WithMaxBody(bytes int64) Option { return func(c *config) { c.maxBody = bytes } }

// WithRetention sets for how long jobs are remembered after their submission. The default is one hour.
func WithRetention(d time.Duration) Option { return func(c *config) { c.retention = d } }

// WithLog writes one line for each request. The lines show neither keys nor bodies.
func WithLog(w io.Writer) Option { return func(c *config) { c.log = w } }
