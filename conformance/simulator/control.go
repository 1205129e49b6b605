package simulator

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/spec/wire"
)

//go:embed control.yaml
var controlSpec []byte

// timelineHeader names the header of a submission that sets the timeline of its job.
const timelineHeader = "X-Simulator-Timeline"

// WithControl serves the control API below /simulator/ to every client. Without this option it is served on loopback
// only, to requests with a loopback Host.
func WithControl() Option {
	return func(c *config) error {
		c.control = true
		return nil
	}
}

// controlRoutes returns the handler of everything that isn't the API: the page, the control API and the specs.
func (s *Simulator) controlRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /openapi.json", s.serveMergedSpec)
	mux.HandleFunc("GET /openapi/{file}", s.serveSpec)
	mux.HandleFunc("GET /simulator/openapi.json", s.serveControlSpec)
	mux.HandleFunc("GET /simulator/videos/{file}", s.serveVideo)
	for pattern, handler := range map[string]func(r *http.Request) (any, error){
		"GET /simulator/state":      s.getState,
		"GET /simulator/jobs":       s.getJobs,
		"GET /simulator/requests":   s.getRequests,
		"POST /simulator/timelines": s.postTimelines,
		"GET /simulator/faults":     s.getFaults,
		"POST /simulator/faults":    s.postFaults,
		"DELETE /simulator/faults":  s.deleteFaults,
		"POST /simulator/clock":     s.postClock,
		"PUT /simulator/balance":    s.putBalance,
		"PUT /simulator/prices":     s.putPrices,
		"POST /simulator/reset":     s.postReset,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveControl(w, r, handler) })
	}
	return mux
}

// isControl reports whether a request isn't about the API. The API may be mounted below any path.
func isControl(r *http.Request) bool {
	path := r.URL.Path
	return path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead) || path == "/healthz" || path == "/openapi.json" ||
		strings.HasPrefix(path, "/openapi/") || strings.HasPrefix(path, "/simulator/")
}

func (s *Simulator) serveControl(w http.ResponseWriter, r *http.Request, handler func(r *http.Request) (any, error)) {
	w.Header().Set("Cache-Control", "no-store")
	if !s.controlAllowed(r) {
		writeError(w, r, http.StatusForbidden, "The control API is for loopback addresses and hosts only: start the simulator with --control to allow others")
		return
	}
	value, err := handler(r)
	if err != nil {
		writeError(w, r, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, value)
}

// controlAllowed refuses other machines, and web pages of other hosts: their requests have a foreign Origin, or a foreign
// Host after DNS rebinding.
func (s *Simulator) controlAllowed(r *http.Request) bool {
	if s.control {
		return true
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
			return false
		}
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || !wire.IsLoopback(u.Hostname()) {
			return false
		}
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return wire.IsLoopback(strings.Trim(host, "[]"))
}

func writeJSON(w http.ResponseWriter, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header()["Content-Type"] = jsonType
	w.Write(append(body, '\n'))
}

func writeError(w http.ResponseWriter, r *http.Request, status int, message string) {
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	w.Write(wire.EncodeError(status, message, r.URL.Path, newUUID(), time.Now())) //nolint:gosec // JSON with escaped < and >
}

// decodeControl decodes the JSON body of a control request. Unknown members are errors.
func decodeControl(r *http.Request, value any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	return decodeStrict(body, value)
}

func decodeStrict(text []byte, value any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(value); err != nil {
		return fmt.Errorf("invalid JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("invalid JSON: expected one value")
	}
	return nil
}

// A page is a part of a list, newest first.
type page struct {
	Total    int      `json:"total"`
	Offset   int      `json:"offset"`
	Jobs     *[]Job   `json:"jobs,omitempty"`
	Requests *[]Entry `json:"requests,omitempty"`
}

// A state is what the page shows.
type state struct {
	Ledger

	Models       []string `json:"models"`
	JobsTotal    int      `json:"jobs_total"`
	RequestTotal int      `json:"requests_total"`
}

func (s *Simulator) getState(r *http.Request) (any, error) {
	l := s.Ledger()
	jobs, err := pageOf(r, jobFilter(r), l.Jobs)
	if err != nil {
		return nil, err
	}
	requests := newest(l.Requests, 0, maxShown)
	state := state{Ledger: l, Models: []string{}, JobsTotal: jobs.Total, RequestTotal: len(l.Requests)}
	state.Jobs, state.Requests = jobs.items, requests
	for _, j := range l.Jobs {
		if !slices.Contains(state.Models, j.Model) {
			state.Models = append(state.Models, j.Model)
		}
	}
	slices.Sort(state.Models)
	return state, nil
}

func (s *Simulator) getJobs(r *http.Request) (any, error) {
	jobs, err := pageOf(r, jobFilter(r), s.Ledger().Jobs)
	return page{Total: jobs.Total, Offset: jobs.Offset, Jobs: &jobs.items}, err
}

func (s *Simulator) getRequests(r *http.Request) (any, error) {
	q := r.URL.Query()
	requests, err := pageOf(r, func(e Entry) bool {
		return matches(q, "client_request_id", e.ClientRequestID) && matches(q, "job", e.Job) && matches(q, "operation", string(e.Operation))
	}, s.Ledger().Requests)
	return page{Total: requests.Total, Offset: requests.Offset, Requests: &requests.items}, err
}

func matches(q url.Values, name, value string) bool { return !q.Has(name) || q.Get(name) == value }

func jobFilter(r *http.Request) func(Job) bool {
	q := r.URL.Query()
	text := strings.ToLower(q.Get("text"))
	return func(j Job) bool {
		return matches(q, "client_request_id", j.ClientRequestID) && matches(q, "model", j.Model) && matches(q, "status", j.Status) &&
			(text == "" || strings.Contains(strings.ToLower(j.ID+" "+j.ClientRequestID+" "+string(j.Body)), text))
	}
}

type pageItems[T any] struct {
	Total, Offset int
	items         []T
}

// pageOf returns a page of the items that the filter keeps, newest first.
func pageOf[T any](r *http.Request, keep func(T) bool, all []T) (p pageItems[T], err error) {
	limit, err := integer(r.URL.Query(), "limit", maxShown, 0, 1000)
	if err != nil {
		return p, err
	}
	if p.Offset, err = integer(r.URL.Query(), "offset", 0, 0, math.MaxInt32); err != nil {
		return p, err
	}
	kept := slices.DeleteFunc(all, func(item T) bool { return !keep(item) })
	p.Total = len(kept)
	p.items = newest(kept, p.Offset, limit)
	return p, nil
}

// newest returns a part of a list in reverse order.
func newest[T any](all []T, offset, limit int) []T {
	all = slices.Clone(all)
	slices.Reverse(all)
	return append([]T{}, all[min(offset, len(all)):min(offset+limit, len(all))]...)
}

func (s *Simulator) postTimelines(r *http.Request) (any, error) {
	var body struct {
		Next    []timelineValue          `json:"next"`
		Default timelineValue            `json:"default"`
		Models  map[string]timelineValue `json:"models"`
	}
	if err := decodeControl(r, &body); err != nil {
		return nil, err
	}
	for slug := range body.Models {
		if err := checkSlug(slug); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range body.Next {
		s.scripts = append(s.scripts, Timeline(t))
	}
	if body.Default != nil {
		s.timeline = Timeline(body.Default)
	}
	for slug, t := range body.Models {
		s.timelines[slug] = Timeline(t)
	}
	return map[string]int{"next": len(s.scripts)}, nil
}

func (s *Simulator) getFaults(*http.Request) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []map[string]any{}
	for _, f := range s.faults {
		list = append(list, map[string]any{
			"on": f.On, "effect": f.Effect.Name, "after": f.After, "times": max(0, f.Times), "probability": f.Probability,
		})
	}
	return map[string]any{"faults": list}, nil
}

func (s *Simulator) postFaults(r *http.Request) (any, error) {
	var body struct {
		Faults []faultValue `json:"faults"`
	}
	if err := decodeControl(r, &body); err != nil {
		return nil, err
	}
	for _, f := range body.Faults {
		if err := (*Fault)(&f).check(); err != nil {
			return nil, err
		}
	}
	for _, f := range body.Faults {
		s.Inject(Fault(f))
	}
	return s.getFaults(r)
}

func (s *Simulator) deleteFaults(r *http.Request) (any, error) {
	s.ClearFaults()
	return s.getFaults(r)
}

func (s *Simulator) postClock(r *http.Request) (any, error) {
	var body struct {
		Advance durationValue `json:"advance"`
	}
	if err := decodeControl(r, &body); err != nil {
		return nil, err
	}
	if body.Advance < 0 {
		return nil, errors.New("advance: the clock can't go back")
	}
	s.Advance(time.Duration(body.Advance))
	return map[string]time.Time{"now": s.now().UTC()}, nil
}

func (s *Simulator) putBalance(r *http.Request) (any, error) {
	var body struct {
		USD *float64 `json:"usd"`
	}
	if err := decodeControl(r, &body); err != nil {
		return nil, err
	}
	if body.USD == nil || !(*body.USD >= 0 && *body.USD <= maxBalance) {
		return nil, errors.New("usd: expected an amount from 0 to 1e9")
	}
	s.setBalance(credits(*body.USD))
	return map[string]float64{"balance": s.Ledger().Balance}, nil
}

// setBalance sets what is left. The difference is an adjustment in the ledger.
func (s *Simulator) setBalance(balance int) {
	spent := s.Ledger().Credits
	s.mu.Lock()
	defer s.mu.Unlock()
	change := balance + spent - s.balance
	if change == 0 {
		return
	}
	s.balance += change
	direction := "TOPUP"
	if change < 0 {
		direction, change = "CHARGE", -change
	}
	s.topUps = append(s.topUps, transaction{CreatedAt: s.now().UTC(), Direction: direction, Type: "ADJUSTMENT", Amount: cost{usd(change), change}})
}

func (s *Simulator) putPrices(r *http.Request) (any, error) {
	prices := map[string]Price{}
	if err := decodeControl(r, &prices); err != nil {
		return nil, err
	}
	checked := config{mutable: mutable{prices: map[string]Price{}}}
	if err := WithPrices(prices)(&checked); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.prices, checked.prices)
	return s.prices, nil
}

func (s *Simulator) postReset(*http.Request) (any, error) {
	s.Reset()
	return map[string]string{"status": "ok"}, nil
}

// Reset returns the simulator to the state after its start: no jobs, an empty ledger, the clock and the options as given.
func (s *Simulator) Reset() {
	s.mu.Lock()
	s.start()
	_ = s.save(stateRecord{Reset: true})
	s.mu.Unlock()
	s.Inject(s.config.faults...)
}

func (s *Simulator) serveControlSpec(w http.ResponseWriter, r *http.Request) {
	var document map[string]any
	if err := yaml.Unmarshal(controlSpec, &document); err != nil {
		writeError(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	document["servers"] = []any{map[string]string{"url": origin(r)}}
	writeJSON(w, document)
}
