package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Recorder is an http.RoundTripper that writes each API request and its response to a JSON file in a directory, from
// which a simulator replays them. It leaves out the API key, data URIs and the queries of URLs in bodies. Safe for
// concurrent use.
type Recorder struct {
	// Base sends the requests; http.DefaultTransport if nil.
	Base http.RoundTripper
	// Dir is the directory of the files.
	Dir string
	// OnError is called if a file can't be written; it may be nil.
	OnError func(error)

	number atomic.Int64
}

// A Recording is one file of a Recorder.
type Recording struct {
	Time         time.Time       `json:"time"`
	Method       string          `json:"method"`
	Path         string          `json:"path"`
	GenerationID string          `json:"generation_id,omitempty"`
	Status       int             `json:"status"`
	Body         json.RawMessage `json:"body,omitempty"` // of the response, if it is JSON
}

// RoundTrip sends the request. The file is written once the body of the response was read to its end or closed.
func (r *Recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	base := r.Base
	if base == nil {
		base = http.DefaultTransport
	}
	response, err := base.RoundTrip(request)
	if err != nil || !strings.HasSuffix(request.URL.Path, spec.Generation().Path) || response.StatusCode == http.StatusSwitchingProtocols {
		return response, err
	}
	recording := Recording{
		Time: time.Now().UTC(), Method: request.Method, Path: request.URL.Path,
		GenerationID: request.URL.Query().Get("generation_id"), Status: response.StatusCode,
	}
	redactor := redact.New(wire.BearerKey(request.Header))
	response.Body = &recordedBody{ReadCloser: response.Body, save: func(body []byte) { r.save(recording, redactor.Message(string(body))) }}
	return response, nil
}

func (r *Recorder) save(recording Recording, body string) {
	if json.Valid([]byte(body)) {
		recording.Body = json.RawMessage(body)
	}
	text, err := json.MarshalIndent(recording, "", "  ")
	if err == nil {
		err = os.MkdirAll(r.Dir, 0o700)
	}
	if err == nil {
		name := fmt.Sprintf("%s-%04d.json", recording.Time.Format("20060102T150405.000000000"), r.number.Add(1))
		err = os.WriteFile(filepath.Join(r.Dir, name), append(text, '\n'), 0o600)
	}
	if err != nil && r.OnError != nil {
		r.OnError(fmt.Errorf("record: %w", err))
	}
}

// maxRecorded caps the recorded part of a body.
const maxRecorded = 1 << 20

// A recordedBody keeps the beginning of a body while it is read.
type recordedBody struct {
	io.ReadCloser

	kept bytes.Buffer
	once sync.Once
	save func([]byte)
}

func (b *recordedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.kept.Write(p[:max(0, min(n, maxRecorded-b.kept.Len()))])
	if err != nil {
		b.finish()
	}
	return n, err
}

func (b *recordedBody) Close() error {
	b.finish()
	return b.ReadCloser.Close()
}

func (b *recordedBody) finish() { b.once.Do(func() { b.save(b.kept.Bytes()) }) }
