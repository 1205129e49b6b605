package simulator

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// An exchange is one request and its response. It records the status code that is sent.
type exchange struct {
	http.ResponseWriter

	sim          *Simulator
	prefix       string // of the path
	generationID string // of a poll
	inferenceID  string
	entry        Entry
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

// Unwrap serves http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) submit(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	body, ok := x.readBody(w, r)
	if !ok {
		return
	}
	submission, findings := conformance.CheckSubmission(body)
	if findings != nil {
		x.rejectBody(w, findings)
		x.logRejected(r, submission)
		return
	}
	timeline, err := x.timelineOf(r)
	if err != nil {
		x.reject(w, http.StatusBadRequest, err.Error())
		return
	}
	j, err := x.sim.create(submission, body, timeline, newKeyID(wire.BearerKey(r.Header)), x.entry.ClientRequestID)
	if errors.Is(err, errNoCredits) {
		x.reject(w, http.StatusForbidden, outOfCredits)
		x.logRejected(r, submission)
		return
	}
	if err != nil {
		x.reject(w, http.StatusInternalServerError, "The state cannot be saved: "+err.Error())
		return
	}
	x.entry.Job, x.inferenceID = j.ID, j.ID
	status, response := j.accepted(x.baseURL(r))
	x.entry.Note = submission.Document.Slug + " " + status
	x.respond(w, http.StatusOK, response)
}

// timelineOf returns the timeline that the submission sets itself, or nil.
func (x *exchange) timelineOf(r *http.Request) (Timeline, error) {
	text := r.Header.Get(timelineHeader)
	if text == "" {
		return nil, nil
	}
	if !x.sim.controlAllowed(r) {
		return nil, errors.New(timelineHeader + " is for loopback only: start the simulator with --control to allow it")
	}
	if !strings.HasPrefix(text, "[") {
		return ParseTimeline(text)
	}
	if err := checkJSON(controlSpec().Components.Schemas["Timeline"].Value, []byte(text)); err != nil {
		return nil, fmt.Errorf("%s: %w", timelineHeader, err)
	}
	var t timelineValue
	err := json.Unmarshal([]byte(text), &t)
	return Timeline(t), err
}

const outOfCredits = "You've run out of credits. Please top up your balance to continue." //nolint:gosec // no credentials

// logRejected adds a row to the logs for a rejected submission of a known model.
func (x *exchange) logRejected(r *http.Request, submission conformance.Submission) {
	if submission.Document == nil {
		return
	}
	row := logRow{
		Created: x.entry.Time.UTC(), Status: "failed", Origin: "api", Model: submission.Document.Model,
		RequestID: new(newUUID()), InferenceID: x.inferenceID, key: newKeyID(wire.BearerKey(r.Header)), ended: x.entry.Time,
	}
	if x.entry.ClientRequestID != "" {
		row.ClientRequestID = &x.entry.ClientRequestID
	}
	x.sim.mu.Lock()
	defer x.sim.mu.Unlock()
	if len(x.sim.rejected) < maxRejected {
		x.sim.rejected = append(x.sim.rejected, row)
	}
}

// readBody reads the body of a submission, or rejects it and returns false.
func (x *exchange) readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if !wire.IsJSON(r.Header) {
		x.reject(w, http.StatusUnsupportedMediaType, "Unsupported media type: expected application/json")
		return nil, false
	}
	var body []byte
	var err error = &http.MaxBytesError{Limit: x.sim.maxBody}
	if r.ContentLength <= x.sim.maxBody {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, x.sim.maxBody))
	}
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		x.reject(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("Payload too large: expected at most %d bytes", x.sim.maxBody))
	} else if err != nil {
		x.reject(w, http.StatusBadRequest, "The body is incomplete")
	}
	return body, err == nil
}

// maxFindings caps the findings in a response: a body of a few megabytes can have a million.
const maxFindings = 50

func (x *exchange) rejectBody(w http.ResponseWriter, findings []conformance.Finding) {
	x.entry.Findings = slices.Clone(findings[:min(len(findings), maxFindings)])
	var texts []string
	for _, f := range x.entry.Findings {
		texts = append(texts, f.String())
	}
	if more := len(findings) - len(texts); more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	x.reject(w, http.StatusBadRequest, "Body validation error: "+strings.Join(texts, "; "))
}

func (x *exchange) poll(w http.ResponseWriter, r *http.Request) {
	if !x.authorized(w, r) {
		return
	}
	if x.generationID == "" {
		x.reject(w, http.StatusBadRequest, "Query validation error: generation_id: expected a non-empty string, received nothing")
		return
	}
	j := x.sim.find(x.sim.jobs, x.generationID)
	if j == nil {
		x.reject(w, http.StatusNotFound, "Generation not found")
		return
	}
	step, response := j.poll(x.sim.now(), x.baseURL(r))
	x.entry.Job, x.entry.Note = j.ID, step.Status
	if step.charged() {
		w.Header()[wire.CreditsUsedHeader] = []string{strconv.Itoa(j.Credits)}
		w.Header()[wire.USDSpentHeader] = []string{strconv.FormatFloat(usd(j.Credits), 'f', -1, 64)}
	}
	x.respond(w, http.StatusOK, response)
}

// idCharacters are the characters that an id of the API can have.
const idCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/"

// clientRequestID returns the client request id of a request, or "" if it has none that the API keeps.
func clientRequestID(r *http.Request) string {
	if id := r.Header.Get(wire.ClientRequestIDHeader); wire.ValidClientRequestID(id) {
		return id
	}
	return ""
}

// baseURL returns the base URL under which the caller reached the simulator.
func (x *exchange) baseURL(r *http.Request) string { return origin(r) + x.prefix }

func (x *exchange) authorized(w http.ResponseWriter, r *http.Request) bool {
	key := wire.BearerKey(r.Header)
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

// setHeader sets the header of a JSON response.
func (x *exchange) setHeader(w http.ResponseWriter) {
	header := w.Header()
	header["Content-Type"] = jsonType
	if x.entry.ClientRequestID != "" {
		header[wire.ClientRequestIDHeader] = []string{x.entry.ClientRequestID}
	}
	if x.inferenceID != "" {
		header[wire.InferenceIDHeader] = []string{x.inferenceID}
	}
}

func (x *exchange) respond(w http.ResponseWriter, status int, body []byte) {
	x.setHeader(w)
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) //nolint:gosec // JSON with escaped < and >
}

func (x *exchange) respondJSON(w http.ResponseWriter, value any) {
	body, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		x.reject(w, http.StatusInternalServerError, err.Error())
		return
	}
	x.respond(w, http.StatusOK, append(body, '\n'))
}

// fail returns a handler that rejects every request.
func (x *exchange) fail(status int, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { x.reject(w, status, message) }
}

// reject responds with the documented error body.
func (x *exchange) reject(w http.ResponseWriter, status int, message string) {
	x.entry.Note = message
	if x.entry.Operation == Submit { // the API sends one with every response to a submission
		x.inferenceID = cmp.Or(x.inferenceID, newUUID())
	}
	x.respond(w, status, wire.EncodeError(status, message, x.entry.Path, newUUID(), x.sim.now()))
}

type exchangeKey struct{}

func withExchange(r *http.Request, x *exchange) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }
