package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/aimlvideo/wan-go/spec"
)

// WithState keeps the jobs in a file, so that they survive a restart of the process, however it ends. The file has one
// JSON object per line and grows with each job. Only one simulator may use it at a time. API keys are stored as hashes.
func WithState(path string) Option {
	return func(c *config) error {
		c.statePath = path
		return nil
	}
}

// A stateRecord is one line of the state file.
type stateRecord struct {
	Job     *jobRecord     `json:"job,omitempty"`
	Expired map[string]int `json:"expired,omitempty"` // URLs by job
	Clock   durationValue  `json:"clock,omitempty"`   // an advance
	Reset   bool           `json:"reset,omitempty"`
}

// A jobRecord is a job in the state file.
type jobRecord struct {
	ID         string          `json:"id"`
	Token      string          `json:"token"`
	Slug       string          `json:"slug"`
	Created    time.Time       `json:"created"`
	Timeline   timelineValue   `json:"timeline"`
	Video      string          `json:"video"`
	Key        keyID           `json:"key"`
	RequestID  string          `json:"client_request_id"`
	HTTPID     string          `json:"request_id"`
	Credits    int             `json:"credits"`
	Body       json.RawMessage `json:"body"`
	BodySize   int             `json:"body_size"`
	BodySHA256 string          `json:"body_sha256"`
}

// A keyID identifies an API key without holding it.
type keyID struct {
	Prefix string `json:"prefix"`
	Hash   string `json:"hash"`
}

func newKeyID(key string) keyID {
	sum := sha256.Sum256([]byte(key))
	return keyID{key[:min(len(key), 8)], hex.EncodeToString(sum[:])}
}

// openState reads the state file and opens it for appending. A last line that is incomplete is removed.
func (s *Simulator) openState() error {
	if s.statePath == "" {
		return nil
	}
	file, err := os.OpenFile(s.statePath, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("WithState: %w", err)
	}
	text, err := io.ReadAll(file)
	if err != nil {
		file.Close()
		return fmt.Errorf("WithState: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for i, line := range bytes.Split(bytes.TrimSpace(whole), []byte("\n")) {
		var record stateRecord
		if len(line) == 0 {
			continue
		}
		err := json.Unmarshal(line, &record)
		if err == nil {
			err = s.apply(record)
		}
		if err != nil {
			file.Close()
			return fmt.Errorf("WithState: %s:%d: %w", s.statePath, i+1, err)
		}
	}
	if err := file.Truncate(int64(len(whole))); err != nil {
		file.Close()
		return fmt.Errorf("WithState: %w", err)
	}
	if _, err := file.Seek(0, io.SeekEnd); err != nil {
		file.Close()
		return fmt.Errorf("WithState: %w", err)
	}
	s.state = file
	return nil
}

func (s *Simulator) apply(record stateRecord) error {
	switch {
	case record.Reset:
		s.start()
	case record.Job != nil:
		j, err := record.Job.job()
		if err != nil {
			return err
		}
		s.add(j)
	}
	s.offset.Add(int64(record.Clock))
	for id, n := range record.Expired {
		if j := s.jobs[id]; j != nil {
			j.expired = n
		}
	}
	return nil
}

func (r *jobRecord) job() (*job, error) {
	document, ok := spec.BySlug(r.Slug)
	i := slices.IndexFunc(allVideos(), func(v *video) bool { return v.size() == r.Video })
	if !ok || i < 0 || len(r.Timeline) == 0 {
		return nil, fmt.Errorf("the job %s isn't one of this version", r.ID)
	}
	return &job{
		id: r.ID, token: r.Token, document: document, created: r.Created, timeline: Timeline(r.Timeline), video: allVideos()[i],
		key: r.Key, requestID: r.RequestID, httpID: r.HTTPID, credits: r.Credits,
		body: bodyRecord{r.BodySize, r.BodySHA256, r.Body}, responses: map[string][]byte{},
	}, nil
}

func (j *job) toRecord() *jobRecord {
	return &jobRecord{
		ID: j.id, Token: j.token, Slug: j.document.Slug, Created: j.created, Timeline: timelineValue(j.timeline), Video: j.video.size(),
		Key: j.key, RequestID: j.requestID, HTTPID: j.httpID, Credits: j.credits,
		Body: j.body.text, BodySize: j.body.size, BodySHA256: j.body.sha256,
	}
}

// save appends a record to the state file. The caller holds s.mu.
func (s *Simulator) save(record stateRecord) error {
	if s.state == nil {
		return nil
	}
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	_, err = s.state.Write(append(line, '\n'))
	return err
}
