package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Timeline is the sequence of responses to the polls of a job. The first step is also the response to the submission;
// the last one lasts forever.
type Timeline []Step

// A Step is one period of a timeline.
type Step struct {
	// Status is the status word, listed in the specs or not.
	Status string `json:"status"`
	// For is how long the step lasts.
	For time.Duration `json:"-"`
	// Set replaces or adds members of the response, Omit omits members. A nil value is null. By default, a response has id
	// and status, "completed" also video and meta, "error" also error.
	Set  map[string]any `json:"set,omitempty"`
	Omit []string       `json:"omit,omitempty"`
}

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

// ParseTimeline parses the text form of a timeline: steps separated by commas, each with a status, a duration and, for
// "error", a name and a quoted message.
//
//	queued 1s, generating 2s, completed
//	generating 500ms, error NSFW "The image was refused"
func ParseTimeline(text string) (Timeline, error) {
	var t Timeline
	for i, words := range splitSteps(text) {
		step, err := parseStep(words)
		if err != nil {
			return nil, fmt.Errorf("timeline %q: step %d: %w", text, i+1, err)
		}
		t = append(t, step)
	}
	return t, nil
}

// splitSteps splits a timeline into steps and words. A quoted word may have spaces and commas.
func splitSteps(text string) [][]string {
	steps := [][]string{nil}
	for rest := text; rest != ""; {
		last := len(steps) - 1
		switch {
		case strings.ContainsRune(" \t", rune(rest[0])):
			rest = rest[1:]
		case rest[0] == ',':
			steps, rest = append(steps, nil), rest[1:]
		default:
			word, err := strconv.QuotedPrefix(rest)
			if err != nil {
				word = rest[:max(1, strings.IndexAny(rest+",", " \t,"))]
			}
			steps[last], rest = append(steps[last], word), rest[len(word):]
		}
	}
	return steps
}

func parseStep(words []string) (step Step, err error) {
	if len(words) == 0 {
		return step, errors.New("a status is missing")
	}
	step.Status, words = words[0], words[1:]
	if len(words) > 0 {
		if d, err := time.ParseDuration(words[0]); err == nil && d >= 0 {
			step.For, words = d, words[1:]
		}
	}
	if step.Status == "error" && len(words) > 0 {
		name, message := words[0], "The generation failed"
		if words = words[1:]; len(words) > 0 {
			if message, err = strconv.Unquote(words[0]); err != nil {
				return step, fmt.Errorf("%s isn't a quoted message", words[0])
			}
			words = words[1:]
		}
		step.Set = failed(name, message).Set
	}
	if len(words) > 0 {
		return step, fmt.Errorf("%q isn't a duration such as 1s", words[0])
	}
	return step, nil
}

// A timelineValue is a timeline in JSON: its text form, or an array of steps.
type timelineValue Timeline

type stepValue struct {
	Step

	For durationValue `json:"for"`
}

func (t *timelineValue) UnmarshalJSON(text []byte) error {
	var form string
	if json.Unmarshal(text, &form) == nil {
		parsed, err := ParseTimeline(form)
		*t = timelineValue(parsed)
		return err
	}
	var steps []stepValue
	if err := json.Unmarshal(text, &steps); err != nil {
		return err
	}
	*t = nil
	for _, v := range steps {
		v.Step.For = time.Duration(v.For)
		*t = append(*t, v.Step)
	}
	return nil
}

func (t timelineValue) MarshalJSON() ([]byte, error) {
	steps := make([]stepValue, len(t))
	for i, step := range t {
		steps[i] = stepValue{step, durationValue(step.For)}
	}
	return json.Marshal(steps)
}

// A durationValue is a duration in JSON, such as "1m30s".
type durationValue time.Duration

func (d *durationValue) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = durationValue(parsed)
	return err
}

func (d durationValue) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }
