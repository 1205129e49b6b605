package simulator

import "time"

// A Timeline is the sequence of responses to the polls of a job. The first step is also the response to the submission;
// the last one lasts forever.
type Timeline []Step

// A Step is one period of a timeline.
type Step struct {
	// Status is the status word, listed in the specs or not.
	Status string
	// For is how long the step lasts.
	For time.Duration
	// Set replaces or adds members of the response. A nil value sends null, [Absent] omits the member. Without it, a
	// response has id and status, "completed" also video and meta, "error" also error.
	Set map[string]any
}

// Absent is a value for [Step].Set that omits the member.
var Absent any = absent{}

type absent struct{}

// charged reports whether a job is charged at this step.
func (s Step) charged() bool { return s.Status == "completed" }

// Complete returns a timeline that ends with "completed".
func Complete(queued, generating time.Duration) Timeline {
	return Timeline{{Status: "queued", For: queued}, {Status: "generating", For: generating}, {Status: "completed"}}
}

// Fail returns a timeline that ends with an error after half a second.
func Fail(name, message string) Timeline {
	return Timeline{{Status: "generating", For: 500 * time.Millisecond}, failed(name, message)}
}

func failed(name, message string) Step {
	return Step{Status: "error", Set: map[string]any{"error": map[string]any{"name": name, "message": message}}}
}

// duration returns the time until the last step begins.
func (t Timeline) duration() (d time.Duration) {
	for _, step := range t[:len(t)-1] {
		d += step.For
	}
	return d
}

// at returns the index of the step after the elapsed time.
func (t Timeline) at(elapsed time.Duration) int {
	for i, step := range t {
		if elapsed < step.For {
			return i
		}
		elapsed -= step.For
	}
	return len(t) - 1
}
