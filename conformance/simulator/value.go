package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseTimeline parses the text form of a timeline: steps separated by commas, each with a status, a duration and, for
// "error", a name and a quoted message.
//
//	queued 1s, generating 2s, completed
//	generating 500ms, error NSFW "The image was refused"
func ParseTimeline(text string) (Timeline, error) {
	var t Timeline
	for i, fields := range splitSteps(text) {
		step, err := parseStep(fields)
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

// A stepValue is a step in JSON. Omit lists the members to omit.
type stepValue struct {
	Status string         `json:"status"`
	For    durationValue  `json:"for,omitempty"`
	Set    map[string]any `json:"set,omitempty"`
	Omit   []string       `json:"omit,omitempty"`
}

func (t *timelineValue) UnmarshalJSON(text []byte) error {
	var form string
	if json.Unmarshal(text, &form) == nil {
		parsed, err := ParseTimeline(form)
		*t = timelineValue(parsed)
		return err
	}
	var steps []stepValue
	if err := decodeStrict(text, &steps); err != nil {
		return err
	}
	if len(steps) == 0 {
		return errors.New("a timeline needs a step")
	}
	*t = nil
	for _, v := range steps {
		step := Step{Status: v.Status, For: time.Duration(v.For), Set: v.Set}
		for _, name := range v.Omit {
			if step.Set == nil {
				step.Set = map[string]any{}
			}
			step.Set[name] = Absent
		}
		*t = append(*t, step)
	}
	return nil
}

func (t timelineValue) MarshalJSON() ([]byte, error) {
	var steps []stepValue
	for _, step := range t {
		v := stepValue{Status: step.Status, For: durationValue(step.For)}
		for name, value := range step.Set {
			if value == Absent {
				v.Omit = append(v.Omit, name)
				continue
			}
			if v.Set == nil {
				v.Set = map[string]any{}
			}
			v.Set[name] = value
		}
		steps = append(steps, v)
	}
	return json.Marshal(steps)
}

// A durationValue is a duration in JSON, such as "1m30s".
type durationValue time.Duration

func (d *durationValue) UnmarshalJSON(text []byte) error {
	var form string
	if err := json.Unmarshal(text, &form); err != nil {
		return errors.New(`a duration is a string such as "1m30s"`)
	}
	parsed, err := time.ParseDuration(form)
	*d = durationValue(parsed)
	return err
}

func (d durationValue) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// A faultValue is a fault in JSON: the text form of [ParseFault], or an object.
type faultValue Fault

func (f *faultValue) UnmarshalJSON(text []byte) error {
	var form string
	if json.Unmarshal(text, &form) == nil {
		parsed, err := ParseFault(form)
		*f = faultValue(parsed)
		return err
	}
	var v struct {
		On          Operation         `json:"on"`
		Effect      string            `json:"effect"`
		After       int               `json:"after"`
		Times       int               `json:"times"`
		Probability float64           `json:"probability"`
		Status      int               `json:"status"`
		Header      map[string]string `json:"header"`
		Body        *string           `json:"body"`
	}
	if err := decodeStrict(text, &v); err != nil {
		return err
	}
	*f = faultValue{On: v.On, After: v.After, Times: v.Times, Probability: v.Probability}
	if v.Effect != "" {
		if v.Status != 0 || v.Header != nil || v.Body != nil {
			return errors.New("a fault has either an effect or a status, a header and a body")
		}
		effect, err := parseEffect(v.Effect)
		f.Effect = effect
		return err
	}
	f.Effect = respondWith(v.Status, v.Header, v.Body)
	return nil
}
