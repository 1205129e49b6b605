package batch

import (
	"cmp"
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
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// Options configure [Batch.Run]. The zero value has the defaults. Limits hold for all processes together.
type Options struct {
	// Output is the file of each video, in which {custom_id} stands for that of the line; {custom_id}.mp4 if empty. The
	// directory before it also gets results.jsonl and errors.jsonl.
	Output string
	// Concurrency is how many generations may be in flight; 0 is 10.
	Concurrency int
	// Rate is how many submissions are sent per minute; 0 is no limit.
	Rate int
	// MaxUSD stops submitting where the next line could make the batch cost more: what is spent, estimated for what is in
	// flight, and estimated for lines of state unknown count. It needs an estimate for every line. 0 is no limit.
	MaxUSD float64
	// Price is what a generation costs in dollars where the API doesn't say; 0 makes that an error.
	Price float64
	// Until stops submitting at a time.
	Until time.Time
	// StopAfterFailures stops submitting once so many lines have failed or were rejected in this run; 0 is no limit.
	StopAfterFailures int
	// Search is how long Run looks in the account's logs for a line whose outcome is unknown: a row may come only after the
	// generation is over. 0 is 30 minutes; if it is negative, such a line stays unknown at once.
	Search time.Duration
	// Join makes Run help another process, with the limits and the output that are in the database.
	Join bool
	// Drain makes Run stop softly once it is closed: nothing more is submitted, requests and downloads under way are
	// finished, and Run returns. The next Run resumes.
	Drain <-chan struct{}
	// OnSaved is called with each saved video, from several goroutines. The line is saved when it returns nil.
	OnSaved func(context.Context, Record) error
	// OnChange is called with each change of state that this process makes, one call at a time. It may call the batch, but
	// work waits for it.
	OnChange func(Change)
}

// Validate checks the options. Run does so too.
func (o Options) Validate() error {
	switch {
	case o.Concurrency < 0:
		return fmt.Errorf("concurrency: %d, want at least 1", o.Concurrency)
	case o.Rate < 0:
		return fmt.Errorf("rate: %d, want at least 0", o.Rate)
	case !(o.MaxUSD >= 0 && o.MaxUSD < 1e9):
		return fmt.Errorf("budget: %v, want an amount in dollars", o.MaxUSD)
	case !(o.Price >= 0 && o.Price < 1e9):
		return fmt.Errorf("price: %v, want an amount in dollars", o.Price)
	case o.StopAfterFailures < 0:
		return fmt.Errorf("stop after failures: %d, want at least 0", o.StopAfterFailures)
	}
	return checkTemplate(cmp.Or(o.Output, defaultOutput))
}

const defaultOutput = "{custom_id}.mp4"

// A Change is a line that has changed its state, or trouble of the run where CustomID is empty.
type Change struct {
	CustomID     string
	State        State
	GenerationID string
	File         string
	Err          error
}

// Reason describes Err in one line, without what State says. It is empty if there is no error.
func (c Change) Reason() string { return errorText(c.Err) }

// A StoppedError reports that Run has ended before all lines were done. The next Run resumes.
type StoppedError struct {
	// Pending, InFlight count the lines that are left; both are 0 if the database doesn't say.
	Pending, InFlight int
	// Err is the reason.
	Err error
}

func (e *StoppedError) Error() string {
	if e.Pending+e.InFlight == 0 {
		return fmt.Sprintf("batch: %v; the next run resumes", e.Err)
	}
	return fmt.Sprintf("batch: %v; %d pending, %d in flight: the next run resumes", e.Err, e.Pending, e.InFlight)
}

func (e *StoppedError) Unwrap() error { return e.Err }

var errDrained = errors.New("stopped")

// submitters and savers are how many submissions and downloads one process has under way. About as many lines as
// submitters are unknown after a crash.
const submitters, savers = 8, 8

// A run is one call of Run.
type run struct {
	Options

	batch   *Batch
	client  *api.Client
	clock   *clock
	worker  string
	results *results

	inFlight  atomic.Int64
	lastClaim time.Time
	held      sync.Map                // the lines that this process is submitting or saving
	changing  sync.Mutex              // held by OnChange
	pausedBy  error                   // why the last submission was put off; guarded by changing
	wake      chan struct{}           // a line has changed, so there may be something to claim
	stop      context.CancelCauseFunc // ends the submissions, with the reason
	late      context.Context         // ends a while after that of Run: what has happened is written down, if the database answers
}

// Run submits the pending lines, waits for the generations and saves the videos, within the limits. It returns when
// every line is saved, failed, rejected, canceled or finally unknown, or with a [*StoppedError]. The lines' own errors
// are in [Batch.Status] and errors.jsonl. When the context ends, Run returns soon, and nothing is lost: the next Run of
// any process resumes.
func (b *Batch) Run(ctx context.Context, client *api.Client, o Options) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	o.Output, o.Concurrency, o.Search = cmp.Or(o.Output, defaultOutput), cmp.Or(o.Concurrency, 10), max(cmp.Or(o.Search, defaultSearch), 0)
	unlock, err := b.lock()
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer unlock()
	hard, cancel := context.WithCancel(ctx)
	defer cancel()
	late, end := afterwards(ctx)
	defer end()
	r := &run{Options: o, batch: b, client: client, worker: rand.Text(), wake: make(chan struct{}, 1), late: late}
	r.clock, err = newClock(b.store, b.id, func(ctx context.Context, a alarm) time.Duration {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(hard, cancel)()
		return r.ring(ctx, a)
	})
	if err == nil {
		err = r.prepare(ctx)
	}
	if err != nil {
		return fmt.Errorf("batch: %w", err)
	}
	defer r.results.close()
	err = r.work(ctx, hard)
	cancel()
	ctx, cancelEnd := context.WithTimeout(r.late, grace)
	defer cancelEnd()
	if reportErr := r.report(ctx); err == nil {
		err = reportErr
	}
	if err == nil {
		return nil
	}
	if l, limitsErr := b.limits(ctx, b.db); limitsErr == nil && l.pauses > 0 && r.pausedBy != nil && !errors.Is(err, r.pausedBy) {
		err = fmt.Errorf("%w while nothing could be submitted: %w", err, r.pausedBy)
	}
	stopped := &StoppedError{Err: err}
	if status, err := b.Status(ctx); err == nil {
		stopped.Pending, stopped.InFlight = status.States[Pending], status.States[InProgress]+status.States[Submitting]+status.States[Completed]
	}
	return stopped
}

// grace is how long the ledger is written after the end of a context, in all.
const grace = 5 * time.Second

// afterwards returns a context that ends a while after ctx does.
func afterwards(ctx context.Context) (late context.Context, end context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = wire.Sleep(late, grace)
		cancel()
	})
	return late, func() {
		stop()
		cancel()
	}
}

// prepare checks what can be checked before anything is paid, and recovers what an earlier run has left.
func (r *run) prepare(ctx context.Context) (err error) {
	if r.Join {
		l, err := r.batch.limits(ctx, r.batch.db)
		if err != nil {
			return err
		}
		if r.Output = l.output; r.Output == "" {
			return fmt.Errorf("batch %s hasn't been run yet", r.batch.id)
		}
	} else if r.Output, err = filepath.Abs(r.Output); err != nil {
		return err
	}
	if err := r.batch.checkOutput(ctx, r.batch.db, r.Output, r.Join); err != nil {
		return err
	}
	if err := r.price(ctx); err != nil {
		return err
	}
	if err := r.recover(ctx); err != nil {
		return err
	}
	if r.results, err = openResults(Directory(r.Output)); err != nil {
		return err
	}
	return r.report(ctx)
}

var errNoEstimate = errors.New("no price is known, so the budget can't be kept")

// price estimates what lines cost that aren't charged yet, if there is a budget to keep.
func (r *run) price(ctx context.Context) error {
	if r.MaxUSD == 0 || r.Join {
		return nil
	}
	rows, err := r.batch.rows(ctx, r.batch.db, `price = 0 AND (lost > 0 OR usd IS NULL AND state NOT IN ('failed', 'rejected', 'canceled')) ORDER BY line`)
	if err != nil {
		return err
	}
	prices := make([]int64, len(rows))
	catalogue := map[string]*api.Price{}
	for i, line := range rows {
		body, err := decodeBody(line.body)
		if err != nil {
			continue // it will be rejected without being sent
		}
		usd, err := r.estimate(ctx, catalogue, body)
		if err != nil && r.Price == 0 {
			return fmt.Errorf("line %s: %w: %w", line.customID, errNoEstimate, err)
		}
		if err != nil {
			usd = r.Price
		}
		prices[i] = max(1, micros(usd)) // 0 is a line without an estimate
	}
	return r.batch.transact(ctx, func(tx *sql.Tx) error {
		for i, line := range rows {
			if err := exec(ctx, tx, `UPDATE generation SET price = $3 WHERE batch_id = $1 AND line = $2`, r.batch.id, line.line, prices[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// estimate estimates a request. A property that it leaves out has the spec's default.
func (r *run) estimate(ctx context.Context, catalogue map[string]*api.Price, body map[string]any) (usd float64, err error) {
	model := fmt.Sprint(body["model"])
	if catalogue[model] == nil {
		if catalogue[model], err = r.client.Price(ctx, model); err != nil {
			return 0, err
		}
	}
	if document, ok := spec.ByModel(model); ok {
		for _, p := range document.Properties() {
			if _, set := body[p.Name]; !set && p.Schema.Default != nil {
				body[p.Name] = p.Schema.Default
			}
		}
	}
	estimate, err := catalogue[model].Estimate(body)
	if err == nil && estimate.USD == nil {
		err = errors.New(estimate.Reason)
	}
	if err != nil {
		return 0, err
	}
	return *estimate.USD, nil
}

// recover writes the limits, and on SQLite, where this process is the only one, it makes submissions that nobody is
// waiting for unknown and sets all alarms anew.
func (r *run) recover(ctx context.Context) error {
	now := time.Now()
	return r.batch.transact(ctx, func(tx *sql.Tx) error {
		if !r.Join {
			if err := exec(ctx, tx, `UPDATE batch SET started_at = $2, output = $3, concurrency = $4, rate = $5, max_usd = $6, until = $7,
				stop_after_failures = $8, paused_until = 0, pauses = 0, searched_at = 0 WHERE id = $1`, r.batch.id, millis(now), r.Output,
				r.Concurrency, r.Rate, micros(r.MaxUSD), millis(r.Until), r.StopAfterFailures); err != nil {
				return err
			}
			// What was given up in an earlier run is looked for once more, but not without logs.
			if err := exec(ctx, tx, `UPDATE generation SET search_until = $2 WHERE batch_id = $1 AND state = 'unknown' AND (search_until < $2 OR CAST($3 AS BIGINT) = 0)`,
				r.batch.id, millis(now.Add(min(oneMore, r.Search))), int64(r.Search)); err != nil {
				return err
			}
			// Saves that were given up are tried again.
			if err := exec(ctx, tx, `UPDATE generation SET missed = 0, lease_until = 0 WHERE batch_id = $1 AND state = 'completed' AND missed >= $2`, r.batch.id, maxMissed); err != nil {
				return err
			}
		}
		const inProgress = `SELECT line, generation_id FROM generation WHERE batch_id = $1 AND state = 'in_progress'`
		scan := func(rows *sql.Rows) (a alarm, err error) { return a, rows.Scan(&a.line, &a.generation) }
		if !r.batch.alone() { // only those whose alarm is lost: River discards jobs of a kind that it doesn't know
			alarms, err := collect(ctx, tx, scan, inProgress+` AND generation_id NOT IN (SELECT args->>'generation' FROM river_job
				WHERE queue = $2 AND state IN ('available', 'scheduled', 'retryable', 'running'))`, r.batch.id, r.clock.queue)
			if err != nil {
				return err
			}
			return r.clock.set(ctx, tx, now, alarms...)
		}
		if err := r.expire(ctx, tx, now.Add(2*leaseTime)); err != nil {
			return err
		}
		if err := exec(ctx, tx, `UPDATE generation SET lease_until = 0 WHERE batch_id = $1 AND state = 'completed'`, r.batch.id); err != nil {
			return err
		}
		if err := r.clock.reset(ctx, tx); err != nil {
			return err
		}
		alarms, err := collect(ctx, tx, scan, inProgress, r.batch.id)
		if err != nil {
			return err
		}
		return r.clock.set(ctx, tx, now, alarms...)
	})
}

// work runs until all lines are done or the run is stopped.
func (r *run) work(ctx, hard context.Context) error {
	soft, stop := context.WithCancelCause(hard)
	r.stop = stop
	if err := r.clock.start(ctx); err != nil {
		return err
	}
	var background sync.WaitGroup
	background.Go(func() {
		select {
		case <-r.Drain:
			stop(errDrained)
		case <-soft.Done():
		}
	})
	leases, released := context.WithCancel(hard)
	background.Go(func() {
		for wire.Sleep(leases, leaseTime/4) == nil {
			r.renew(leases)
		}
	})
	background.Go(func() {
		for wire.Sleep(soft, time.Second) == nil {
			_ = r.report(soft) // at the end, Run returns the error
		}
	})
	if r.Search > 0 {
		background.Go(func() { r.search(soft) })
	}
	err := r.workAll(soft, hard)
	stop(nil)
	r.clock.stop(ctx, r.late)
	released()
	background.Wait()
	return err
}

// changed reports a change of a line, and wakes the claim.
func (r *run) changed(c Change) {
	if r.OnChange != nil {
		r.changing.Lock()
		r.OnChange(c)
		r.changing.Unlock()
	}
	r.wakeUp()
}

func (r *run) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
