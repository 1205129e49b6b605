package simulator

import (
	"strconv"
	"time"
)

// A Timeline is what polls of a job see as time passes. The first step also answers the submission, the last one lasts
// for ever.
type Timeline []Step

// A Step is one stretch of a timeline.
type Step struct {
	// Status is the word that polls are answered with: one that the documents list or any other.
	Status string
	// For is how long the step lasts.
	For time.Duration
	// Set replaces members of the answer, or adds some. A nil value sends null, [Absent] leaves the member out.
	// Without it, an answer has id and status; "completed" also has video and meta, "error" also has error.
	Set map[string]any
}

// Absent is a value for [Step].Set that leaves the member out.
var Absent any = absent{}

type absent struct{}

// charged reports whether a job that has come to this step is charged.
func (s Step) charged() bool { return s.Status == "completed" }

// Complete is a timeline that ends well.
func Complete(queued, generating time.Duration) Timeline {
	return Timeline{{Status: "queued", For: queued}, {Status: "generating", For: generating}, {Status: "completed"}}
}

// Fail is a timeline that ends with an error after half a second.
func Fail(name, message string) Timeline {
	return Timeline{{Status: "generating", For: 500 * time.Millisecond}, failed(name, message)}
}

func failed(name, message string) Step {
	return Step{Status: "error", Set: map[string]any{"error": map[string]any{"name": name, "message": message}}}
}

// at returns the step that the job is in after the time.
func (t Timeline) at(elapsed time.Duration) int {
	for i, step := range t {
		if elapsed < step.For {
			return i
		}
		elapsed -= step.For
	}
	return len(t) - 1
}

// What each completed job costs. The vendor's prices depend on the model and the length; these don't.
const (
	CreditsPerJob = 420000
	USDPerJob     = 0.21
)

var (
	creditsHeader = []string{strconv.Itoa(CreditsPerJob)}
	usdHeader     = []string{strconv.FormatFloat(USDPerJob, 'f', -1, 64)}
)
