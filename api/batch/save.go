package batch

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// save saves the video of a line that this process has claimed, and calls OnSaved.
func (r *run) save(ctx context.Context, line row) {
	record, code, err := r.saveVideo(ctx, &line)
	change := Change{CustomID: line.customID, State: Saved, GenerationID: line.generationID, File: record.File, Err: err}
	switch {
	case err != nil && ctx.Err() != nil:
		r.move(ctx, line, `worker = '', lease_until = 0, file = $5, file_size = $6`, line.file, line.fileSize)
		return
	case err == nil:
		if r.move(ctx, line, `state = 'saved', error_code = '', error = '', file = $5, usd = COALESCE($6, usd), finished_at = $7, missed = 0, reported = 0`,
			record.File, nullMicros(record.USD), nowMillis()) {
			r.changed(change)
		}
		return
	case code == "download" && isLocal(err):
		r.stop(fmt.Errorf("videos can't be saved: %w", err)) // before more is paid for
	}
	again := time.Now().Add(2 * time.Second << min(line.missed, 5))
	moved := r.move(ctx, line, `missed = $5, error_code = $6, error = $7, finished_at = $8, worker = '', lease_until = $9, reported = 0, file = $10, file_size = $11`,
		line.missed+1, code, errorText(err), nowMillis(), millis(again), line.file, line.fileSize)
	if moved && line.missed+1 >= maxMissed {
		change.State = Completed
		r.changed(change)
	}
}

// isLocal reports whether a video can't be written on this machine, which would happen to the next one too. It isn't for
// an existing file, which is in the way of one line, nor for errors of the connection, which have error numbers as well.
func isLocal(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	input, named := errors.AsType[*api.InputError](err)
	_, path := errors.AsType[*fs.PathError](err)
	_, number := errors.AsType[syscall.Errno](err)
	return !network && !errors.Is(err, fs.ErrExist) && (named && input.Property == "path" || path || number)
}

// execFailed marks a line whose OnSaved has failed.
const execFailed = "exec"

// saveVideo saves the video, unless an earlier attempt has, and calls OnSaved. It updates the line's own file.
func (r *run) saveVideo(ctx context.Context, line *row) (record Record, code string, err error) {
	record = newRecord(*line)
	record.File = r.path(*line)
	if info, err := os.Stat(record.File); err != nil || line.file != record.File || line.fileSize == 0 || info.Size() != line.fileSize {
		usd, code, err := r.download(ctx, line, record.File)
		if err != nil {
			return record, code, err
		}
		if usd != nil {
			record.USD = usd
		}
	}
	if r.OnSaved != nil {
		if err := r.OnSaved(ctx, record); err != nil {
			return record, execFailed, err
		}
	}
	return record, "", nil
}

// download downloads the video of a line, for which a poll returns a fresh URL first. It overwrites no file but the
// line's own: the ledger notes it before the download, since the process may end behind it.
func (r *run) download(ctx context.Context, line *row, path string) (usd *float64, code string, err error) {
	g, err := r.client.Job(line.generationID).Poll(ctx)
	if err != nil {
		return nil, "poll", err
	}
	if g.Video == nil {
		return nil, "download", api.ErrNoVideo
	}
	if err := makeDirectory(filepath.Dir(path)); err != nil {
		return nil, "download", &api.InputError{Property: "path", Err: err}
	}
	var options []api.DownloadOption
	if line.file != path {
		if exists(path) {
			return nil, "download", fmt.Errorf("%s: %w", path, fs.ErrExist)
		}
		options = append(options, api.KeepExisting())
		if !r.move(ctx, *line, `file = $5, file_size = 0`, path) {
			return nil, "download", errors.New("the ledger can't be written")
		}
	}
	if err := g.Video.Save(ctx, path, options...); err != nil {
		return nil, "download", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, "download", err
	}
	line.file, line.fileSize = path, info.Size()
	return charged(g.Video.Usage), "", nil
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
		if !unicode.IsPrint(c) || strings.ContainsRune(`/\:*?"<>|`, c) {
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
	reported := sync.OnceValue(func() map[string]string { return b.reportedFiles(Directory(output)) })
	var problems []string
	for _, line := range lines {
		path := fillTemplate(output, line.customID)
		name := strings.ToLower(path) // some file systems don't distinguish case
		if safeName(line.customID) == "" {
			problems = append(problems, fmt.Sprintf("custom_id %q can't be a file name", line.customID))
		} else if other, ok := seen[name]; ok {
			problems = append(problems, redact.Line(fmt.Sprintf("%s and %s would both be saved as %s", other, line.customID, path)))
		} else if slices.Contains(unsaved, line.state) && !joined && exists(path) {
			own, err := b.owns(ctx, q, line.customID, path, reported())
			if err != nil {
				return err
			}
			if !own {
				problems = append(problems, redact.Line(fmt.Sprintf("%s exists but isn't the video of line %s", path, line.customID)))
			}
		}
		seen[name] = line.customID
	}
	if problems != nil {
		return &OutputError{problems}
	}
	return nil
}

// unsaved are the states of lines whose videos are to be saved.
var unsaved = []State{Pending, Submitting, InProgress, Completed, Unknown}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// owns reports whether a file is the line's own by the ledger or, if that was lost and rebuilt, by results.jsonl.
func (b *Batch) owns(ctx context.Context, q querier, customID, path string, reported map[string]string) (bool, error) {
	file, err := collect(ctx, q, scanString, `SELECT file FROM generation WHERE batch_id = $1 AND custom_id = $2`, b.id, customID)
	if err != nil || slices.Contains(file, path) {
		return true, err
	}
	if reported[customID] != filepath.Base(path) {
		return false, nil
	}
	return true, exec(ctx, q, `UPDATE generation SET file = $3 WHERE batch_id = $1 AND custom_id = $2`, b.id, customID, path)
}

// reportedFiles are the names of the files of the batch in results.jsonl, by custom id.
func (b *Batch) reportedFiles(directory string) map[string]string {
	files := map[string]string{}
	f, err := os.Open(filepath.Join(directory, ResultsFile))
	if err != nil {
		return files
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	for {
		var record Record
		if decoder.Decode(&record) != nil {
			return files
		}
		if strings.HasPrefix(record.ID, "wan:"+b.id+":") && record.File != "" {
			files[record.CustomID] = filepath.Base(record.File)
		}
	}
}
