package batch

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A Record is the outcome of a line, as results.jsonl and errors.jsonl hold it: the output of OpenAI's batches with the
// file and the cost added.
type Record struct {
	// ID is the client request id of the last attempt.
	ID       string    `json:"id"`
	CustomID string    `json:"custom_id"`
	Response *Response `json:"response"`
	Error    *Error    `json:"error"`
	// File is where the video is.
	File string `json:"file,omitempty"`
	// USD is what the generation was charged; nil where the API hasn't reported it.
	USD *float64 `json:"usd,omitempty"`
	// State is that of the line.
	State State `json:"state"`
}

// A Response is the last one that the API gave about a line.
type Response struct {
	StatusCode int             `json:"status_code"`
	RequestID  string          `json:"request_id"` // the generation id
	Body       json.RawMessage `json:"body"`
}

// An Error is why there is no video.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func newRecord(line row) Record {
	r := Record{ID: line.clientRequestID, CustomID: line.customID, State: line.state}
	if line.response != "" {
		body := json.RawMessage(line.response)
		if !json.Valid(body) {
			body, _ = json.Marshal(line.response)
		}
		r.Response = &Response{cmp.Or(int(line.httpStatus), 200), line.generationID, body}
	}
	if line.errorCode+line.errorText != "" {
		r.Error = &Error{line.errorCode, line.errorText}
	}
	if line.usd.Valid {
		usd := float64(line.usd.Int64) / dollar
		r.USD = &usd
	}
	r.File = line.file
	return r
}

// final reports whether the outcome of a line goes to the files: nothing will change it by itself.
const final = `(state IN ('saved', 'failed', 'rejected', 'canceled') OR state = 'unknown' AND search_until <= $2 OR state = 'completed' AND alarm_kind = '')`

// The files beside the videos.
const (
	ResultsFile = "results.jsonl"
	ErrorsFile  = "errors.jsonl"
)

// results are the two files, to which lines are appended durably.
type results struct {
	mu           sync.Mutex
	good, bad    *os.File
	directory    string
	alreadyThere map[string]bool // lines that a crash has left in the files but not in the ledger
}

// openResults opens the files in a directory. The end of a line that a crash has cut off is removed, where no other
// process writes.
func openResults(directory string, alone bool) (*results, error) {
	if err := makeDirectory(directory); err != nil {
		return nil, err
	}
	r := &results{directory: directory}
	for name, file := range map[string]**os.File{ResultsFile: &r.good, ErrorsFile: &r.bad} {
		f, err := os.OpenFile(filepath.Join(directory, name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666) //nolint:gosec // the umask decides
		if err == nil && alone {
			err = dropPartialLine(f)
		}
		if err != nil {
			r.close()
			return nil, err
		}
		*file = f
	}
	return r, nil
}

func (r *results) close() {
	for _, f := range []*os.File{r.good, r.bad} {
		if f != nil {
			_ = f.Close()
		}
	}
}

func dropPartialLine(f *os.File) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	for at := end; at > 0; {
		n := min(at, int64(len(buffer)))
		at -= n
		if _, err := f.ReadAt(buffer[:n], at); err != nil {
			return err
		}
		if i := bytes.LastIndexByte(buffer[:n], '\n'); i >= 0 {
			if whole := at + int64(i) + 1; whole < end {
				return f.Truncate(whole)
			}
			return nil
		}
	}
	return f.Truncate(0)
}

// append writes a record to its file, and to the disk.
func (r *results) append(record Record) error {
	encoded, err := encodeRecord(record)
	if err != nil {
		return err
	}
	f := r.bad
	if record.State == Saved {
		f = r.good
	}
	if _, err := f.Write(encoded); err != nil {
		return err
	}
	return f.Sync()
}

func encodeRecord(record Record) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(record)
	return buffer.Bytes(), err
}

// has reports whether a crash came between the append and the note in the ledger.
func (r *results) has(record Record) bool {
	if r.alreadyThere == nil {
		r.alreadyThere = map[string]bool{}
		for _, f := range []*os.File{r.good, r.bad} {
			decoder := json.NewDecoder(io.NewSectionReader(f, 0, 1<<62))
			for {
				var one Record
				if decoder.Decode(&one) != nil {
					break
				}
				r.alreadyThere[one.ID+" "+string(one.State)] = true
			}
		}
	}
	return r.alreadyThere[record.ID+" "+string(record.State)]
}

// reportLine appends the outcome of a line to its file if it is final. A line that can't be written now is written by
// reportAll.
func (r *run) reportLine(ctx context.Context, line int64) {
	_ = r.report(context.WithoutCancel(ctx), `AND line = $3`, []any{line}, func(Record) bool { return false })
}

// reportAll appends what is final and hasn't been written.
func (r *run) reportAll(ctx context.Context) error {
	err := r.report(ctx, "", nil, r.results.has)
	if err != nil {
		return fmt.Errorf("%s: %w", r.results.directory, err)
	}
	return nil
}

func (r *run) report(ctx context.Context, condition string, args []any, written func(Record) bool) error {
	r.results.mu.Lock()
	defer r.results.mu.Unlock()
	rows, err := r.batch.rows(ctx, r.batch.db, final+` AND reported = 0 `+condition, append([]any{nowMillis()}, args...)...)
	if err != nil {
		return err
	}
	for _, line := range rows {
		// The note in the ledger comes first, and is committed after the append: no other process appends the line, and after
		// a crash in between it is found in the file.
		err := r.batch.transact(ctx, func(tx *sql.Tx) error {
			n, err := changed(ctx, tx, `UPDATE generation SET reported = 1 WHERE batch_id = $1 AND line = $2 AND state = $3 AND reported = 0`,
				r.batch.id, line.line, string(line.state))
			if record := newRecord(line); err == nil && n > 0 && !written(record) {
				err = r.results.append(record)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Export calls f with the record of every line that has an outcome, in the order of the lines.
func (b *Batch) Export(ctx context.Context, f func(Record) error) error {
	const page = 1000
	for last := int64(0); ; {
		rows, err := b.rows(ctx, b.db, final+` AND line > $3 ORDER BY line LIMIT 1000`, nowMillis(), last)
		if err != nil {
			return err
		}
		for _, line := range rows {
			if err := f(newRecord(line)); err != nil {
				return err
			}
			last = line.line
		}
		if len(rows) < page {
			return nil
		}
	}
}

// resultsDirectory is the part of an output template that all videos share.
func resultsDirectory(output string) string {
	before, _, _ := strings.Cut(output, "{")
	return filepath.Dir(before + "x")
}

func makeDirectory(path string) error {
	err := os.MkdirAll(path, 0o777) //nolint:gosec // the umask decides
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s isn't a directory", path)
	}
	return err
}
