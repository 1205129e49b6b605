package batch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// ring returns what the clock calls when an alarm is due: one poll, or one save. It ends with the run.
func (r *run) ring(run context.Context) func(context.Context, alarm) time.Duration {
	return func(ctx context.Context, a alarm) time.Duration {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(run, cancel)()
		rows, err := r.batch.rows(ctx, r.batch.db, `line = $2`, a.line)
		if err != nil {
			return wire.Jitter(longestPoll)
		}
		if len(rows) == 0 || rows[0].alarm != a.number || rows[0].alarmKind != a.kind {
			return 0 // an earlier alarm of a line that has moved on
		}
		if a.kind == pollAlarm {
			return r.poll(ctx, rows[0])
		}
		return r.save(ctx, rows[0])
	}
}

const (
	firstPoll   = time.Second
	longestPoll = 10 * time.Second
	// pollsPerSecond is what one process manages: above it, polls come less often instead of later and later.
	pollsPerSecond = 500
	// maxMissed is how often in a row the API may deny that it knows a generation, and how often a save may fail.
	maxMissed = 5
)

// interval grows with the age of a generation, as that of [api.Job.Wait] does.
func (r *run) interval(line row) time.Duration {
	age := time.Since(fromMillis(line.acceptedAt))
	longest := max(longestPoll, time.Duration(r.inFlight.Load())*time.Second/pollsPerSecond)
	return wire.Jitter(min(max(age/3, firstPoll), longest))
}

// poll asks once how far a generation is. It returns when to ask again, or 0.
func (r *run) poll(ctx context.Context, line row) time.Duration {
	g, err := r.client.Job(line.generationID).Poll(ctx)
	switch {
	case ctx.Err() != nil:
		return firstPoll
	case err != nil:
		return r.missedPoll(ctx, line, err)
	case g.Video != nil:
		err = r.persist(ctx, func(ctx context.Context) error {
			return r.batch.complete(ctx, r.clock, line, string(g.Status), g.Video.Usage.USD, g.Raw)
		})
		if err == nil {
			r.changed(Change{CustomID: line.customID, State: Completed, GenerationID: line.generationID})
		}
	case g.Failure != nil:
		o := outcome{state: Failed, code: cmp.Or(g.Failure.Name, "failed"), err: g.Failure, response: g.Raw}
		err = r.persist(ctx, func(ctx context.Context) error {
			return r.batch.finish(ctx, line, o, string(g.Status), "", nil)
		})
		if err == nil {
			r.changed(Change{CustomID: line.customID, State: Failed, GenerationID: line.generationID, Err: g.Failure})
			r.reportLine(ctx, line.line)
		}
	default:
		if string(g.Status) != line.status || line.missed > 0 {
			err = r.batch.progress(ctx, line, string(g.Status))
		}
		if err == nil {
			return r.interval(line)
		}
	}
	if err != nil { // the ledger can't be written; nothing is lost
		return wire.Jitter(longestPoll)
	}
	return 0
}

// missedPoll decides what a failed poll means. The generation goes on, whatever it is, unless the API denies again and
// again that there is one.
func (r *run) missedPoll(ctx context.Context, line row, err error) time.Duration {
	response, _ := errors.AsType[*api.ResponseError](err)
	if errors.Is(err, api.ErrTooManyRequests) {
		return max(response.RetryAfter, 2*r.interval(line))
	}
	again := line.missed + 1
	if errors.Is(err, api.ErrUnauthorized) && again >= maxMissed {
		r.stop(err)
	}
	if errors.Is(err, api.ErrNotFound) && again >= maxMissed && time.Since(fromMillis(line.acceptedAt)) > time.Minute {
		o := outcome{state: Unknown, code: "not_found", err: err}
		if r.persist(ctx, func(ctx context.Context) error { return r.batch.finish(ctx, line, o, line.status, "", nil) }) == nil {
			r.changed(Change{CustomID: line.customID, State: Unknown, GenerationID: line.generationID, Err: err})
			r.reportLine(ctx, line.line)
			return 0
		}
	}
	_ = r.batch.miss(ctx, line, "poll", err, false) // it is only shown
	return wire.Jitter(min(time.Duration(again)*longestPoll/2, time.Minute))
}

// save downloads a video, which is asked for a fresh URL first. It returns when to try again, or 0.
func (r *run) save(ctx context.Context, line row) time.Duration {
	if r.lease(ctx, line) != nil {
		return wire.Jitter(longestPoll)
	}
	record, code, err := r.saveVideo(ctx, line)
	if ctx.Err() != nil {
		return firstPoll
	}
	if err != nil {
		for _, full := range []error{syscall.ENOSPC, syscall.EROFS} {
			if errors.Is(err, full) {
				r.stop(fmt.Errorf("videos can't be saved: %w", full)) // before more is paid for
			}
		}
		giveUp := line.missed+1 >= maxMissed
		if r.persist(ctx, func(ctx context.Context) error { return r.batch.miss(ctx, line, code, err, giveUp) }) == nil && giveUp {
			r.changed(Change{CustomID: line.customID, State: Completed, GenerationID: line.generationID, Err: err})
			return 0
		}
		return wire.Jitter(2 * time.Second << min(line.missed, 5))
	}
	err = r.persist(ctx, func(ctx context.Context) error {
		return r.batch.finish(ctx, line, outcome{state: Saved}, line.status, record.File, record.USD)
	})
	if err != nil {
		return wire.Jitter(longestPoll)
	}
	r.changed(Change{CustomID: line.customID, State: Saved, GenerationID: line.generationID, File: record.File})
	r.reportLine(ctx, line.line)
	return 0
}

// execFailed marks a line whose video is in its file, but whose OnSaved has failed.
const execFailed = "exec"

func (r *run) saveVideo(ctx context.Context, line row) (record Record, code string, err error) {
	path := r.path(line)
	record = newRecord(line)
	record.File = path
	if line.errorCode != execFailed {
		g, err := r.client.Job(line.generationID).Poll(ctx)
		if err != nil {
			return record, "poll", err
		}
		if g.Video == nil {
			return record, "download", api.ErrNoVideo
		}
		if usd := g.Video.Usage.USD; usd != nil {
			record.USD = usd
		}
		if err := makeDirectory(filepath.Dir(path)); err != nil {
			return record, "download", err
		}
		if err := g.Video.Save(ctx, path); err != nil {
			return record, "download", err
		}
	}
	if r.onSaved != nil {
		if err := r.onSaved(ctx, record); err != nil {
			return record, execFailed, err
		}
	}
	return record, "", nil
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

func (r *run) path(line row) string {
	return strings.NewReplacer("{custom_id}", safeName(line.customID), "{line}", fmt.Sprint(line.line)).Replace(r.output)
}
