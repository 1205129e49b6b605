package suite

import (
	"encoding/json"
	"io"
	"time"
)

// An Outcome is what became of a case.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// Known is a failure that the deviations list.
	Known Outcome = "known deviation"
	// NotApplicable is a rule that the target can't be held to, such as one about state where it holds none.
	NotApplicable Outcome = "not applicable"
	// LeftOut wasn't tried, for want of a budget or because the run was interrupted.
	LeftOut Outcome = "left out"
)

var outcomes = []Outcome{Passed, Failed, Known, NotApplicable, LeftOut}

// A Report is what a run has found out. It shows neither the API key nor the data of media.
type Report struct {
	Target  string    `json:"target"`
	Began   time.Time `json:"began"`
	Elapsed float64   `json:"elapsed_seconds"`
	// Exact and Stateless tell how the target was judged.
	Exact     bool `json:"exact"`
	Stateless bool `json:"stateless"`
	// Interrupted is a run that was ended from outside, or given up.
	Interrupted bool            `json:"interrupted"`
	Spending    Spending        `json:"spending"`
	Counts      map[Outcome]int `json:"counts"`
	Results     []*Result       `json:"results"`
}

// Spending tells how many jobs a run has created.
type Spending struct {
	// Limit is negative where there was none.
	Limit int `json:"limit"`
	// Accepted counts the submissions that were accepted, with those of unknown outcome.
	Accepted int `json:"accepted"`
	// Unexpected are those of them that should have been rejected, Unknown those that got no answer, or
	// a 5xx, after which a job may have begun.
	Unexpected int `json:"unexpected"`
	Unknown    int `json:"unknown"`
}

// A Result is what became of one case.
type Result struct {
	Name    string  `json:"name"`
	Model   string  `json:"model,omitempty"`
	Group   Group   `json:"group"`
	Source  string  `json:"source"`
	Why     string  `json:"why"`
	Derived bool    `json:"derived,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Expected is the verdict of the documents, in words; empty for a rule.
	Expected string `json:"expected,omitempty"`
	// Problems are what is wrong, or why the case wasn't tried.
	Problems []string `json:"problems,omitempty"`
	// Deviation is the reason why a failure is known.
	Deviation string `json:"deviation,omitempty"`
	// Undocumented are what the answers hold beyond the documents. That is no failure, but it may be news.
	Undocumented []string   `json:"undocumented,omitempty"`
	Elapsed      float64    `json:"elapsed_seconds"`
	Exchanges    []Exchange `json:"exchanges,omitempty"`
}

// An Exchange is a request and its response as text, with long bodies shortened.
type Exchange struct {
	Request  string `json:"request"`
	Response string `json:"response"`
}

func (r *run) report() *Report {
	b := r.budget
	report := &Report{
		Target:    r.target.base.String(),
		Began:     r.began,
		Elapsed:   time.Since(r.began).Seconds(),
		Exact:     r.config.Exact,
		Stateless: r.target.stateless,
		Spending:  Spending{max(b.limit, -1), b.spent, b.unexpected, b.unknown},
		Counts:    map[Outcome]int{},
		Results:   r.order,
	}
	for _, result := range r.order {
		report.Counts[result.Outcome]++
		for _, problem := range result.Problems {
			report.Interrupted = report.Interrupted || result.Outcome == LeftOut && (problem == interrupted || problem == errBusy.Error())
		}
	}
	return report
}

// Ran counts the cases that were tried.
func (r *Report) Ran() int { return r.Counts[Passed] + r.Counts[Failed] + r.Counts[Known] }

// OK reports whether the target passes: nothing failed, nothing was interrupted, and something was tried.
func (r *Report) OK() bool { return r.Counts[Failed] == 0 && !r.Interrupted && r.Ran() > 0 }

// with returns the results of an outcome.
func (r *Report) with(outcome Outcome) (list []*Result) {
	for _, result := range r.Results {
		if result.Outcome == outcome {
			list = append(list, result)
		}
	}
	return list
}

// WriteJSON writes the whole report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(r)
}
