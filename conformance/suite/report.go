package suite

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// An Outcome is the result of a case.
type Outcome string

// The outcomes.
const (
	Passed Outcome = "passed"
	Failed Outcome = "failed"
	// Known is a failure that the deviations list.
	Known Outcome = "known deviation"
	// Inferred is a failure by rules that a reasonable server may break, which a lenient run only reports.
	Inferred Outcome = "inferred"
	// NotApplicable is a rule that can't be checked on the target, such as one about state on a stateless target.
	NotApplicable Outcome = "not applicable"
	// LeftOut is a case that wasn't sent: the budget was spent, or the run ended early.
	LeftOut Outcome = "left out"
)

var outcomes = []Outcome{Passed, Failed, Known, Inferred, NotApplicable, LeftOut}

// A Report is the result of a run. It contains neither the API key nor the data of media.
type Report struct {
	// Version is that of the format, which report.schema.json documents.
	Version int `json:"version"`
	// Target is the base URL or the name of the target.
	Target  string    `json:"target"`
	Began   time.Time `json:"began"`
	Elapsed float64   `json:"elapsed_seconds"`
	// Strictness and Stateless report how the target was judged.
	Strictness Strictness `json:"strictness"`
	Stateless  bool       `json:"stateless"`
	// Interrupted reports that the run ended early, Reason why.
	Interrupted bool            `json:"interrupted"`
	Reason      string          `json:"reason,omitempty"`
	Spending    Spending        `json:"spending"`
	Counts      map[Outcome]int `json:"counts"`
	Results     []*Result       `json:"results"`

	rerun string // the command that runs cases again; empty if none does
}

// Spending counts the jobs that a run has created.
type Spending struct {
	// Limit is negative if there was none.
	Limit int `json:"limit"`
	// Accepted counts the accepted submissions, including those of unknown outcome.
	Accepted int `json:"accepted"`
	// Unexpected counts those that should have been rejected, Unknown those without a response or with a 5xx: a job may
	// have started.
	Unexpected int `json:"unexpected"`
	Unknown    int `json:"unknown"`
}

// A Result is the result of one case or rule.
type Result struct {
	Name    string  `json:"name"`
	Model   string  `json:"model,omitempty"`
	Group   string  `json:"group"`
	Source  string  `json:"source"`
	Why     string  `json:"why"`
	Derived bool    `json:"derived,omitempty"`
	Outcome Outcome `json:"outcome"`
	// Expected describes the verdict of the specs; empty for a rule.
	Expected string `json:"expected,omitempty"`
	// Problems say what is wrong, or why the case wasn't sent.
	Problems []string `json:"problems,omitempty"`
	// Rules are the rules that the problems break. Inference reports that none of them follows from the schemas alone.
	Rules     []string `json:"rules,omitempty"`
	Inference bool     `json:"inference,omitempty"`
	// Deviation is the reason of a known deviation.
	Deviation string `json:"deviation,omitempty"`
	// Undocumented lists what responses contain beyond the specs. It isn't a failure, but may be a change of the API.
	Undocumented []string   `json:"undocumented,omitempty"`
	Elapsed      float64    `json:"elapsed_seconds"`
	Exchanges    []Exchange `json:"exchanges,omitempty"`
}

// An Exchange is a request and its response as redacted text; long bodies are cut.
type Exchange struct {
	// Request is a curl command that sends the request again.
	Request  string `json:"request"`
	Response string `json:"response"`
}

func (r *run) report() *Report {
	b := r.budget
	report := &Report{
		Version:     1,
		Target:      cmp.Or(r.config.Name, r.target.base.String()),
		Began:       r.start,
		Elapsed:     time.Since(r.start).Seconds(),
		Strictness:  r.config.Strictness,
		Stateless:   r.target.stateless,
		Interrupted: r.aborted != "",
		Reason:      r.aborted,
		Spending:    Spending{max(b.limit, -1), b.spent, b.unexpected, b.unknown},
		Counts:      map[Outcome]int{},
		Results:     r.order,
	}
	for _, result := range r.order {
		report.Counts[result.Outcome]++
	}
	if r.config.Handler == nil {
		report.rerun = r.command()
	}
	return report
}

// command returns the command that judges cases as in this run. It starts the built-in simulator by itself.
func (r *run) command() string {
	args := []string{"wan conformance"}
	if r.config.Name == "" {
		args = append(args, "--target", r.target.base.String())
		for _, id := range r.config.Generations {
			args = append(args, "--generation", shellQuoted(id))
		}
	}
	if r.config.Strictness != Lenient {
		args = append(args, "--strictness", r.config.Strictness.String())
	}
	if r.config.Spend != 0 {
		args = append(args, "--spend", fmt.Sprint(min(max(r.config.Spend, -1), 1)))
	}
	return strings.Join(args, " ")
}

// Ran counts the cases that were sent.
func (r *Report) Ran() int {
	return r.Counts[Passed] + r.Counts[Failed] + r.Counts[Known] + r.Counts[Inferred]
}

// OK reports whether the target conforms: no case failed, the run wasn't interrupted, and at least one case was sent.
func (r *Report) OK() bool { return r.Counts[Failed] == 0 && !r.Interrupted && r.Ran() > 0 }

// with returns the results with an outcome.
func (r *Report) with(outcome Outcome) (list []*Result) {
	for _, result := range r.Results {
		if result.Outcome == outcome {
			list = append(list, result)
		}
	}
	return list
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(r)
}

// verdict returns the result in one line.
func (r *Report) verdict() string {
	switch {
	case r.Counts[Failed] > 0 && r.Interrupted:
		return fmt.Sprintf("FAIL: %d of %d cases; %s", r.Counts[Failed], r.Ran(), r.Reason)
	case r.Counts[Failed] > 0:
		return fmt.Sprintf("FAIL: %d of %d cases", r.Counts[Failed], r.Ran())
	case r.Interrupted:
		return "FAIL: " + r.Reason
	case r.Ran() == 0:
		return "FAIL: no case was sent"
	}
	text := fmt.Sprintf("PASS: %d cases", r.Ran())
	if n := r.Counts[Known]; n > 0 {
		text += fmt.Sprintf(", %d of them known deviations", n)
	}
	if n := r.Counts[Inferred]; n > 0 {
		text += fmt.Sprintf(", %d of them against inferred rules, which --strictness documented fails", n)
	}
	if n := r.Counts[LeftOut]; n > 0 {
		text += fmt.Sprintf("; %d were left out", n)
	}
	return text
}

func (r *Report) mode() string {
	mode := " (" + r.Strictness.String()
	if r.Stateless {
		mode += ", stateless"
	}
	return mode + ")"
}

// String describes the spending in one line.
func (s Spending) String() string {
	text := fmt.Sprintf("%d accepted, no limit", s.Accepted)
	if s.Limit >= 0 {
		text = fmt.Sprintf("%d accepted of a limit of %d, which a run exceeds by at most one", s.Accepted, s.Limit)
	}
	if s.Unexpected > 0 {
		text += fmt.Sprintf("; %d of these should have been rejected", s.Unexpected)
	}
	if s.Unknown > 0 {
		text += fmt.Sprintf("; %d of these got no response or a 5xx", s.Unknown)
	}
	return text
}

// notes lists what responses contain beyond the specs, with counts.
func (r *Report) notes() []string {
	seen := map[string]int{}
	for _, result := range r.Results {
		for _, note := range result.Undocumented {
			seen[note]++
		}
	}
	var list []string
	for _, note := range slices.Sorted(maps.Keys(seen)) {
		list = append(list, fmt.Sprintf("%d times %s", seen[note], strings.TrimPrefix(note, "undocumented: ")))
	}
	return list
}
