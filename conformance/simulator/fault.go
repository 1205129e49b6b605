package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
)

// An Operation is a kind of request.
type Operation string

// The operations.
const (
	Submit   Operation = "submit"   // POST of a submission
	Poll     Operation = "poll"     // GET of a generation
	Download Operation = "download" // GET of a result
)

// A Fault makes the simulator misbehave on some requests. Of several faults that apply, the one that was injected
// first takes effect, and the later ones don't see the request.
type Fault struct {
	// On is the operation that is hit; empty hits all.
	On Operation
	// After is how many requests of the operation this fault lets pass first. Each fault counts for itself, and only the
	// requests that no earlier fault hits.
	After int
	// Times is how many requests are hit. 0 hits all.
	Times int
	// Probability is the chance, from 0 to 1, that a request is hit. 0 hits each.
	Probability float64
	// Effect is what happens.
	Effect Effect

	random *rand.Rand // its own, so that which requests are hit doesn't depend on others
}

// check tells what makes no sense.
func (f *Fault) check() error {
	switch {
	case f.On != "" && f.On != Submit && f.On != Poll && f.On != Download:
		return fmt.Errorf("a fault on %q, which isn't one of submit, poll, download", string(f.On))
	case f.After < 0 || f.Times < 0:
		return fmt.Errorf("a fault after %d requests, %d times: neither can be negative", f.After, f.Times)
	case !(f.Probability >= 0 && f.Probability <= 1): // nor is it NaN
		return fmt.Errorf("a fault with the probability %v, which isn't from 0 to 1", f.Probability)
	case f.Effect.err != nil:
		return fmt.Errorf("a fault with the effect %s: %w", f.Effect.Name, f.Effect.err)
	case f.Effect.Wrap == nil:
		return errors.New("a fault without an effect")
	}
	return nil
}

// Inject adds faults. It panics on one that makes no sense.
func (s *Simulator) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if err := f.check(); err != nil {
			panic(fmt.Errorf("simulator: %w", err))
		}
		s.seeds++
		f.random = rand.New(rand.NewPCG(s.seed, s.seed+s.seeds))
		s.faults = append(s.faults, &f)
	}
}

// ClearFaults takes all faults away.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

func (s *Simulator) nextFault(operation Operation) *Fault {
	s.mu.RLock()
	none := len(s.faults) == 0
	s.mu.RUnlock()
	if none || operation == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.On != "" && f.On != operation {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		if f.Probability > 0 && f.random.Float64() >= f.Probability {
			continue
		}
		if f.Times == 1 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		}
		f.Times--
		return f
	}
	return nil
}
