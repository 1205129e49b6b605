package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/aimlvideo/wan-go/api"
)

// save saves the video of a line that this process has claimed, and calls OnSaved.
func (r *run) save(ctx context.Context, line row) {
	record, code, err := r.saveVideo(ctx, line)
	change := Change{CustomID: line.customID, State: Saved, GenerationID: line.generationID, File: record.File, Err: err}
	switch {
	case ctx.Err() != nil:
		r.move(ctx, line, `worker = '', lease_until = 0`)
		return
	case err == nil:
		if r.move(ctx, line, `state = 'saved', error_code = '', error = '', file = $5, usd = COALESCE($6, usd), finished_at = $7, missed = 0, reported = 0`,
			record.File, nullMicros(record.USD), nowMillis()) {
			r.changed(change)
		}
		return
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS):
		r.stop(fmt.Errorf("videos can't be saved: %w", err)) // before more is paid for
	}
	again := time.Now().Add(2 * time.Second << min(line.missed, 5))
	moved := r.move(ctx, line, `missed = $5, error_code = $6, error = $7, finished_at = $8, worker = '', lease_until = $9, reported = 0`,
		line.missed+1, code, errorText(err), nowMillis(), millis(again))
	if moved && line.missed+1 >= maxMissed {
		change.State = Completed
		r.changed(change)
	}
}

// execFailed marks a line whose video is in its file, but whose OnSaved has failed.
const execFailed = "exec"

// saveVideo downloads the video, for which a poll returns a fresh URL first.
func (r *run) saveVideo(ctx context.Context, line row) (record Record, code string, err error) {
	record = newRecord(line)
	record.File = r.path(line)
	if line.errorCode != execFailed {
		g, err := r.client.Job(line.generationID).Poll(ctx)
		if err != nil {
			return record, "poll", err
		}
		if g.Video == nil {
			return record, "download", api.ErrNoVideo
		}
		if usd := charged(g.Video.Usage); usd != nil {
			record.USD = usd
		}
		if err := makeDirectory(filepath.Dir(record.File)); err != nil {
			return record, "download", err
		}
		if err := g.Video.Save(ctx, record.File); err != nil {
			return record, "download", err
		}
	}
	if r.OnSaved != nil {
		if err := r.OnSaved(ctx, record); err != nil {
			return record, execFailed, err
		}
	}
	return record, "", nil
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// checkTemplate checks the path of the videos.
func checkTemplate(path string) error {
	if !strings.Contains(path, "{custom_id}") {
		return fmt.Errorf("output: %q is one file for all lines, put {custom_id} into it", path)
	}
	for _, p := range placeholder.FindAllString(path, -1) {
		if p != "{custom_id}" {
			return fmt.Errorf("output: unknown placeholder %s, want {custom_id}", p)
		}
	}
	return nil
}

// Directory returns the part of an output path that all videos share. It gets results.jsonl and errors.jsonl.
func Directory(output string) string {
	before, _, _ := strings.Cut(output, "{")
	return filepath.Dir(before + "x")
}

// safeName makes a custom id the name of a file, the same on every system.
func safeName(customID string) string {
	name := strings.Map(func(c rune) rune {
		if c < ' ' || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, customID)
	return strings.TrimLeft(name, ".-") // no hidden files, no flags
}

func (r *run) path(line row) string { return fillTemplate(r.Output, line.customID) }

func fillTemplate(output, customID string) string {
	return strings.ReplaceAll(output, "{custom_id}", safeName(customID))
}

// An OutputError reports videos that would overwrite each other, or files of others. Nothing was submitted.
type OutputError struct{ Problems []string }

func (e *OutputError) Error() string { return "output: " + strings.Join(e.Problems, "; ") }

// checkOutput refuses lines that would share a file, and files of others, before anything is paid. A process that joined
// finds the files of the others.
func (b *Batch) checkOutput(ctx context.Context, q querier, output string, joined bool) error {
	type named struct {
		customID string
		state    State
	}
	lines, err := collect(ctx, q, func(rows *sql.Rows) (n named, err error) { return n, rows.Scan(&n.customID, &n.state) },
		`SELECT custom_id, state FROM generation WHERE batch_id = $1 ORDER BY line`, b.id)
	if err != nil {
		return err
	}
	seen := make(map[string]string, len(lines))
	for _, file := range []string{ResultsFile, ErrorsFile, filepath.Base(b.path), filepath.Base(b.path) + "-wal", filepath.Base(b.path) + "-shm", filepath.Base(b.path) + ".lock"} {
		seen[strings.ToLower(filepath.Join(Directory(output), file))] = "the batch's own file"
	}
	var problems []string
	for _, line := range lines {
		path := fillTemplate(output, line.customID)
		name := strings.ToLower(path) // some file systems don't distinguish case
		if safeName(line.customID) == "" {
			problems = append(problems, fmt.Sprintf("custom_id %q can't be a file name", line.customID))
		} else if other, ok := seen[name]; ok {
			problems = append(problems, fmt.Sprintf("%s and %s would both be saved as %s", other, line.customID, path))
		} else if line.state == Pending && !joined {
			if _, err := os.Lstat(path); err == nil {
				problems = append(problems, fmt.Sprintf("%s exists but line %s hasn't been submitted", path, line.customID))
			}
		}
		seen[name] = line.customID
	}
	if problems != nil {
		return &OutputError{problems}
	}
	return nil
}
