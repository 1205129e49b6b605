package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// A job is one generation. What is said of it depends only on the time since its creation.
type job struct {
	id, token string
	document  *spec.Document
	created   time.Time
	timeline  Timeline
	film      *film
	requestID string
	body      bodyRecord

	mu        sync.Mutex
	polls     int
	downloads int
	expired   int               // how many of the result's URLs no longer work
	answers   map[string][]byte // encoded, by step and URL
}

// A bodyRecord is what the ledger keeps of a body.
type bodyRecord struct {
	size   int
	sha256 string
	text   json.RawMessage
}

// create makes a job of a submission that is valid.
func (s *Simulator) create(accepted conformance.Submission, body []byte, requestID string) *job {
	j := &job{
		document:  accepted.Document,
		created:   s.now(),
		film:      chooseFilm(accepted),
		requestID: requestID,
		body:      shorten(body, accepted.Request),
		answers:   map[string][]byte{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.id = uuid(s.random.Uint64(), s.random.Uint64()) + ":" + j.document.Model
	j.token = fmt.Sprintf("%016x", s.random.Uint64())
	j.timeline = s.timelineFor(j.document.Slug)
	if len(j.timeline) == 0 {
		j.timeline = Complete(0, 0)
	}
	s.forget(j.created)
	s.jobs[j.id], s.files[j.token] = j, j
	s.order = append(s.order, j)
	s.totals.created++
	return j
}

func (s *Simulator) timelineFor(slug string) Timeline {
	if len(s.scripts) > 0 {
		t := s.scripts[0]
		s.scripts = s.scripts[1:]
		return t
	}
	if t, ok := s.timelines[slug]; ok {
		return t
	}
	if s.failureRate > 0 && s.random.Float64() < s.failureRate {
		return append(slices.Clip(s.timeline[:max(0, len(s.timeline)-1)]),
			failed("SimulatedFailure", "The simulator was told to let some jobs fail"))
	}
	return s.timeline
}

// forget drops the jobs that are older than the retention. Those that have yet to be charged will be: when they were
// forgotten, and who has looked at the ledger, makes no difference.
func (s *Simulator) forget(now time.Time) {
	for len(s.order) > 0 && now.Sub(s.order[0].created) > s.retention {
		old := s.order[0]
		if at, ok := old.chargedAt(); ok {
			s.due = append(s.due, at)
		}
		delete(s.jobs, old.id)
		delete(s.files, old.token)
		s.order[0] = nil
		s.order = s.order[1:]
	}
	if len(s.due) > 2*s.settled+1000 { // so seldom that it costs next to nothing
		s.settle(now)
	}
}

// settle counts the charges that have come due of jobs that are forgotten.
func (s *Simulator) settle(now time.Time) {
	before := len(s.due)
	s.due = slices.DeleteFunc(s.due, func(at time.Time) bool { return !at.After(now) })
	s.totals.charged += before - len(s.due)
	s.settled = len(s.due)
}

// find looks a job up that is still remembered.
func (s *Simulator) find(jobs map[string]*job, name string) *job {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if j := jobs[name]; j != nil && s.now().Sub(j.created) <= s.retention {
		return j
	}
	return nil
}

// uuid makes a random id (RFC 9562, version 4) of random numbers.
func uuid(a, b uint64) string {
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

func (j *job) step(now time.Time) Step { return j.timeline[j.timeline.at(now.Sub(j.created))] }

// charged reports whether the job has completed, whatever came after that.
func (j *job) charged(now time.Time) bool {
	at, ok := j.chargedAt()
	return ok && !at.After(now)
}

// chargedAt is when the job completes, if it does.
func (j *job) chargedAt() (at time.Time, ok bool) {
	at = j.created
	for _, step := range j.timeline {
		if step.charged() {
			return at, true
		}
		at = at.Add(step.For)
	}
	return at, false
}

// accepted is the answer to the submission.
func (j *job) accepted(baseURL string) (status string, answer []byte) {
	step := j.timeline[0]
	return step.Status, encode(j.members(step, baseURL+j.result()))
}

// result is the path of the video. The caller holds the job's lock, or the job is new.
func (j *job) result() string { return filesPath + j.token + "/" + strconv.Itoa(j.expired) + ".mp4" }

// answer is what a poll sees now.
func (j *job) answer(now time.Time, baseURL string) (Step, []byte) {
	i := j.timeline.at(now.Sub(j.created))
	step := j.timeline[i]
	j.mu.Lock()
	defer j.mu.Unlock()
	j.polls++
	url := baseURL + j.result()
	key := fmt.Sprint(i, url)
	answer, ok := j.answers[key]
	if !ok {
		answer = encode(j.members(step, url))
		if len(j.answers) > 2*len(j.timeline) { // one that is asked for under ever new names
			clear(j.answers)
		}
		j.answers[key] = answer
	}
	return step, answer
}

func (j *job) members(step Step, url string) []member {
	members := []member{{"id", j.id}, {"status", step.Status}}
	switch step.Status {
	case "completed":
		members = append(members, member{"video", map[string]any{"url": url}},
			member{"meta", map[string]any{"usage": map[string]any{"credits_used": CreditsPerJob, "usd_spent": USDPerJob}}})
	case "error":
		members = append(members, member{"error", map[string]any{"name": "GenerationError", "message": "The generation failed"}})
	}
	for _, name := range slices.Sorted(maps.Keys(step.Set)) {
		value := step.Set[name]
		i := slices.IndexFunc(members, func(m member) bool { return m.name == name })
		switch {
		case value == Absent && i >= 0:
			members = slices.Delete(members, i, i+1)
		case value == Absent:
		case i >= 0:
			members[i].value = value
		default:
			members = append(members, member{name, value})
		}
	}
	return members
}

type member struct {
	name  string
	value any
}

// encode makes a JSON object that people can read, its members in the given order.
func encode(members []member) []byte {
	var b bytes.Buffer
	b.WriteString("{")
	for i, m := range members {
		if i > 0 {
			b.WriteString(",")
		}
		name, _ := json.Marshal(m.name)
		value, err := json.MarshalIndent(m.value, "  ", "  ")
		if err != nil {
			value, _ = json.Marshal("the simulator couldn't encode this: " + err.Error())
		}
		fmt.Fprintf(&b, "\n  %s: %s", name, value)
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// problem is the documented error body.
func (s *Simulator) problem(path string, status int, message string) []byte {
	return encode([]member{
		{"message", message},
		{"path", path},
		{"requestId", uuid(rand.Uint64(), rand.Uint64())},
		{"statusCode", status},
		{"timestamp", s.now().UTC().Format("2006-01-02T15:04:05.000Z07:00")},
	})
}

// shorten keeps of a body what a person or a test wants to see, and of its data only the beginning.
func shorten(body []byte, request map[string]any) bodyRecord {
	sum := sha256.Sum256(body)
	text, _ := json.Marshal(shortenValue(request))
	if len(text) > 16<<10 {
		text, _ = json.Marshal(fmt.Sprintf("a body of %d bytes", len(body)))
	}
	return bodyRecord{len(body), hex.EncodeToString(sum[:]), text}
}

// shortenValue returns a copy where there is something to shorten within.
func shortenValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		members := make(map[string]any, len(v))
		for name, member := range v {
			members[name] = shortenValue(member)
		}
		return members
	case []any:
		elements := make([]any, len(v))
		for i, element := range v {
			elements[i] = shortenValue(element)
		}
		return elements
	case string:
		if head, data, ok := strings.Cut(v, ","); ok && strings.EqualFold(v[:min(len(v), 5)], "data:") {
			return fmt.Sprintf("%.60s,... (%d characters)", head, len(data))
		}
		if len(v) > 1000 {
			return strings.ToValidUTF8(v[:1000], "") + fmt.Sprintf("... (%d bytes)", len(v))
		}
	}
	return value
}
