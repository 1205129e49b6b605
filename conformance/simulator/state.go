package simulator

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gofrs/flock"

	"github.com/aimlvideo/wan-go/spec"
)

// A stateRecord is one line of the state file.
type stateRecord struct {
	Job     *jobRecord     `json:"job,omitempty"`
	Expired map[string]int `json:"expired,omitempty"` // URLs by job
	Clock   durationValue  `json:"clock,omitzero"`    // an advance
	Reset   bool           `json:"reset,omitempty"`
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

// openState locks the state file, reads it and opens it for appending. A last line that is incomplete is removed: its
// request got no response.
func (s *Simulator) openState() (err error) {
	if s.statePath == "" {
		return nil
	}
	state := &stateFile{lock: flock.New(s.statePath + ".lock")}
	if ok, err := state.lock.TryLock(); err != nil || !ok {
		return cmp.Or(err, fmt.Errorf("another simulator uses %s", s.statePath))
	}
	defer func() {
		if err != nil {
			state.close()
		}
	}()
	if state.File, err = os.OpenFile(s.statePath, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	text, err := io.ReadAll(state)
	if err != nil {
		return err
	}
	number := 0
	for line := range bytes.Lines(text[:bytes.LastIndexByte(text, '\n')+1]) {
		number++
		var record stateRecord
		err := json.Unmarshal(line, &record)
		if err == nil {
			err = s.apply(record)
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.statePath, number, err)
		}
		state.size += int64(len(line))
	}
	s.state = state
	return state.rewind()
}

func (s *Simulator) apply(record stateRecord) error {
	if record.Reset {
		s.start()
	}
	if record.Job != nil {
		j := &job{jobRecord: *record.Job, responses: map[string][]byte{}}
		i := slices.IndexFunc(allVideos(), func(v *video) bool { return v.size() == j.Size })
		document, ok := spec.ByModel(j.Model)
		if !ok || i < 0 || len(j.Timeline) == 0 {
			return fmt.Errorf("the job %s isn't one of this version", j.ID)
		}
		j.document, j.video = document, allVideos()[i]
		s.add(j)
	}
	s.offset.Add(int64(record.Clock))
	for id, n := range record.Expired {
		if j := s.jobs[id]; j != nil {
			j.Expired = n
		}
	}
	return nil
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
	n, err := s.state.Write(append(line, '\n'))
	if err != nil { // such as a full disk: what follows begins a new line
		return cmp.Or(s.state.rewind(), err)
	}
	s.state.size += int64(n)
	return nil
}

// A stateFile is an open state file. The lock is a file of its own: on Windows, a locked file can't be written.
type stateFile struct {
	*os.File

	lock *flock.Flock
	size int64 // of whole lines
}

// rewind drops what follows the last whole line.
func (f *stateFile) rewind() error {
	_, err := f.Seek(f.size, io.SeekStart)
	return cmp.Or(f.Truncate(f.size), err)
}

func (f *stateFile) close() {
	f.Close()
	_ = f.lock.Close()
}

func (s *Simulator) closeState() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != nil {
		s.state.close()
		s.state = nil
	}
}
