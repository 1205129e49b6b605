package simulator

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Ledger lists what has happened so far.
type Ledger struct {
	// Created counts all jobs, including forgotten ones.
	Created int `json:"created"`
	// Charged counts the jobs that reached "completed", including forgotten ones. Failed jobs are never charged.
	Charged int `json:"charged"`
	// Credits and USD are their total cost.
	Credits int     `json:"credits"`
	USD     float64 `json:"usd"`
	// Balance is what is left of the account's balance in USD.
	Balance float64 `json:"balance"`
	// Polls and Downloads count the requests about remembered jobs.
	Polls     int `json:"polls"`
	Downloads int `json:"downloads"`
	// Rejected counts the responses with an error status code, including those of faults.
	Rejected int `json:"rejected"`
	// Leaks counts the downloads that carried an API key or a client request id, which only the API may see.
	Leaks int `json:"leaks"`
	// Jobs are the remembered jobs in order of creation.
	Jobs []Job `json:"jobs"`
	// Requests are the last 1000 requests, newest last. A request is added when its handler returns, which may be shortly
	// after the client has the response.
	Requests []Entry `json:"requests"`
}

// A Job is the ledger's record of one generation.
type Job struct {
	ID    string `json:"id"`
	Model string `json:"model"`
	// ClientRequestID is the submission's X-Client-Request-Id; empty if missing or invalid.
	ClientRequestID string    `json:"client_request_id"`
	Created         time.Time `json:"created"`
	// Status is the current status.
	Status  string `json:"status"`
	Charged bool   `json:"charged"`
	// USD is the price, which is charged on completion.
	USD       float64 `json:"usd"`
	Polls     int     `json:"polls"`
	Downloads int     `json:"downloads"`
	// Body is the submission with long texts and data URIs shortened; BodySize and BodySHA256 describe the original.
	Body       json.RawMessage `json:"body"`
	BodySize   int             `json:"body_size"`
	BodySHA256 string          `json:"body_sha256"`
	// Result is the path of the video below the base URL, once completed.
	Result string `json:"result,omitempty"`
	// Size is the video's size in pixels, such as "854x480".
	Size string `json:"size"`
}

// An Entry is one request.
type Entry struct {
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	// Operation is the kind of request; empty if it is none of the API's.
	Operation Operation `json:"operation,omitempty"`
	// ClientRequestID is the X-Client-Request-Id of the request, if valid.
	ClientRequestID string `json:"client_request_id,omitempty"`
	// Status is the status code of the response; 0 if a fault withheld it.
	Status int `json:"status"`
	// Job is the id of the generation, if any.
	Job string `json:"job,omitempty"`
	// Fault is the name of the effect that was applied, if any.
	Fault string `json:"fault,omitempty"`
	// Note describes the outcome in a few words.
	Note string `json:"note,omitempty"`
	// Findings are the violations of a submission.
	Findings []conformance.Finding `json:"findings,omitempty"`
}

// columns is the width of a log line.
const columns = 100

// String returns the entry as a log line of at most 100 columns.
func (e Entry) String() string {
	var b strings.Builder
	b.WriteString(e.Time.Format("15:04:05.000 "))
	if e.Status == 0 {
		b.WriteString("---")
	} else {
		b.WriteString(strconv.Itoa(e.Status))
	}
	if e.Operation == "" {
		b.WriteString(" " + e.Method + " " + e.Path)
	} else {
		b.WriteString(" " + (string(e.Operation) + "        ")[:len("download")])
	}
	if e.Job != "" {
		b.WriteString(" " + e.Job[:min(len(e.Job), 8)])
	}
	if e.Fault != "" {
		b.WriteString(" [fault: " + e.Fault + "]")
	}
	if e.Note != "" {
		b.WriteString(" " + e.Note)
	}
	line := redact.Printable(b.String(), "")
	if utf8.RuneCountInString(line) <= columns {
		return line
	}
	return string([]rune(line)[:columns-3]) + "..."
}

// maxHistory caps the requests that a ledger shows, maxText their texts.
const (
	maxHistory = 1000
	maxText    = 2000
)

// record adds an exchange to the ledger and the log when it is over.
func (s *Simulator) record(x *exchange) {
	x.entry.Path, x.entry.Note = redact.Cut(x.entry.Path, maxText), redact.Cut(x.entry.Note, maxText)
	s.mu.Lock()
	if x.entry.Status >= 400 {
		s.totals.Rejected++
	}
	if len(s.totals.Requests) == 2*maxHistory {
		s.totals.Requests = s.totals.Requests[:copy(s.totals.Requests, s.totals.Requests[maxHistory:])]
	}
	s.totals.Requests = append(s.totals.Requests, x.entry)
	s.mu.Unlock()
	if s.log != nil {
		s.logMu.Lock()
		defer s.logMu.Unlock()
		s.log(x.entry)
	}
}

// Ledger returns a snapshot of what has happened so far.
func (s *Simulator) Ledger() Ledger {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(now)
	l := s.totals
	l.Jobs = make([]Job, 0, len(s.order)) // [] in JSON if empty
	l.Requests = append([]Entry{}, l.Requests[max(0, len(l.Requests)-maxHistory):]...)
	for _, j := range s.order {
		if j.charged(now) {
			l.Charged++
			l.Credits += j.Credits
		}
		if j.forgotten(now, s.retention) {
			continue
		}
		job := j.record(now)
		l.Polls += job.Polls
		l.Downloads += job.Downloads
		l.Jobs = append(l.Jobs, job)
	}
	l.USD, l.Balance = usd(l.Credits), usd(s.balance-l.Credits)
	return l
}

func (j *job) record(now time.Time) Job {
	j.mu.Lock()
	defer j.mu.Unlock()
	record := j.Job
	record.Status, record.Charged = j.step(now).Status, j.charged(now)
	if record.Status == "completed" {
		record.Result = j.result()
	}
	return record
}
