// Package simulator simulates the video generation API of the Wan 2.2 models over real HTTP, so that programs can be
// tested without a key, without a network and without cost.
//
// It authenticates, validates each submission against the specs, moves each job through its timeline (queued, generating,
// completed), serves a playable mp4 as the result and keeps a [Ledger] of what was created and charged. Tests script
// timelines and inject faults:
//
//	func TestLostResponse(t *testing.T) {
//		srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, time.Second)))
//		srv.Script(simulator.Fail("NSFW", "refused")) // the first job
//		srv.Inject(simulator.Fault{On: simulator.Submit, After: 1, Times: 1, Effect: simulator.Drop()})
//
//		if err := makeVideo(srv.URL, srv.Key); err == nil { // of the program under test
//			t.Error("the failure isn't reported")
//		}
//		if err := makeVideo(srv.URL, srv.Key); err == nil {
//			t.Error("the lost response isn't reported")
//		}
//		if l := srv.Ledger(); l.Created != 2 {
//			t.Errorf("%d jobs, want 2: the lost one may be charged, so it must not be submitted again", l.Created)
//		}
//	}
//
// Programs in other languages do the same over HTTP: the spec of the control API is at /simulator/openapi.json.
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
//   - Ids: all are of the form UUID:model, also in the logs. The API has shorter ones too.
//   - Other hosts: the simulator serves results itself, without a key and without a signature. A URL expires by [Expire] only.
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
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Simulator is an http.Handler that behaves like the API. Safe for concurrent use. Simulators share no state.
type Simulator struct {
	config

	offset  atomic.Int64 // sum of all Advance calls
	logMu   sync.Mutex
	local   *http.ServeMux // of the requests that aren't the API's
	initial mutable
	replay  []Timeline
	state   *stateFile // nil without WithState

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
	totals      Ledger // without Jobs, and without the charges of the jobs in order
	reserved    int    // price of all jobs
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
	s := &Simulator{config: defaultConfig()}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("simulator: an Option is nil")
		}
		opt(&s.config)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	if s.replayDir != nil {
		timelines, err := replay(s.replayDir)
		if err != nil {
			return nil, fmt.Errorf("simulator: WithReplay: %w", err)
		}
		s.replay = timelines
	}
	s.balance = credits(s.balanceUSD)
	s.local = s.controlRoutes()
	s.initial = s.mutable
	if err := s.restart(); err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return s, nil
}

// restart sets the state of the last process, if it was kept.
func (s *Simulator) restart() error {
	s.start()
	if err := s.openState(); err != nil {
		return fmt.Errorf("WithState: %w", err)
	}
	s.Inject(s.config.faults...)
	return nil
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
	s.totals, s.reserved = Ledger{}, 0
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
	x := &exchange{ResponseWriter: w, sim: s, entry: Entry{
		Time: s.now(), Method: r.Method, Path: r.URL.Path, ClientRequestID: clientRequestID(r),
	}}
	operation, handler := x.route(r)
	if operation == "" {
		if _, pattern := s.local.Handler(r); pattern != "" {
			s.local.ServeHTTP(w, r)
			return
		}
	}
	x.entry.Operation = operation
	if operation == Poll { // the API sends the header with every response about a well-formed id
		x.generationID = r.URL.Query().Get("generation_id")
		if len(x.generationID) <= 200 && strings.Trim(x.generationID, idCharacters) == "" {
			x.inferenceID = x.generationID
		}
	}
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

var readMethods = []string{http.MethodGet, http.MethodHead}

// endpoints are the operations of the API. Requests reach them below any path prefix.
var endpoints = []struct {
	path      string
	methods   []string
	operation Operation
	serve     func(*exchange, http.ResponseWriter, *http.Request)
}{
	{"/v2/video/generations", readMethods, Poll, (*exchange).poll},
	{"/v2/video/generations", []string{http.MethodPost}, Submit, (*exchange).submit},
	{"/v2/logs", readMethods, Logs, (*exchange).logs},
	{"/v2/billing", readMethods, Billing, (*exchange).billing},
	{"/v2/billing/transactions", readMethods, Billing, (*exchange).transactions},
	{"/v1/models", readMethods, Models, (*exchange).models},
}

// route returns the handler of a request, and the operation if it has one.
func (x *exchange) route(r *http.Request) (Operation, http.HandlerFunc) {
	var allowed []string
	for _, e := range endpoints {
		prefix, ok := strings.CutSuffix(r.URL.Path, e.path)
		if !ok {
			continue
		}
		x.prefix = prefix
		if slices.Contains(e.methods, r.Method) {
			return e.operation, func(w http.ResponseWriter, r *http.Request) { e.serve(x, w, r) }
		}
		allowed = append(allowed, e.methods...)
	}
	if allowed == nil && strings.Contains(r.URL.Path, filesPath) {
		if allowed = readMethods; slices.Contains(allowed, r.Method) {
			return Download, x.download
		}
	}
	if allowed != nil {
		x.Header().Set("Allow", strings.Join(allowed, ", "))
		return "", x.fail(http.StatusMethodNotAllowed, "Cannot "+r.Method+" "+r.URL.Path)
	}
	return "", x.fail(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
}
