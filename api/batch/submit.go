package batch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// workAll claims and handles lines until all lines of the batch are done, or until soft ends. What is under way ends with
// hard.
func (r *run) workAll(soft, hard context.Context) error {
	submits, saves := make(chan struct{}, submitters), make(chan struct{}, savers)
	var working sync.WaitGroup
	defer working.Wait()
	start := func(slots chan struct{}, handle func(context.Context, row), line row) {
		slots <- struct{}{}
		r.held.Store(line.line, true)
		working.Go(func() {
			handle(hard, line)
			r.held.Delete(line.line)
			<-slots
			r.wakeUp()
		})
	}
	for soft.Err() == nil {
		var c claimed
		err := r.persist(hard, func(ctx context.Context) (err error) {
			c, err = r.claim(ctx, cap(submits)-len(submits), cap(saves)-len(saves))
			return err
		})
		if err != nil {
			return fmt.Errorf("the ledger can't be written, so nothing more is submitted: %w", err)
		}
		for _, line := range c.save {
			start(saves, r.save, line)
		}
		for _, line := range c.submit {
			start(submits, r.submit, line)
		}
		if len(submits)+len(saves) == 0 {
			pending, open, err := r.batch.left(hard)
			switch {
			case err != nil: // the next round finds out
			case open == 0 && pending == 0:
				return nil
			case open == 0 && c.over:
				return errors.New(c.why)
			}
		}
		r.await(soft)
	}
	return context.Cause(soft)
}

// await waits until something has changed, or a second: limits end by time, and other processes change lines too.
func (r *run) await(ctx context.Context) {
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-r.wake:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// left counts the lines that are pending, and those that the engine is busy with.
func (b *Batch) left(ctx context.Context) (pending, open int64, err error) {
	if pending, err = b.count(ctx, b.db, `state = 'pending'`); err != nil {
		return 0, 0, err
	}
	open, err = b.count(ctx, b.db, `state IN ('submitting', 'in_progress', 'completed', 'unknown') AND NOT `+final, nowMillis())
	return pending, open, err
}

// persist makes a short change of the ledger. It isn't ended by the context, since what has happened has to be written
// down; the context ends only the retries.
func (r *run) persist(ctx context.Context, change func(context.Context) error) error {
	backoff := &wire.Backoff{First: 200 * time.Millisecond, Longest: 10 * time.Second}
	for attempt := 1; ; attempt++ {
		bounded, cancel := context.WithTimeout(r.late, 15*time.Second)
		err := change(bounded)
		cancel()
		const most = 10
		if err == nil || attempt == most {
			return err
		}
		if wire.Sleep(ctx, backoff.Next()) != nil {
			return err
		}
	}
}

// submit sends a claimed line and writes down what it led to.
func (r *run) submit(ctx context.Context, line row) {
	r.changed(Change{CustomID: line.customID, State: Submitting})
	var o outcome
	var pause time.Duration
	body, err := decodeBody(line.body)
	if err == nil && nowMillis()-line.claimedAt > leaseTime.Milliseconds()/4 { // after a suspend it may be another process's, or resolved
		if mine, leaseErr := r.renewLine(ctx, line.line); !mine || leaseErr != nil {
			_, _ = r.settle(ctx, line, outcome{state: Pending}) // unless it was resolved
			return
		}
	}
	if err != nil {
		o = outcome{state: Rejected, code: "input", err: err} // nothing was sent
	} else {
		job, err := r.client.Submit(ctx, body, api.WithClientRequestID(line.clientRequestID))
		o, pause = outcomeOf(job, err)
	}
	_, unreadable := errors.AsType[*fs.PathError](o.err)
	switch {
	case o.state == Rejected && unreadable: // another machine may have the file
		o.state, o.code = Pending, "no_file"
		r.stop(fmt.Errorf("a file of line %s can't be read on this machine: %w", redact.Line(line.customID), o.err))
	case o.state == Pending:
		r.postpone(ctx, o.err, pause)
	}
	ok := false
	err = r.persist(ctx, func(ctx context.Context) (err error) {
		ok, err = r.settle(ctx, line, o)
		return err
	})
	switch {
	case err != nil && o.generationID != "":
		r.stop(fmt.Errorf("generation %s of line %s is accepted but can't be written to the ledger: %w", o.generationID, line.customID, err))
	case err != nil:
		r.stop(fmt.Errorf("the ledger can't be written: %w", err))
	case !ok && o.generationID != "":
		o = outcome{state: Unknown, generationID: o.generationID, err: fmt.Errorf("generation %s was accepted for an attempt that was given up; resume it by its id", o.generationID)}
	case o.state == InProgress: // the row of pauses ends, if the line was claimed after them
		_ = exec(r.late, r.batch.db, `UPDATE batch SET pauses = 0 WHERE id = $1 AND pauses > 0 AND paused_until <= $2`, r.batch.id, line.submittingAt)
	}
	if errors.Is(o.err, api.ErrUnauthorized) {
		r.stop(o.err)
	}
	r.changed(Change{CustomID: line.customID, State: o.state, GenerationID: o.generationID, Err: o.err})
}

// postpone pauses all submissions for a while, and reports the first pause in a row.
func (r *run) postpone(ctx context.Context, reason error, pause time.Duration) {
	r.changing.Lock()
	r.pausedBy = reason
	r.changing.Unlock()
	first := false
	err := r.persist(ctx, func(ctx context.Context) (err error) {
		first, err = r.batch.pause(ctx, reason.Error(), pause)
		return err
	})
	if err == nil && first {
		r.changed(Change{Err: fmt.Errorf("submission is paused and resumes by itself once the API accepts it, generations in flight continue: %w", reason)})
	}
}

// outOfCredits finds the one kind of 403 that isn't about the line.
var outOfCredits = regexp.MustCompile(`(?i)credit|balance|fund|billing|quota|top.?up`)

// outcomeOf classifies the result of a submission. A pending outcome is one that is certain to have created nothing and
// isn't the line's fault: it pauses the batch.
func outcomeOf(job *api.Job, err error) (o outcome, pause time.Duration) {
	if err == nil {
		return outcome{state: InProgress, generationID: job.ID()}, 0
	}
	o = outcome{err: err, state: Unknown, code: "unknown"}
	if response, ok := errors.AsType[*api.ResponseError](err); ok {
		o.httpStatus, o.response, pause = response.StatusCode, response.Body, response.RetryAfter
	}
	if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
		if o.generationID = unknown.GenerationID; o.generationID != "" {
			o.state, o.code = InProgress, "" // the response named it, and the polls decide
		}
		return o, 0
	}
	if _, ok := errors.AsType[*api.NotSentError](err); ok {
		o.state, o.code = Pending, "not_sent"
		return o, pause
	}
	if _, ok := errors.AsType[*api.InputError](err); ok {
		o.state, o.code = Rejected, "input"
		return o, 0
	}
	if rejected, ok := errors.AsType[*api.RejectedError](err); ok {
		switch message := rejected.Err.Message; {
		case errors.Is(err, api.ErrTooManyRequests):
			o.state, o.code = Pending, "rate_limited"
		case errors.Is(err, api.ErrUnauthorized):
			o.state, o.code = Pending, "unauthorized"
		case errors.Is(err, api.ErrForbidden) && outOfCredits.MatchString(message):
			o.state, o.code = Pending, "out_of_credits"
		default:
			o.state, o.code, pause = Rejected, "rejected", 0
		}
	}
	return o, pause
}
