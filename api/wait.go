package api

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Progress is what a wait knows after a poll.
type Progress struct {
	GenerationID string
	// Status is the last one heard of; empty if no poll has succeeded yet.
	Status Status
	// Polls counts the attempts, and Elapsed is the time since the wait began.
	Polls   int
	Elapsed time.Duration
	// Missed counts the polls that failed in a row, and Err is why the last one did. 0 and nil after a good one.
	Missed int
	Err    error
}

// maxMissed is how many polls in a row may fail before a wait gives up.
const maxMissed = 10

// wait is one call of Wait.
type wait struct {
	job        *Job
	onProgress func(Progress)
	progress   Progress
}

// Wait polls until the video is there and returns it. The interval grows from about 1 second to 10 (see
// [WithPollInterval]); a Retry-After of the server is honoured up to a minute, and an answer 429 slows down all waits of
// the Client for a while. A failed poll is a missed poll: only ten in a row end the wait. Wait has no limit of time but
// the context's, at whose end it returns at once.
//
// The error is a [*FailedError] if the generation has failed, an [*InputError] if the job has no id, and else a
// [*WaitError]: the generation may still be running, and another Wait goes on. Answers 4xx, but for 408, 425 and 429,
// end the wait at once, and so does a generation that is completed without a video ([ErrNoVideo]).
func (j *Job) Wait(ctx context.Context, opts ...WaitOption) (*Video, error) {
	if j.err != nil {
		return nil, j.err
	}
	w := &wait{job: j, progress: Progress{GenerationID: j.id}}
	for _, opt := range opts {
		opt.applyToWait(w)
	}
	start := time.Now()
	b := newBackoff(j.client.firstInterval, j.client.longestInterval)
	for {
		g, hint, err := j.poll(ctx)
		w.progress.Polls++
		w.progress.Elapsed = time.Since(start)
		if ctx.Err() != nil && (g == nil || !g.Done()) {
			return nil, w.end(ctx.Err())
		}
		w.observe(ctx, g, err)
		switch {
		case err != nil && isFinal(err):
			return nil, w.end(err)
		case err != nil && w.progress.Missed >= maxMissed:
			return nil, w.end(fmt.Errorf("%d polls in a row failed, the last one: %w", maxMissed, err))
		case err == nil && g.Video != nil:
			return g.Video, nil
		case err == nil && g.Failure != nil:
			return nil, g.Failure
		}
		if errors.Is(err, ErrTooManyRequests) {
			j.client.pace.tooMany()
		}
		if err := sleep(ctx, max(j.client.pace.slow(b.next()), hint)); err != nil {
			w.progress.Elapsed = time.Since(start)
			return nil, w.end(err)
		}
	}
}

// observe takes note of a poll and tells of it.
func (w *wait) observe(ctx context.Context, g *Generation, err error) {
	logger := w.job.client.logger
	if err != nil {
		w.progress.Missed++
		w.progress.Err = err
		logger.WarnContext(ctx, "poll failed", "generation", w.job.id, "in_a_row", w.progress.Missed, "error", err)
	} else {
		w.progress.Missed, w.progress.Err = 0, nil
		w.progress.Status = g.Status
		logger.DebugContext(ctx, "poll", "generation", w.job.id, "status", g.Status, "listed", g.Status.Valid())
	}
	if w.onProgress != nil {
		w.onProgress(w.progress)
	}
}

func (w *wait) end(err error) *WaitError {
	p := w.progress
	return &WaitError{GenerationID: p.GenerationID, Status: p.Status, Polls: p.Polls, Elapsed: p.Elapsed, Err: err}
}
