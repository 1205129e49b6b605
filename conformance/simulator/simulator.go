// Package simulator imitates the video generation API of the four Wan 2.2 models over real HTTP, so that programs can
// be tried and tested without a key, without a network and without paying.
//
// It authenticates, validates each submission against the documents in spec, walks each job through its timeline
// (queued, generating, completed), serves a playable mp4 as the result and keeps a [Ledger] of what was created and
// charged. Tests script timelines and faults:
//
//	srv := simulator.Start(t, simulator.WithTimeline(simulator.Fail("NSFW", "refused")))
//	srv.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
//	// ... use srv.URL and srv.Key ...
//	if l := srv.Ledger(); l.Created != 1 || l.Charged != 0 { ... }
//
// The simulator reads the time with package time only, so within a testing/synctest bubble ([StartInMemory]) a job of
// ten minutes takes no time at all. [Simulator.Advance] turns the clock elsewhere.
//
// # What it doesn't imitate
//
//   - The models: each result is one of six small films, chosen by resolution and aspect ratio only. Prompt, seed,
//     frames and inputs have no influence, and URLs in a request are never fetched.
//   - What the vendor doesn't document: prices (every completed job costs [CreditsPerJob]), quotas, rate limits,
//     the safety checker, the exact words of error messages, the size limit of a request.
//   - Balances: a key never runs out of credits, unless a fault says so.
//   - Other hosts: results are served by the simulator itself, without a key and without a signature.
//   - TLS and HTTP/2, unless it is mounted in a server that speaks them; faults that reset a connection abort the
//     stream there.
//   - Persistence: jobs are forgotten after [WithRetention] and when the process ends.
package simulator

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// A Simulator is an http.Handler that behaves like the API. It is safe for concurrent use; several of them share
// nothing.
type Simulator struct {
	config

	path   string       // of the generations
	offset atomic.Int64 // what Advance has added to the time

	mu      sync.RWMutex
	random  *rand.Rand
	jobs    map[string]*job // by id
	files   map[string]*job // by the token in the result's URL
	order   []*job          // by time of creation
	scripts []Timeline
	faults  []*Fault
	seeds   uint64      // how many faults have had a seed
	due     []time.Time // when jobs that are forgotten are charged
	settled int         // how many of them there were when they were last looked through
	totals  totals
	history history
	lines   lineLog
}

// New makes a Simulator. Without options it accepts any key, and each job completes after three seconds. It panics on
// options that make no sense, as [Simulator.Inject] does.
func New(opts ...Option) *Simulator {
	s, err := newSimulator(opts)
	if err != nil {
		panic(err)
	}
	return s
}

func newSimulator(opts []Option) (*Simulator, error) {
	s := &Simulator{
		config: defaultConfig(),
		path:   spec.Generation().Path,
		jobs:   map[string]*job{},
		files:  map[string]*job{},
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, errors.New("simulator: an Option is nil")
		}
		if err := opt(&s.config); err != nil {
			return nil, fmt.Errorf("simulator: %w", err)
		}
	}
	s.random = rand.New(rand.NewPCG(s.seed, s.seed))
	s.lines.w = s.log
	s.Inject(s.config.faults...)
	return s, nil
}

// Advance turns the simulator's clock forward, so that jobs are further along at the next poll.
func (s *Simulator) Advance(d time.Duration) { s.offset.Add(int64(d)) }

func (s *Simulator) now() time.Time { return time.Now().Add(time.Duration(s.offset.Load())) }

// Script sets the timelines of the next jobs, one each, in the order of their submission.
func (s *Simulator) Script(timelines ...Timeline) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripts = append(s.scripts, timelines...)
}

// ServeHTTP answers the API's two operations below any prefix of the path, the results, and a page about it all at "/".
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, sim: s, entry: Entry{Time: s.now(), Method: r.Method, Path: r.URL.Path}}
	var operation Operation
	var handler http.HandlerFunc
	switch file, isFile := resultOf(r); {
	case strings.HasSuffix(r.URL.Path, s.path):
		x.prefix = strings.TrimSuffix(r.URL.Path, s.path)
		switch r.Method {
		case http.MethodPost:
			operation, handler = Submit, x.submit
		case http.MethodGet, http.MethodHead:
			operation, handler = Poll, x.poll
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			handler = x.fail(http.StatusMethodNotAllowed, "Cannot "+r.Method+" "+r.URL.Path)
		}
	case isFile:
		operation, handler = Download, func(w http.ResponseWriter, r *http.Request) { x.download(w, r, file) }
	case isPage(r):
		s.servePage(w, r)
		return
	default:
		handler = x.fail(http.StatusNotFound, "Cannot "+r.Method+" "+r.URL.Path)
	}
	defer s.record(x) // also when a fault panics to break the connection
	if fault := s.nextFault(operation); fault != nil {
		x.entry.Fault = fault.Effect.Name
		fault.Effect.Wrap(handler).ServeHTTP(x, withExchange(r, x))
		return
	}
	handler(x, r)
}

// An exchange is one request and its answer. It notes the status that is sent, whoever sends it.
type exchange struct {
	http.ResponseWriter

	sim    *Simulator
	prefix string // of the path
	entry  Entry
}

func (x *exchange) WriteHeader(status int) {
	if x.entry.Status == 0 && status >= 200 {
		x.entry.Status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.entry.Status == 0 {
		x.entry.Status = http.StatusOK
	}
	return x.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) submit(w http.ResponseWriter, r *http.Request) {
	s := x.sim
	if !x.authorized(w, r) {
		return
	}
	if !conformance.IsJSON(r.Header) {
		x.reject(w, http.StatusUnsupportedMediaType, "Unsupported media type: expected application/json")
		return
	}
	body, err := x.readBody(w, r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		x.reject(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Payload too large: expected at most %d bytes", s.maxBody))
		return
	} else if err != nil {
		x.reject(w, http.StatusBadRequest, "The body couldn't be read")
		return
	}
	submission, findings := conformance.CheckSubmission(body)
	if findings != nil {
		x.entry.Findings = slices.Clone(findings[:min(len(findings), maxFindings)])
		var texts []string
		for _, f := range x.entry.Findings {
			texts = append(texts, f.String())
		}
		if more := len(findings) - len(texts); more > 0 {
			texts = append(texts, fmt.Sprintf("and %d more", more))
		}
		x.reject(w, http.StatusBadRequest, "Body validation error: "+strings.Join(texts, "; "))
		return
	}
	requestID := conformance.ClientRequestID(r.Header)
	j := s.create(submission, body, requestID)
	x.entry.Job = j.id
	status, answer := j.accepted(x.baseURL(r))
	x.entry.Note = submission.Document.Slug + " " + status
	w.Header().Set("X-Inference-Id", j.id)
	x.answer(w, http.StatusOK, requestID, answer)
}

func (x *exchange) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > x.sim.maxBody {
		return nil, &http.MaxBytesError{Limit: x.sim.maxBody}
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, x.sim.maxBody))
}

// maxFindings is how many findings an answer names: a body of some megabytes can have a million.
const maxFindings = 50

func (x *exchange) poll(w http.ResponseWriter, r *http.Request) {
	s := x.sim
	if !x.authorized(w, r) {
		return
	}
	id := r.URL.Query().Get("generation_id")
	if id == "" {
		x.reject(w, http.StatusBadRequest, "Query validation error: generation_id: expected a string that isn't empty, received nothing")
		return
	}
	j := s.find(s.jobs, id)
	if j == nil {
		x.reject(w, http.StatusNotFound, "Generation not found")
		return
	}
	step, answer := j.answer(s.now(), x.baseURL(r))
	x.entry.Job, x.entry.Note = j.id, step.Status
	if step.charged() {
		w.Header()["X-Aimlapi-Credits-Used"] = creditsHeader
		w.Header()["X-Aimlapi-Usd-Spent"] = usdHeader
	}
	x.answer(w, http.StatusOK, conformance.ClientRequestID(r.Header), answer)
}

// baseURL is where the caller reaches the simulator.
func (x *exchange) baseURL(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + x.prefix
}

func (x *exchange) authorized(w http.ResponseWriter, r *http.Request) bool {
	key := conformance.BearerKey(r.Header)
	switch {
	case key == "":
		x.reject(w, http.StatusUnauthorized, "Unauthorized: expected an Authorization header with a bearer key")
	case x.sim.key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(x.sim.key)) == 0:
		x.reject(w, http.StatusUnauthorized, "Unauthorized: the key isn't valid")
	default:
		return true
	}
	return false
}

var jsonType = []string{"application/json; charset=utf-8"}

func (x *exchange) answer(w http.ResponseWriter, status int, requestID string, body []byte) {
	header := w.Header()
	header["Content-Type"] = jsonType
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	if requestID != "" {
		header["X-Client-Request-Id"] = []string{requestID}
	}
	w.WriteHeader(status)
	w.Write(body) //nolint:gosec // it is JSON, with < and > escaped
}

// fail is a handler that rejects.
func (x *exchange) fail(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { x.reject(w, status, message) }
}

// reject answers with the documented error body.
func (x *exchange) reject(w http.ResponseWriter, status int, message string) {
	x.entry.Note = message
	x.answer(w, status, "", x.sim.problem(x.entry.Path, status, message))
}
