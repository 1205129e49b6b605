package simulator

import (
	_ "embed"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec/wire"
)

//go:embed control.yaml
var controlYAML []byte

// controlSpec is the spec of the control API. It routes and validates the requests.
var controlSpec = sync.OnceValue(func() *openapi3.T {
	document, err := openapi3.NewLoader().LoadFromData(controlYAML)
	if err != nil {
		panic(err) // embedded, and tests load it
	}
	return document
})

// timelineHeader names the header of a submission that sets the timeline of its job.
const timelineHeader = "X-Simulator-Timeline"

// controlRoutes returns the handler of everything that isn't the API: the page, the control API and the specs.
func (s *Simulator) controlRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.servePage)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /openapi.json", s.serveMergedSpec)
	mux.HandleFunc("GET /openapi/{file}", s.serveSpec)
	mux.HandleFunc("GET /docs-json", s.serveDocs)
	mux.HandleFunc("GET /simulator/openapi.json", s.serveControlSpec)
	mux.HandleFunc("GET /simulator/videos/{file}", s.serveVideo)
	for path, item := range controlSpec().Paths.Map() {
		allowed := strings.Join(slices.Sorted(maps.Keys(item.Operations())), ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allowed)
			writeError(w, r, http.StatusMethodNotAllowed, "Cannot "+r.Method+" "+path)
		})
	}
	for id, handler := range map[string]controlHandler{
		"getState": s.getState, "listJobs": s.listJobs, "listRequests": s.listRequests,
		"listFaults": s.listFaults, "clearFaults": s.clearFaults, "reset": s.reset,
		"setTimelines": withBody(s.setTimelines), "injectFaults": withBody(s.injectFaults),
		"advanceClock": withBody(s.advanceClock), "setBalance": withBody(s.setBalance), "setPrices": withBody(s.setPrices),
	} {
		pattern, operation := controlOperation(id)
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { s.serveControl(w, r, operation, handler) })
	}
	return mux
}

// controlOperation returns an operation of the control API and its pattern for a ServeMux.
func controlOperation(id string) (pattern string, operation *openapi3.Operation) {
	for path, item := range controlSpec().Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.OperationID == id {
				return method + " " + path, operation
			}
		}
	}
	panic("no operation " + id)
}

// A controlHandler responds to a valid control request.
type controlHandler func(q url.Values, body []byte) (any, error)

// withBody returns a handler that decodes the body.
func withBody[T any](handle func(body T) (any, error)) controlHandler {
	return func(_ url.Values, text []byte) (any, error) {
		var body T
		if err := json.Unmarshal(text, &body); err != nil {
			return nil, err
		}
		return handle(body)
	}
}

func (s *Simulator) serveControl(w http.ResponseWriter, r *http.Request, operation *openapi3.Operation, handle controlHandler) {
	w.Header().Set("Cache-Control", "no-store")
	if !s.controlAllowed(r) {
		writeError(w, r, http.StatusForbidden, "The control API is for loopback addresses and hosts only: start the simulator with --control to allow others")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = checkRequest(operation, r.URL.Query(), body)
	}
	var value any
	if err == nil {
		value, err = handle(r.URL.Query(), body)
	}
	if err != nil {
		writeError(w, r, http.StatusBadRequest, err.Error()+"; see /simulator/openapi.json")
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
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr); ok && !addr.IP.IsLoopback() {
		return false
	}
	for _, host := range []string{r.Header.Get("Origin"), "http://" + r.Host} {
		if u, err := url.Parse(host); host != "" && (err != nil || !wire.IsLoopback(u.Hostname())) {
			return false
		}
	}
	return true
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

// A stateValue is what the page shows.
type stateValue struct {
	Ledger

	Models       []string `json:"models"`
	JobsTotal    int      `json:"jobs_total"`
	RequestTotal int      `json:"requests_total"`
}

func (s *Simulator) getState(q url.Values, _ []byte) (any, error) { return s.pageState(q), nil }

func (s *Simulator) pageState(q url.Values) stateValue {
	state := stateValue{Ledger: s.Ledger(), Models: []string{}}
	for _, j := range state.Jobs {
		if !slices.Contains(state.Models, j.Model) {
			state.Models = append(state.Models, j.Model)
		}
	}
	slices.Sort(state.Models)
	state.Jobs, state.JobsTotal, _ = pageOf(q, jobFilter(q), state.Jobs)
	state.Requests, state.RequestTotal, _ = pageOf(nil, func(Entry) bool { return true }, state.Requests)
	return state
}

func (s *Simulator) listJobs(q url.Values, _ []byte) (any, error) {
	jobs, total, offset := pageOf(q, jobFilter(q), s.Ledger().Jobs)
	return map[string]any{"jobs": jobs, "total": total, "offset": offset}, nil
}

func (s *Simulator) listRequests(q url.Values, _ []byte) (any, error) {
	requests, total, offset := pageOf(q, func(e Entry) bool {
		return matches(q, "client_request_id", e.ClientRequestID) && matches(q, "job", e.Job) && matches(q, "operation", string(e.Operation))
	}, s.Ledger().Requests)
	return map[string]any{"requests": requests, "total": total, "offset": offset}, nil
}

func matches(q url.Values, name, value string) bool { return q.Get(name) == "" || q.Get(name) == value }

func jobFilter(q url.Values) func(Job) bool {
	text := strings.ToLower(q.Get("text"))
	return func(j Job) bool {
		return matches(q, "client_request_id", j.ClientRequestID) && matches(q, "model", j.Model) && matches(q, "status", j.Status) &&
			strings.Contains(strings.ToLower(j.ID+" "+j.ClientRequestID+" "+string(j.Body)), text)
	}
}

// pageOf returns a page of the items that the filter keeps, newest first, and their number.
func pageOf[T any](q url.Values, keep func(T) bool, all []T) (page []T, total, offset int) {
	kept := slices.DeleteFunc(all, func(item T) bool { return !keep(item) })
	slices.Reverse(kept)
	offset = integer(q, "offset", 0)
	start := min(offset, len(kept))
	return kept[start:min(start+integer(q, "limit", maxShown), len(kept))], len(kept), offset
}

func (s *Simulator) setTimelines(body struct {
	Next    []timelineValue
	Default timelineValue
	Models  map[string]timelineValue
}) (any, error) {
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

func (s *Simulator) listFaults(url.Values, []byte) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []faultValue{}
	for _, f := range s.faults {
		list = append(list, faultValue{Fault: *f, Effect: f.Effect.Name})
	}
	return map[string]any{"faults": list}, nil
}

func (s *Simulator) injectFaults(body struct{ Faults []faultValue }) (any, error) {
	for _, f := range body.Faults {
		s.Inject(f.Fault)
	}
	return s.listFaults(nil, nil)
}

func (s *Simulator) clearFaults(url.Values, []byte) (any, error) {
	s.ClearFaults()
	return s.listFaults(nil, nil)
}

func (s *Simulator) advanceClock(body struct{ Advance durationValue }) (any, error) {
	s.Advance(time.Duration(body.Advance))
	return map[string]time.Time{"now": s.now().UTC()}, nil
}

// setBalance sets what is left. The difference is an adjustment in the ledger.
func (s *Simulator) setBalance(body struct{ USD float64 }) (any, error) {
	spent := s.Ledger().Credits
	s.mu.Lock()
	defer s.mu.Unlock()
	direction, change := "TOPUP", credits(body.USD)+spent-s.balance
	s.balance += change
	if change < 0 {
		direction, change = "CHARGE", -change
	}
	if change != 0 {
		s.topUps = append(s.topUps, transaction{CreatedAt: s.now().UTC(), Direction: direction, Type: "ADJUSTMENT", Amount: cost{usd(change), change}})
	}
	return map[string]float64{"balance": usd(s.balance - spent)}, nil
}

func (s *Simulator) setPrices(prices map[string]Price) (any, error) {
	if err := checkPrices(prices); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.prices, prices)
	return maps.Clone(s.prices), nil
}

// reset returns the simulator to the state after its start: no jobs, an empty ledger, the clock and the options as given.
func (s *Simulator) reset(url.Values, []byte) (any, error) {
	s.mu.Lock()
	s.start()
	err := s.save(stateRecord{Reset: true})
	s.mu.Unlock()
	s.Inject(s.config.faults...)
	return map[string]string{"status": "ok"}, err
}

// serveControlSpec serves the spec with this simulator as its server.
func (s *Simulator) serveControlSpec(w http.ResponseWriter, r *http.Request) {
	document := *controlSpec()
	document.Servers = openapi3.Servers{{URL: origin(r)}}
	writeJSON(w, &document)
}
