// Package simulator simulates the video generation API of the Wan 2.2 models over real HTTP, so that programs can be
// tested without a key, without a network and without cost.
//
// It authenticates, validates each submission against the specs, moves each job through its timeline (queued, generating,
// completed), serves a playable mp4 as the result and keeps a [Ledger] of what was created and charged. Tests script
// timelines and inject faults:
//
//	srv := simulator.Start(t, simulator.WithTimeline(simulator.Fail("NSFW", "refused")))
//	srv.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
//	// ... use srv.URL and srv.Key ...
//	if l := srv.Ledger(); l.Created != 1 || l.Charged != 0 { ... }
//
// The simulator reads the time from package time only, so within a testing/synctest bubble ([StartInMemory]) a job of
// ten minutes takes no time at all. Elsewhere, [Simulator.Advance] advances the clock.
//
// # Limitations
//
//   - Models: a result is one of six small videos, chosen by resolution and aspect ratio only. Prompt, seed, frames and
//     inputs have no effect, and URLs of a request are never fetched.
//   - Undocumented behaviour: prices (see [WithPrices]), quotas, the safety checker, the exact error messages, the size
//     limit of a request.
//   - The account: the logs reach back as far as [WithRetention] and have no rows for polls and for faults.
//   - Other hosts: the simulator serves results itself, without a key and without a signature.
//   - HTTP/2 ([WithCertificate]): faults that reset a connection abort the stream.
//   - Persistence: jobs are forgotten after [WithRetention], and without [WithState] when the process ends.
package simulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Simulator is an http.Handler that behaves like the API. Safe for concurrent use. Simulators share no state.
type Simulator struct {
	config

	path    string       // of the generations
	offset  atomic.Int64 // sum of all Advance calls
	logMu   sync.Mutex
	local   http.Handler // of the requests that aren't the API's
	initial mutable
	state   *os.File // nil without WithState

	mu          sync.RWMutex
	random      *rand.Rand
	jobs        map[string]*job // by id
	files       map[string]*job // by the token in the result's URL
	order       []*job          // by time of creation
	scripts     []Timeline
	faults      []*Fault
	seeds       uint64 // number of faults that were seeded
	rejected    []logRow
	logRequests map[string][]time.Time // of the last minute, by key
	topUps      []transaction
	totals      totals
	history     history
}

// New returns a Simulator. Without options it accepts any key, and each job completes after three seconds. It panics if
// an option is invalid.
func New(opts ...Option) *Simulator {
	s, err := newSimulator(opts)
	if err != nil {
		panic(err)
	}
	return s
}

func newSimulator(opts []Option) (*Simulator, error) {
	s := &Simulator{config: defaultConfig(), path: spec.Generation().Path}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("simulator: an Option is nil")
		}
		if err := opt(&s.config); err != nil {
			return nil, fmt.Errorf("simulator: %w", err)
		}
	}
	s.local = s.controlRoutes()
	s.initial = s.mutable
	s.start()
	if err := s.openState(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	s.Inject(s.config.faults...)
	return s, nil
}

// start sets the state as it is before the first request.
func (s *Simulator) start() {
	s.mutable = s.initial
	s.timelines, s.prices = maps.Clone(s.initial.timelines), maps.Clone(s.initial.prices)
	s.offset.Store(0)
	s.random = rand.New(rand.NewPCG(s.seed, s.seed))
	s.jobs, s.files, s.order = map[string]*job{}, map[string]*job{}, nil
	s.scripts, s.faults, s.seeds = slices.Clone(s.replay), nil, 0
	s.rejected, s.logRequests = nil, map[string][]time.Time{}
	s.topUps = []transaction{{CreatedAt: s.now().UTC(), Direction: "TOPUP", Type: "INIT", Amount: cost{usd(s.balance), s.balance}}}
	s.totals, s.history = totals{}, history{}
}

// Advance advances the simulator's clock by d.
func (s *Simulator) Advance(d time.Duration) {
	s.offset.Add(int64(d))
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.save(stateRecord{Clock: durationValue(d)})
}

func (s *Simulator) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

// Script sets the timelines of the next jobs, one each, in the order of submission.
func (s *Simulator) Script(timelines ...Timeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, timelines...)
}

// ServeHTTP serves the API's operations and the results below any path prefix, and at "/", /openapi.json and
// /simulator/ what is about the simulator.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if serveCORS(w, r) {
		return
	}
	if isControl(r) {
		s.local.ServeHTTP(w, r)
		return
	}
	x := &exchange{ResponseWriter: w, sim: s, entry: Entry{
		Time: s.now(), Method: r.Method, Path: r.URL.Path, ClientRequestID: clientRequestID(r),
	}}
	operation, handler := x.route(r)
	x.entry.Operation = operation
	if s.delay(r.Context()) != nil {
		return // the client is gone
	}
	defer s.record(x) // deferred: a fault may panic to break the connection
	if fault := s.nextFault(operation); fault != nil {
		x.entry.Fault = fault.Effect.Name
		fault.Effect.Wrap(handler).ServeHTTP(x, withExchange(r, x))
		return
	}
	handler(x, r)
}

// delay waits for the latency of a request.
func (s *Simulator) delay(ctx context.Context) error {
	if s.latencyMax == 0 {
		return nil
	}
	s.mu.Lock()
	d := s.latencyMin + time.Duration(s.random.Int64N(int64(s.latencyMax-s.latencyMin)+1))
	s.mu.Unlock()
	return wire.Sleep(ctx, d)
}

// route returns the handler of a request, and the operation if it has one.
func (x *exchange) route(r *http.Request) (Operation, http.HandlerFunc) {
	if prefix, ok := strings.CutSuffix(r.URL.Path, x.sim.path); ok {
		x.prefix = prefix
		switch r.Method {
		case http.MethodPost:
			return Submit, x.submit
		case http.MethodGet, http.MethodHead:
			return Poll, x.poll
		}
		x.Header().Set("Allow", "GET, HEAD, POST")
		return "", x.fail(http.StatusMethodNotAllowed, "Cannot "+r.Method+" "+r.URL.Path)
	}
	if operation, handler, ok := x.accountRoute(r); ok {
		return operation, handler
	}
	if file, ok := resultOf(r); ok {
		return Download, func(w http.ResponseWriter, r *http.Request) { x.download(w, r, file) }
	}
	return "", x.fail(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
}
