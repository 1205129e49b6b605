package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
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

// A Fault makes the simulator misbehave on some requests. If several faults apply, the first one injected takes effect,
// and the others don't see the request.
type Fault struct {
	// On is the affected operation; empty means all.
	On Operation `json:"on"`
	// After is the number of requests that pass first. Each fault counts only the requests that no earlier fault has hit.
	After int `json:"after"`
	// Times is the number of requests to hit; 0 means all.
	Times int `json:"times"`
	// Probability is the probability, from 0 to 1, that a request is hit; 0 means always.
	Probability float64 `json:"probability"`
	// Effect is the misbehaviour.
	Effect Effect `json:"-"`

	random *rand.Rand // its own, so that other faults don't change which requests are hit
}

// check returns an error if the fault is invalid.
func (f *Fault) check() error {
	switch {
	case f.On != "" && !slices.Contains(operations, f.On):
		return fmt.Errorf("a fault on %q, which isn't one of %s", string(f.On), oneOf(operations))
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

// ParseFault parses the fault syntax of a command line: OPERATION=EFFECT, then *N for the first N requests or @P for the
// probability P. "poll=503*3" responds to the first three polls with 503, "submit=drop@0.1" drops the response to a
// submission with probability 0.1.
func ParseFault(text string) (f Fault, err error) {
	operation, name, ok := strings.Cut(text, "=")
	f.On = Operation(operation)
	if !ok || !slices.Contains(operations, f.On) {
		return f, fmt.Errorf("fault %q: it must begin with one of %s and =", text, oneOf(operations))
	}
	if before, times, ok := strings.Cut(name, "*"); ok {
		name = before
		if f.Times, err = strconv.Atoi(times); err != nil || f.Times < 1 {
			return f, fmt.Errorf("fault %q: %q isn't a number of requests", text, times)
		}
	} else if before, chance, ok := strings.Cut(name, "@"); ok {
		name = before
		if f.Probability, err = strconv.ParseFloat(chance, 64); err != nil || !(f.Probability > 0 && f.Probability <= 1) {
			return f, fmt.Errorf("fault %q: %q isn't a probability", text, chance)
		}
	}
	if f.Effect, err = parseEffect(name); err != nil {
		return f, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

// A faultValue is a fault in JSON: the text form of [ParseFault], or an object with an effect or a response.
type faultValue struct {
	Fault

	Effect string            `json:"effect"`
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   *string           `json:"body,omitempty"`
}

func (v *faultValue) UnmarshalJSON(text []byte) (err error) {
	var form string
	if json.Unmarshal(text, &form) == nil {
		v.Fault, err = ParseFault(form)
		return err
	}
	type members faultValue // without this method
	if err := json.Unmarshal(text, (*members)(v)); err != nil {
		return err
	}
	if v.Effect == "" {
		v.Fault.Effect = respond(strconv.Itoa(v.Status)+" custom", v.Status, v.Header, v.Body)
	} else if v.Fault.Effect, err = parseEffect(v.Effect); err != nil {
		return err
	}
	return v.check()
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
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		f.Times = max(0, f.Times-1)
		return f
	}
	return nil
}

// oneOf lists the values of an error text.
func oneOf[T ~string](values []T) string {
	texts := make([]string, len(values))
	for i, value := range values {
		texts[i] = string(value)
	}
	return strings.Join(texts, ", ")
}
