package batch

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	if line.state == Saved {
		r.File = line.file
	}
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
		r.USD = new(dollars(line.usd.Int64))
	}
	return r
}

// final says that nothing will change the outcome of a line by itself. $2 is the time.
const final = `(state IN ('saved', 'failed', 'rejected', 'canceled') OR state = 'unknown' AND search_until <= $2 OR state = 'completed' AND missed >= 5)` // maxMissed

// The files beside the videos.
const (
	ResultsFile = "results.jsonl"
	ErrorsFile  = "errors.jsonl"
)

// results are the two files, to which records are appended durably, each once.
type results struct{ good, bad resultFile }

type resultFile struct {
	*os.File

	records map[string]bool // to be appended
	end     int64           // of what the ledger knows to be written
}

func openResults(directory string) (r *results, err error) {
	if err := makeDirectory(directory); err != nil {
		return nil, err
	}
	r = &results{}
	const flags = os.O_RDWR | os.O_CREATE | os.O_APPEND
	if r.good.File, err = os.OpenFile(filepath.Join(directory, ResultsFile), flags, 0o666); err != nil { //nolint:gosec // the umask decides
		return nil, err
	}
	if r.bad.File, err = os.OpenFile(filepath.Join(directory, ErrorsFile), flags, 0o666); err != nil { //nolint:gosec // the umask decides
		_ = r.good.Close()
		return nil, err
	}
	return r, nil
}

func (r *results) close() {
	_ = r.good.Close()
	_ = r.bad.Close()
}

// append writes records to the file, and to the disk. What a crash has left behind the end that is known may be the same
// records, or a part of a line, which is removed.
func (f *resultFile) append() (end int64, err error) {
	end = f.end
	reader := bufio.NewReader(io.NewSectionReader(f.File, f.end, 1<<62))
	for {
		line, err := reader.ReadString('\n')
		if errors.Is(err, io.EOF) {
			if line != "" {
				if err := f.Truncate(end); err != nil {
					return 0, err
				}
			}
			break
		}
		if err != nil {
			return 0, err
		}
		end += int64(len(line))
		delete(f.records, line)
	}
	if len(f.records) == 0 {
		return end, nil
	}
	text := strings.Join(slices.Sorted(maps.Keys(f.records)), "")
	if _, err := f.WriteString(text); err != nil {
		return 0, err
	}
	return end + int64(len(text)), f.Sync()
}

// report appends the lines with an outcome that haven't been reported. The ledger's note is committed after the append:
// if a crash comes in between, the next report finds the records in the file. The lock keeps other processes from
// appending meanwhile.
func (r *run) report(ctx context.Context) error {
	good, bad := &r.results.good, &r.results.bad
	if n, err := r.batch.count(ctx, r.batch.db, `reported = 0 AND `+final, nowMillis()); err != nil || n == 0 {
		return err
	}
	var goodEnd, badEnd int64
	err := r.batch.transact(ctx, func(tx *sql.Tx) error {
		if err := r.batch.lockRow(ctx, tx); err != nil {
			return err
		}
		rows, err := collect(ctx, tx, scanRow, `UPDATE generation SET reported = 1 WHERE batch_id = $1 AND reported = 0 AND `+final+` RETURNING `+rowColumns, r.batch.id, nowMillis())
		if err != nil {
			return err
		}
		good.records, bad.records = map[string]bool{}, map[string]bool{}
		for _, line := range rows {
			var text strings.Builder
			encoder := json.NewEncoder(&text)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(newRecord(line)); err != nil {
				return err
			}
			if line.state == Saved {
				good.records[text.String()] = true
			} else {
				bad.records[text.String()] = true
			}
		}
		if goodEnd, err = good.append(); err != nil {
			return err
		}
		badEnd, err = bad.append()
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Dir(good.Name()), err)
	}
	good.end, bad.end = goodEnd, badEnd
	return nil
}

// Export calls f with the record of every line that has an outcome, in the order of the lines.
func (b *Batch) Export(ctx context.Context, f func(Record) error) error {
	for last := int64(0); ; {
		rows, err := b.rows(ctx, b.db, final+` AND line > $3 ORDER BY line LIMIT 1000`, nowMillis(), last)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, line := range rows {
			if err := f(newRecord(line)); err != nil {
				return err
			}
			last = line.line
		}
	}
}

func makeDirectory(path string) error {
	err := os.MkdirAll(path, 0o777) //nolint:gosec // the umask decides
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s isn't a directory", path)
	}
	return err
}
