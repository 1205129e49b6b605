package simulator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// An Operation is a kind of request.
type Operation string

// The operations.
const (
	Submit   Operation = "submit"   // POST of a submission
	Poll     Operation = "poll"     // GET of a generation
	Download Operation = "download" // GET of a result
	Logs     Operation = "logs"     // GET of the account's logs
	Billing  Operation = "billing"  // GET of the balance or of transactions
	Models   Operation = "models"   // GET of the model catalogue
)

var operations = []Operation{Submit, Poll, Download, Logs, Billing, Models}

func operationNames() string {
	var names []string
	for _, o := range operations {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}

// A Fault makes the simulator misbehave on some requests. If several faults apply, the first one injected takes effect,
// and the others don't see the request.
type Fault struct {
	// On is the affected operation; empty means all.
	On Operation
	// After is the number of requests that pass first. Each fault counts only the requests that no earlier fault has hit.
	After int
	// Times is the number of requests to hit; 0 means all.
	Times int
	// Probability is the probability, from 0 to 1, that a request is hit; 0 means always.
	Probability float64
	// Effect is the misbehaviour.
	Effect Effect

	random *rand.Rand // its own, so that other faults don't change which requests are hit
}

// check returns an error if the fault is invalid.
func (f *Fault) check() error {
	switch {
	case f.On != "" && !slices.Contains(operations, f.On):
		return fmt.Errorf("a fault on %q, which isn't one of %s", string(f.On), operationNames())
	case f.After < 0 || f.Times < 0:
		return fmt.Errorf("a fault after %d requests, %d times: neither can be negative", f.After, f.Times)
	case !(f.Probability >= 0 && f.Probability <= 1): // also NaN
		return fmt.Errorf("a fault with the probability %v, which isn't from 0 to 1", f.Probability)
	case f.Effect.err != nil:
		return fmt.Errorf("a fault with the effect %s: %w", f.Effect.Name, f.Effect.err)
	case f.Effect.Wrap == nil:
		return errors.New("a fault without an effect")
	}
	return nil
}

// Inject adds faults. It panics if one is invalid.
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

// ClearFaults removes all faults.
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
