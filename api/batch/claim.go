package batch

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// claimed is what this process has to do next.
type claimed struct {
	submit, save []row
	// why says why no line, or no further line, is submitted. over means that none will be in this run.
	why  string
	over bool
}

// claim takes lines for submission, within the limits of the batch, and videos to save. When it returns, the client
// request ids are on disk: only then may a byte be sent. River has no limits across processes, so they are here.
func (r *run) claim(ctx context.Context, submits, saves int) (c claimed, err error) {
	// After a suspend, the leases of this process come first.
	if time.Since(r.lastClaim) > leaseTime/2 {
		r.renew(ctx)
	}
	r.lastClaim = time.Now().Round(0) // the monotonic clock stands still meanwhile
	err = r.batch.transact(ctx, func(tx *sql.Tx) (err error) {
		c = claimed{}
		if err := r.batch.lockRow(ctx, tx); err != nil {
			return err
		}
		now, err := r.batch.now(ctx, tx)
		if err != nil {
			return err
		}
		if err := r.expire(ctx, tx, now); err != nil {
			return err
		}
		c.save, err = collect(ctx, tx, scanRow, `UPDATE generation SET worker = $3, lease_until = $4 WHERE batch_id = $1 AND line IN (
			SELECT line FROM generation WHERE batch_id = $1 AND state = 'completed' AND missed < $5 AND lease_until <= $2 ORDER BY completed_at LIMIT $6)
			RETURNING `+rowColumns, r.batch.id, millis(now), r.worker, millis(now.Add(leaseTime)), maxMissed, saves)
		if err != nil {
			return err
		}
		return r.claimSubmissions(ctx, tx, &c, submits, now)
	})
	return c, err
}

func (r *run) claimSubmissions(ctx context.Context, tx *sql.Tx, c *claimed, most int, now time.Time) error {
	l, err := r.batch.limits(ctx, tx)
	if err != nil {
		return err
	}
	free, err := r.free(ctx, tx, c, l, now)
	if err != nil || free == 0 {
		return err
	}
	pending, err := r.batch.rows(ctx, tx, `state = 'pending' ORDER BY line LIMIT $2`, min(int64(most), free))
	if err != nil {
		return err
	}
	budget := l.maxUSD
	if budget > 0 {
		m, err := r.batch.money(ctx, tx)
		if err != nil {
			return err
		}
		budget -= m.total()
	}
	for _, line := range pending {
		if l.maxUSD > 0 && line.price == 0 { // another process has just added it
			c.why, c.over = "a line has no estimate yet", true
			break
		}
		if l.maxUSD > 0 && line.price > budget {
			c.why, c.over = fmt.Sprintf("the next line would exceed the budget of $%.2f", dollars(l.maxUSD)), true
			break
		}
		budget -= line.price
		line.attempt, line.submittingAt, line.claimedAt = line.attempt+1, millis(now), nowMillis()
		line.clientRequestID = clientRequestID(r.batch.id, line.customID, line.attempt)
		n, err := changed(ctx, tx, `UPDATE generation SET state = 'submitting', client_request_id = $3, submit_attempt = $4, lease_until = $5,
			worker = $6, submitting_at = $7, error_code = '', error = '', finished_at = 0 WHERE batch_id = $1 AND line = $2 AND state = 'pending'`,
			r.batch.id, line.line, line.clientRequestID, line.attempt, millis(now.Add(leaseTime)), r.worker, line.submittingAt)
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		c.submit = append(c.submit, line)
	}
	return nil
}

// lockRow locks the batch for the transaction: on Postgres, other processes wait.
func (b *Batch) lockRow(ctx context.Context, tx *sql.Tx) error {
	return exec(ctx, tx, `UPDATE batch SET id = id WHERE id = $1`, b.id)
}

// limits are those of the batch, for all of its processes.
type limits struct {
	concurrency, rate, maxUSD, until, stopAfterFailures int64
	started, pausedUntil, pauses                        int64
	pauseReason, output                                 string
}

func (b *Batch) limits(ctx context.Context, q querier) (l limits, err error) {
	return l, q.QueryRowContext(ctx, `SELECT concurrency, rate, max_usd, until, stop_after_failures, started_at, paused_until, pauses, pause_reason, output
		FROM batch WHERE id = $1`, b.id).Scan(&l.concurrency, &l.rate, &l.maxUSD, &l.until, &l.stopAfterFailures, &l.started, &l.pausedUntil, &l.pauses,
		&l.pauseReason, &l.output)
}

// free returns how many lines may be submitted, the budget aside.
func (r *run) free(ctx context.Context, tx *sql.Tx, c *claimed, l limits, now time.Time) (int64, error) {
	inFlight, err := r.batch.count(ctx, tx, `state IN ('submitting', 'in_progress')`)
	if err != nil {
		return 0, err
	}
	r.inFlight.Store(inFlight)
	switch {
	case l.until > 0 && millis(now) >= l.until:
		c.why, c.over = "the deadline has passed", true
		return 0, nil
	case l.pausedUntil > millis(now), inFlight >= l.concurrency:
		return 0, nil
	}
	free := l.concurrency - inFlight
	if l.stopAfterFailures > 0 {
		failures, err := r.batch.count(ctx, tx, `state IN ('failed', 'rejected') AND finished_at >= $2`, l.started)
		if err != nil {
			return 0, err
		}
		if failures >= l.stopAfterFailures {
			c.why, c.over = fmt.Sprintf("%d lines have failed", failures), true
			return 0, nil
		}
	}
	if l.rate > 0 {
		recent, err := r.batch.count(ctx, tx, `submitting_at > $2`, millis(now.Add(-time.Minute)))
		if err != nil {
			return 0, err
		}
		free = max(0, min(free, l.rate-recent))
	}
	return free, nil
}

// pause keeps all processes from submitting for a while, which grows with each pause in a row. It reports whether this
// is the first one.
func (b *Batch) pause(ctx context.Context, reason string, atLeast time.Duration) (first bool, err error) {
	err = b.transact(ctx, func(tx *sql.Tx) error {
		now, err := b.now(ctx, tx)
		if err != nil {
			return err
		}
		pauses, err := number(ctx, tx, `SELECT pauses FROM batch WHERE id = $1`, b.id)
		if err != nil {
			return err
		}
		d := max(atLeast, min(5*time.Second<<min(pauses, 6), 5*time.Minute))
		// Those that were under way when the first one was paused don't count again.
		n, err := changed(ctx, tx, `UPDATE batch SET paused_until = $2, pause_reason = $3, pauses = pauses + 1 WHERE id = $1 AND paused_until <= $4`,
			b.id, millis(now.Add(d)), reason, millis(now))
		first = n > 0 && pauses == 0
		return err
	})
	return first, err
}

// expire makes submissions unknown whose process has died. Nearly all of them have reached the API.
func (r *run) expire(ctx context.Context, tx *sql.Tx, now time.Time) error {
	return exec(ctx, tx, `UPDATE generation SET state = 'unknown', search_until = $2, finished_at = $3, reported = 0,
		error_code = 'lost', error = 'the process ended between submission and response'
		WHERE batch_id = $1 AND state = 'submitting' AND lease_until < $3`, r.batch.id, millis(now.Add(r.Search)), millis(now))
}
