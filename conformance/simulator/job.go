package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
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
	"github.com/aimlvideo/wan-go/spec/media"
)

// A job is one generation. Its state depends only on the time since its creation.
type job struct {
	id, token string
	document  *spec.Document
	created   time.Time
	timeline  Timeline
	video     *video
	key       keyID
	requestID string // the client's
	httpID    string // of the submission as an HTTP call
	credits   int    // charged on completion
	body      bodyRecord

	mu        sync.Mutex
	polls     int
	downloads int
	expired   int               // number of expired URLs of the result
	responses map[string][]byte // encoded, by step and URL
}

// A bodyRecord is the part of a body that the ledger keeps.
type bodyRecord struct {
	size   int
	sha256 string
	text   json.RawMessage
}

// create creates a job from a valid submission. A nil timeline is the configured one. It returns errNoCredits if
// the balance doesn't cover the price.
func (s *Simulator) create(accepted conformance.Submission, body []byte, timeline Timeline, key keyID, requestID string) (*job, error) {
	j := &job{
		key:       key,
		httpID:    newUUID(),
		document:  accepted.Document,
		created:   s.now(),
		video:     chooseVideo(accepted),
		requestID: requestID,
		body:      shorten(body, accepted.Request),
		responses: map[string][]byte{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.credits = s.priceLocked(j.document.Slug).credits(accepted)
	if !s.covers(j.credits, j.created) {
		return nil, errNoCredits
	}
	j.id = uuid(s.random.Uint64(), s.random.Uint64()) + ":" + j.document.Model
	j.token = fmt.Sprintf("%016x", s.random.Uint64())
	if j.timeline = timeline; timeline == nil {
		j.timeline = s.timelineFor(j.document.Slug)
	}
	if len(j.timeline) == 0 {
		j.timeline = Complete(0, 0)
	}
	if err := s.save(stateRecord{Job: j.toRecord()}); err != nil {
		return nil, err
	}
	s.add(j)
	return j, nil
}

var errNoCredits = errors.New("the balance doesn't cover the price")

// add adds a job to the ledger. The caller holds s.mu.
func (s *Simulator) add(j *job) {
	s.forget(j.created)
	s.totals.reserved += j.credits
	s.jobs[j.id], s.files[j.token] = j, j
	s.order = append(s.order, j)
	s.totals.created++
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
			failed("SimulatedFailure", "The simulator fails some jobs, as configured"))
	}
	return s.timeline
}

// forget drops the jobs at the front whose timeline ended longer ago than the retention, and adds up their charges. A long
// job holds up those behind it.
func (s *Simulator) forget(now time.Time) {
	for len(s.order) > 0 && s.order[0].forgotten(now, s.retention) {
		old := s.order[0]
		if old.charged(now) {
			s.totals.charged++
			s.totals.credits += old.credits
		}
		delete(s.jobs, old.id)
		delete(s.files, old.token)
		s.order[0] = nil
		s.order = s.order[1:]
	}
}

// find returns a job that isn't forgotten, or nil.
func (s *Simulator) find(jobs map[string]*job, name string) *job {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if j := jobs[name]; j != nil && !j.forgotten(s.now(), s.retention) {
		return j
	}
	return nil
}

func newUUID() string { return uuid(rand.Uint64(), rand.Uint64()) }

// uuid makes a version 4 UUID (RFC 9562) of two random numbers.
func uuid(a, b uint64) string {
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

func (j *job) step(now time.Time) Step { return j.timeline[j.timeline.at(now.Sub(j.created))] }

// charged reports whether the job has completed. What comes after that makes no difference.
func (j *job) charged(now time.Time) bool {
	at, ok := j.chargedAt()
	return ok && !at.After(now)
}

// chargedAt returns when the job completes, and false if it never does.
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

// covers reports whether the balance covers a further job beside those that were charged or are running.
func (s *Simulator) covers(price int, now time.Time) bool {
	if s.totals.reserved+price <= s.balance { // even if all jobs so far were charged
		return true
	}
	used := s.totals.credits + price
	for _, j := range s.order {
		if j.charged(now) || j.step(now).Status != "error" {
			used += j.credits
		}
	}
	return used <= s.balance
}

// forgotten reports whether the last step of the job began longer ago than the retention.
func (j *job) forgotten(now time.Time, retention time.Duration) bool {
	return now.Sub(j.created)-j.timeline.duration() > retention
}

// accepted returns the response to the submission.
func (j *job) accepted(baseURL string) (status string, response []byte) {
	step := j.timeline[0]
	return step.Status, encode(j.members(step, baseURL+j.result()))
}

// result returns the path of the video. The caller holds the job's lock, or the job is new.
func (j *job) result() string { return filesPath + j.token + "/" + strconv.Itoa(j.expired) + ".mp4" }

// poll returns the response to a poll.
func (j *job) poll(now time.Time, baseURL string) (Step, []byte) {
	i := j.timeline.at(now.Sub(j.created))
	step := j.timeline[i]
	j.mu.Lock()
	defer j.mu.Unlock()
	j.polls++
	url := baseURL + j.result()
	key := fmt.Sprint(i, url)
	response, ok := j.responses[key]
	if !ok {
		response = encode(j.members(step, url))
		if len(j.responses) > 2*len(j.timeline) { // polled under many host names
			clear(j.responses)
		}
		j.responses[key] = response
	}
	return step, response
}

func (j *job) members(step Step, url string) []member {
	members := []member{{"id", j.id}, {"status", step.Status}}
	switch step.Status {
	case "completed":
		members = append(members, member{"video", map[string]any{"url": url}},
			member{"meta", map[string]any{"usage": map[string]any{"credits_used": j.credits, "usd_spent": usd(j.credits)}}})
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

// encode encodes an indented JSON object, members in the given order.
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
			value, _ = json.Marshal("the simulator cannot encode this: " + err.Error())
		}
		fmt.Fprintf(&b, "\n  %s: %s", name, value)
	}
	b.WriteString("\n}\n")
	return b.Bytes()
}

// shorten returns a body without long texts and data.
func shorten(body []byte, request map[string]any) bodyRecord {
	sum := sha256.Sum256(body)
	text, _ := json.Marshal(shortenValue(request))
	if len(text) > 16<<10 {
		text, _ = json.Marshal(fmt.Sprintf("a body of %d bytes", len(body)))
	}
	return bodyRecord{len(body), hex.EncodeToString(sum[:]), text}
}

// shortenValue returns a shortened copy.
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
		if head, data, ok := strings.Cut(v, ","); ok && media.IsDataURI(v) {
			return fmt.Sprintf("%.60s,... (%d characters)", head, len(data))
		}
		if len(v) > 1000 {
			return strings.ToValidUTF8(v[:1000], "") + fmt.Sprintf("... (%d bytes)", len(v))
		}
	}
	return value
}
