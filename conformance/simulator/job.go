package simulator

import (
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
	jobRecord

	document *spec.Document
	video    *video

	mu        sync.Mutex // guards Polls, Downloads and Expired too
	responses map[string][]byte
}

// A jobRecord is a job in the state file.
type jobRecord struct {
	Job

	Token    string        `json:"token"`
	Timeline timelineValue `json:"timeline"`
	Key      keyID         `json:"key"`
	HTTPID   string        `json:"http_id"` // of the submission as an HTTP call
	Credits  int           `json:"credits"` // charged on completion
	Expired  int           `json:"expired"` // number of expired URLs of the result
}

var errNoCredits = errors.New("the balance doesn't cover the price")

// create creates a job from a valid submission. A nil timeline is the configured one. It returns errNoCredits if
// the balance doesn't cover the price.
func (s *Simulator) create(accepted conformance.Submission, body []byte, timeline Timeline, key keyID, requestID string) (*job, error) {
	j := &job{document: accepted.Document, video: chooseVideo(accepted), responses: map[string][]byte{}}
	sum := sha256.Sum256(body)
	j.Job = Job{
		Model: accepted.Document.Model, ClientRequestID: requestID, Created: s.now(), Size: j.video.size(),
		Body: shorten(body, accepted.Request), BodySize: len(body), BodySHA256: hex.EncodeToString(sum[:]),
	}
	j.Key, j.HTTPID = key, newUUID()
	s.mu.Lock()
	defer s.mu.Unlock()
	j.Credits = s.price(j.document.Slug).credits(accepted)
	j.USD = usd(j.Credits)
	if !s.covers(j.Credits, j.Created) {
		return nil, errNoCredits
	}
	for j.ID == "" || s.jobs[j.ID] != nil { // after a restart with the same seed, the first ids are taken
		j.ID = uuid(s.random.Uint64(), s.random.Uint64()) + ":" + j.Model
		j.Token = fmt.Sprintf("%016x", s.random.Uint64())
	}
	if timeline == nil {
		timeline = s.timelineFor(j.document.Slug)
	}
	if len(timeline) == 0 {
		timeline = Complete(0, 0)
	}
	j.Timeline = timelineValue(timeline)
	if err := s.save(stateRecord{Job: &j.jobRecord}); err != nil {
		return nil, err
	}
	s.add(j)
	return j, nil
}

// add adds a job to the ledger. The caller holds s.mu.
func (s *Simulator) add(j *job) {
	s.forget(j.Created)
	s.reserved += j.Credits
	s.jobs[j.ID], s.files[j.Token] = j, j
	s.order = append(s.order, j)
	s.totals.Created++
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
			s.totals.Charged++
			s.totals.Credits += old.Credits
		}
		delete(s.jobs, old.ID)
		delete(s.files, old.Token)
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

// covers reports whether the balance covers a further job beside those that were charged or are running.
func (s *Simulator) covers(price int, now time.Time) bool {
	if s.reserved+price <= s.balance { // even if all jobs so far were charged
		return true
	}
	used := s.totals.Credits + price
	for _, j := range s.order {
		if j.charged(now) || j.step(now).Status != "error" {
			used += j.Credits
		}
	}
	return used <= s.balance
}

func newUUID() string { return uuid(rand.Uint64(), rand.Uint64()) }

// uuid makes a version 4 UUID (RFC 9562) of two random numbers.
func uuid(a, b uint64) string {
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

func (j *job) step(now time.Time) Step {
	return j.Timeline[Timeline(j.Timeline).at(now.Sub(j.Created))]
}

// charged reports whether the job has completed. What comes after that makes no difference.
func (j *job) charged(now time.Time) bool {
	at, ok := j.chargedAt()
	return ok && !at.After(now)
}

// chargedAt returns when the job completes, and false if it never does.
func (j *job) chargedAt() (at time.Time, ok bool) {
	at = j.Created
	for _, step := range j.Timeline {
		if step.charged() {
			return at, true
		}
		at = at.Add(step.For)
	}
	return at, false
}

// forgotten reports whether the last step of the job began longer ago than the retention.
func (j *job) forgotten(now time.Time, retention time.Duration) bool {
	return now.Sub(j.Created)-Timeline(j.Timeline).duration() > retention
}

// result returns the path of the video. The caller holds the job's lock, or the job is new.
func (j *job) result() string { return filesPath + j.Token + "/" + strconv.Itoa(j.Expired) + ".mp4" }

// accepted returns the response to the submission.
func (j *job) accepted(baseURL string) (status string, response []byte) {
	step := j.Timeline[0]
	return step.Status, j.encode(step, baseURL+j.result())
}

// poll returns the response to a poll.
func (j *job) poll(now time.Time, baseURL string) (Step, []byte) {
	i := Timeline(j.Timeline).at(now.Sub(j.Created))
	step := j.Timeline[i]
	j.mu.Lock()
	defer j.mu.Unlock()
	j.Polls++
	url := baseURL + j.result()
	key := strconv.Itoa(i) + url
	response, ok := j.responses[key]
	if !ok {
		response = j.encode(step, url)
		if len(j.responses) > 2*len(j.Timeline) { // polled under many host names
			clear(j.responses)
		}
		j.responses[key] = response
	}
	return step, response
}

// encode returns the generation at a step.
func (j *job) encode(step Step, url string) []byte {
	members := map[string]any{"id": j.ID, "status": step.Status}
	switch step.Status {
	case "completed":
		members["video"] = map[string]any{"url": url}
		members["meta"] = map[string]any{"usage": map[string]any{"credits_used": j.Credits, "usd_spent": j.USD}}
	case "error":
		members["error"] = map[string]any{"name": "GenerationError", "message": "The generation failed"}
	}
	maps.Copy(members, step.Set)
	for _, name := range step.Omit {
		delete(members, name)
	}
	response, err := json.MarshalIndent(members, "", "  ")
	if err != nil {
		response, _ = json.Marshal("the simulator cannot encode this: " + err.Error())
	}
	return append(response, '\n')
}

// shorten returns a body without long texts and data.
func shorten(body []byte, request map[string]any) json.RawMessage {
	text, _ := json.Marshal(shortenValue(request))
	if len(text) > 16<<10 {
		text, _ = json.Marshal(fmt.Sprintf("a body of %d bytes", len(body)))
	}
	return text
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
