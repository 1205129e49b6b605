package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/aimlvideo/wan-go/conformance"
)

// A Ledger tells what has happened so far.
type Ledger struct {
	// Created counts the jobs of the simulator's whole life, also those that it has forgotten.
	Created int `json:"created"`
	// Charged counts those that have come to the status "completed"; failed ones are never charged. It counts in those
	// that were forgotten before.
	Charged int `json:"charged"`
	// Credits and USD are what they cost in all.
	Credits int     `json:"credits"`
	USD     float64 `json:"usd"`
	// Polls and Downloads count the answers about known jobs that are still remembered.
	Polls     int `json:"polls"`
	Downloads int `json:"downloads"`
	// Rejected counts the requests that were answered with an error status, by the contract or by a fault.
	Rejected int `json:"rejected"`
	// Leaks counts the requests for results that carried an API key or a client request id, which belong to the API only.
	Leaks int `json:"leaks"`
	// Jobs are those remembered, in the order of their creation.
	Jobs []Job `json:"jobs"`
	// Requests are the last requests of all kinds, at most 1000, the newest last. One is added when its handler is done,
	// which may be a moment after its caller has the answer.
	Requests []Entry `json:"requests"`
}

// A Job is what the ledger holds of one generation.
type Job struct {
	ID    string `json:"id"`
	Model string `json:"model"`
	// ClientRequestID is the submission's X-Client-Request-Id, or empty if it had none or an invalid one.
	ClientRequestID string    `json:"client_request_id"`
	Created         time.Time `json:"created"`
	// Status is what a poll would be answered now.
	Status    string `json:"status"`
	Charged   bool   `json:"charged"`
	Polls     int    `json:"polls"`
	Downloads int    `json:"downloads"`
	// Body is the submission with long texts and data URIs shortened; BodySize and BodySHA256 describe it as it came.
	Body       json.RawMessage `json:"body"`
	BodySize   int             `json:"body_size"`
	BodySHA256 string          `json:"body_sha256"`
	// Result is the path of the video, below the base URL, once there is one.
	Result string `json:"result,omitempty"`
	// Size is that of the video in pixels, such as "854x480".
	Size string `json:"size"`
}

// An Entry is one request.
type Entry struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	// Status is that of the answer; 0 if a fault kept it back.
	Status int `json:"status"`
	// Job is the id of the generation that it was about, if any.
	Job string `json:"job,omitempty"`
	// Fault is the name of the effect that hit the request, if any.
	Fault string `json:"fault,omitempty"`
	// Note is what happened, in a few words.
	Note string `json:"note,omitempty"`
	// Findings are where a submission departed from the documents.
	Findings []conformance.Finding `json:"findings,omitempty"`
}

// String writes the entry as a line of a log.
func (e Entry) String() string {
	status := "---"
	if e.Status != 0 {
		status = fmt.Sprint(e.Status)
	}
	line := fmt.Sprintf("%s %s %-4s %s", e.Time.Format("15:04:05.000"), status, e.Method, e.Path)
	if e.Job != "" {
		line += " " + e.Job
	}
	if e.Note != "" {
		line += " " + e.Note
	}
	if e.Fault != "" {
		line += " [fault: " + e.Fault + "]"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) { // of a path: a terminal would obey it
			return ' '
		}
		return r
	}, line)
}

// totals are what outlives the jobs.
type totals struct{ created, charged, rejected, leaks int }

// maxHistory is how many requests are remembered.
const maxHistory = 1000

// history is a ring of the last requests.
type history struct {
	entries []Entry
	next    int
}

func (h *history) add(e Entry) {
	if len(h.entries) < maxHistory {
		h.entries = append(h.entries, e)
		return
	}
	h.entries[h.next] = e
	h.next = (h.next + 1) % maxHistory
}

func (h *history) all() []Entry {
	all := make([]Entry, 0, len(h.entries)) // in JSON, none is []
	all = append(all, h.entries[h.next:]...)
	return append(all, h.entries[:h.next]...)
}

// clip bounds what a request can make the ledger keep.
func clip(text string) string {
	const most = 2000
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// record notes an exchange when it is over.
func (s *Simulator) record(x *exchange) {
	line := x.entry.String() + "\n"
	x.entry.Path, x.entry.Note = clip(x.entry.Path), clip(x.entry.Note)
	s.mu.Lock()
	if x.entry.Status >= 400 {
		s.totals.rejected++
	}
	s.history.add(x.entry)
	s.mu.Unlock()
	s.lines.add(line)
}

// Ledger returns what has happened so far. The copy is the caller's own.
func (s *Simulator) Ledger() Ledger {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	s.settle(now)
	l := Ledger{
		Created:  s.totals.created,
		Charged:  s.totals.charged,
		Rejected: s.totals.rejected,
		Leaks:    s.totals.leaks,
		Jobs:     make([]Job, 0, len(s.order)),
		Requests: s.history.all(),
	}
	for _, j := range s.order {
		job := j.record(now)
		l.Polls += job.Polls
		l.Downloads += job.Downloads
		if job.Charged {
			l.Charged++
		}
		l.Jobs = append(l.Jobs, job)
	}
	l.Credits, l.USD = l.Charged*CreditsPerJob, float64(l.Charged)*USDPerJob
	return l
}

func (j *job) record(now time.Time) Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	step := j.step(now)
	record := Job{
		ID:              j.id,
		Model:           j.document.Model,
		ClientRequestID: j.requestID,
		Created:         j.created,
		Status:          step.Status,
		Charged:         j.charged(now),
		Polls:           j.polls,
		Downloads:       j.downloads,
		Body:            j.body.text,
		BodySize:        j.body.size,
		BodySHA256:      j.body.sha256,
		Size:            j.film.size(),
	}
	if step.Status == "completed" {
		record.Result = j.result()
	}
	return record
}
