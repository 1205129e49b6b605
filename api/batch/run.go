package batch

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// submitters is how many submissions are sent at once by one process. About as many lines are unknown after a crash.
const submitters = 8

// A run is one call of Run.
type run struct {
	options

	batch   *Batch
	client  *api.Client
	clock   clock
	worker  string
	results *results

	inFlight atomic.Int64
	wake     chan struct{}           // a line has changed, so there may be something to claim
	stop     context.CancelCauseFunc // ends the submissions, with the reason
}

// Run submits the pending lines, waits for the generations and saves the videos, within the limits. It returns when
// every line is saved, failed, rejected, canceled or finally unknown, or with a [*StoppedError]. The lines' own errors
// are in [Batch.Status] and errors.jsonl. When the context ends, Run returns soon, and nothing is lost: the next Run of
// any process goes on.
func (b *Batch) Run(ctx context.Context, client *api.Client, opts ...RunOption) error {
	o := options{output: "{custom_id}.mp4", concurrency: 10, searchTime: defaultSearch, onChange: func(Change) {}}
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return fmt.Errorf("batch: %w", err)
		}
	}
	unlock, err := b.lock(ctx)
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer unlock()
	r := &run{options: o, batch: b, client: client, worker: rand.Text(), wake: make(chan struct{}, 1)}
	if r.estimate == nil {
		r.estimate = r.estimateByClient
	}
	if err := r.prepare(ctx); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer r.results.close()
	return r.work(ctx)
}

// prepare checks what can be checked before anything is paid, and recovers what an earlier run has left.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.clock, err = newClock(r.batch.store, r.batch.id); err != nil {
		return err
	}
	if r.join {
		if r.output, err = r.batch.output(ctx); err != nil {
			return err
		}
	} else if r.output, err = filepath.Abs(r.output); err != nil {
		return err
	}
	if err := r.checkOutput(ctx); err != nil {
		return err
	}
	if err := r.price(ctx); err != nil {
		return err
	}
	if err := r.recover(ctx); err != nil {
		return err
	}
	if r.results, err = openResults(resultsDirectory(r.output), r.batch.pool == nil); err != nil {
		return err
	}
	return r.reportAll(ctx)
}

// recover writes the limits, and on SQLite, where this process is the only one, it makes submissions that nobody is
// waiting for unknown and sets all alarms anew.
func (r *run) recover(ctx context.Context) error {
	now := time.Now()
	return r.batch.transact(ctx, func(tx *sql.Tx) error {
		if !r.join {
			if err := exec(ctx, tx, `UPDATE batch SET started_at = $2, output = $3, concurrency = $4, rate = $5, max_usd = $6, until = $7,
				stop_after_failures = $8, paused_until = 0, pauses = 0, searched_at = 0 WHERE id = $1`, r.batch.id, millis(now), r.output,
				r.concurrency, r.rate, r.maxUSD, millis(r.until), r.stopAfterFailures); err != nil {
				return err
			}
			// What was given up in an earlier run is looked for once more, but not without logs.
			if err := exec(ctx, tx, `UPDATE generation SET search_until = $2 WHERE batch_id = $1 AND state = 'unknown' AND (search_until < $2 OR CAST($3 AS BIGINT) = 0)`,
				r.batch.id, millis(now.Add(min(oneMore, r.searchTime))), int64(r.searchTime)); err != nil {
				return err
			}
		}
		if r.batch.pool != nil {
			return nil
		}
		if err := r.expire(ctx, tx, now.Add(2*leaseTime)); err != nil {
			return err
		}
		if err := r.clock.reset(ctx, tx); err != nil {
			return err
		}
		if err := exec(ctx, tx, `UPDATE generation SET lease_until = 0 WHERE batch_id = $1 AND state = 'completed'`, r.batch.id); err != nil {
			return err
		}
		open, err := r.batch.rows(ctx, tx, `alarm_kind <> ''`)
		if err != nil {
			return err
		}
		alarms := make([]alarm, len(open))
		for i, line := range open {
			alarms[i] = alarm{line.alarmKind, line.line, line.alarm}
		}
		return r.clock.set(ctx, tx, now, alarms...)
	})
}

// work runs until all lines are done or the run is stopped.
func (r *run) work(ctx context.Context) error {
	hard, cancel := context.WithCancel(ctx)
	defer cancel()
	soft, stop := context.WithCancelCause(hard)
	r.stop = stop
	if err := r.clock.start(ctx, r.ring(hard)); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	var background sync.WaitGroup
	background.Go(func() {
		select {
		case <-r.drain:
			stop(errDrained)
		case <-soft.Done():
		}
	})
	background.Go(func() { r.keepLeases(hard) })
	if r.searchTime > 0 {
		background.Go(func() { r.search(soft) })
	}
	err := r.submitAll(soft, hard)
	stop(nil)
	r.clock.stop(ctx)
	cancel()
	background.Wait()
	if reportErr := r.reportAll(context.WithoutCancel(ctx)); err == nil && reportErr != nil {
		err = reportErr
	}
	return r.stopped(ctx, err)
}

var errDrained = errors.New("stopped")

// stopped words the end of a run that hasn't done all lines.
func (r *run) stopped(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	status, statusErr := r.batch.Status(context.WithoutCancel(ctx))
	e := &StoppedError{Reason: err.Error(), Err: err}
	if statusErr == nil {
		e.Pending, e.InFlight = status.States[Pending], status.States[InProgress]+status.States[Submitting]+status.States[Completed]
	}
	return e
}

// keepLeases tells the other processes that this one lives.
func (r *run) keepLeases(ctx context.Context) {
	for wire.Sleep(ctx, leaseTime/4) == nil {
		_ = r.batch.renew(ctx, r.worker) // the next one comes in time
	}
}

// changed reports a change of a line, and wakes the claim.
func (r *run) changed(c Change) {
	r.onChange(c)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
