package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A hold is why no line, or no further line, was claimed.
type hold struct {
	reason string
	// over means that no line will be claimed any more in this run, unless a generation in flight fails.
	over bool
}

// claim takes up to most lines for submission by this process, within the limits of the batch. When it returns, their
// client request ids are on disk: only then may a byte be sent. River has no limits across processes, so they are here.
func (r *run) claim(ctx context.Context, most int) (claimed []row, why hold, err error) {
	now := time.Now()
	err = r.batch.transact(ctx, func(tx *sql.Tx) error {
		// This update is the lock of the claim: on Postgres, further processes wait here.
		if err := exec(ctx, tx, `UPDATE batch SET touched_at = $2 WHERE id = $1`, r.batch.id, millis(now)); err != nil {
			return err
		}
		if err := errors.Join(r.expire(ctx, tx, now), r.expireSaves(ctx, tx, now)); err != nil {
			return err
		}
		l, err := r.batch.limits(ctx, tx)
		if err != nil {
			return err
		}
		free, h, err := r.free(ctx, tx, l, now)
		if err != nil || free == 0 {
			why = h
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
			if l.maxUSD > 0 && line.price > budget {
				why = hold{fmt.Sprintf("the next line would exceed --max-usd %s", dollars(l.maxUSD)), true}
				break
			}
			budget -= line.price
			if err := r.submitting(ctx, tx, &line, now); err != nil {
				return err
			}
			claimed = append(claimed, line)
		}
		return nil
	})
	if err != nil {
		return nil, hold{}, err
	}
	return claimed, why, nil
}

// submitting writes the claim of one line.
func (r *run) submitting(ctx context.Context, tx *sql.Tx, line *row, now time.Time) error {
	line.attempt++
	line.clientRequestID = clientRequestID(r.batch.id, line.customID, line.attempt)
	n, err := changed(ctx, tx, `UPDATE generation SET state = 'submitting', client_request_id = $3, submit_attempt = submit_attempt + 1,
		lease_until = $4, worker = $5, submitting_at = $6, error_code = '', error = '', finished_at = 0
		WHERE batch_id = $1 AND line = $2 AND state = 'pending'`,
		r.batch.id, line.line, line.clientRequestID, millis(now.Add(leaseTime)), r.worker, millis(now))
	if err == nil && n != 1 {
		err = fmt.Errorf("line %s is no longer pending", line.customID)
	}
	return err
}

// limits are those of the batch, for all of its processes.
type limits struct {
	concurrency, rate, maxUSD, until, stopAfterFailures int64
	started, pausedUntil                                int64
	pauseReason                                         string
}

func (b *Batch) limits(ctx context.Context, q querier) (limits, error) {
	all, err := collect(ctx, q, func(rows *sql.Rows) (l limits, err error) {
		return l, rows.Scan(&l.concurrency, &l.rate, &l.maxUSD, &l.until, &l.stopAfterFailures, &l.started, &l.pausedUntil, &l.pauseReason)
	}, `SELECT concurrency, rate, max_usd, until, stop_after_failures, started_at, paused_until, pause_reason FROM batch WHERE id = $1`, b.id)
	if err != nil || len(all) == 0 {
		return limits{}, err
	}
	return all[0], nil
}

// free returns how many lines may be claimed, the budget aside.
func (r *run) free(ctx context.Context, tx *sql.Tx, l limits, now time.Time) (int64, hold, error) {
	count := func(condition string, args ...any) (int64, error) {
		return number(ctx, tx, `SELECT COUNT(*) FROM generation WHERE batch_id = $1 AND `+condition, append([]any{r.batch.id}, args...)...)
	}
	inFlight, err := count(`state IN ('submitting', 'in_progress')`)
	if err != nil {
		return 0, hold{}, err
	}
	r.inFlight.Store(inFlight)
	switch {
	case l.until > 0 && millis(now) >= l.until:
		return 0, hold{"--until is over", true}, nil
	case l.pausedUntil > millis(now):
		return 0, hold{reason: "paused until " + fromMillis(l.pausedUntil).Format(time.TimeOnly) + ": " + l.pauseReason}, nil
	case inFlight >= l.concurrency:
		return 0, hold{reason: fmt.Sprintf("%d are in flight", inFlight)}, nil
	}
	free := l.concurrency - inFlight
	if l.stopAfterFailures > 0 {
		failures, err := count(`state IN ('failed', 'rejected') AND finished_at >= $2`, l.started)
		if err != nil {
			return 0, hold{}, err
		}
		if failures >= l.stopAfterFailures {
			return 0, hold{fmt.Sprintf("%d lines have failed", failures), true}, nil
		}
	}
	if l.rate > 0 {
		recent, err := count(`submitting_at > $2`, millis(now.Add(-time.Minute)))
		if err != nil {
			return 0, hold{}, err
		}
		if free = min(free, l.rate-recent); free <= 0 {
			return 0, hold{reason: fmt.Sprintf("%d were submitted within a minute", recent)}, nil
		}
	}
	return free, hold{}, nil
}

// pause keeps all processes from submitting for a while. It grows with each pause in a row.
func (b *Batch) pause(ctx context.Context, reason string, atLeast time.Duration) error {
	return b.transact(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		pauses, err := number(ctx, tx, `SELECT pauses FROM batch WHERE id = $1`, b.id)
		if err != nil {
			return err
		}
		d := max(atLeast, min(5*time.Second<<min(pauses, 6), 5*time.Minute))
		// Those that were under way when the first one was paused don't count again.
		return exec(ctx, tx, `UPDATE batch SET paused_until = $2, pause_reason = $3, pauses = pauses + 1 WHERE id = $1 AND paused_until <= $4`,
			b.id, millis(now.Add(d)), reason, millis(now))
	})
}

// resume ends the row of pauses.
func (b *Batch) resume(ctx context.Context) error {
	return exec(ctx, b.db, `UPDATE batch SET pauses = 0 WHERE id = $1 AND pauses > 0`, b.id)
}

func dollars(micros int64) string { return fmt.Sprintf("$%.2f", float64(micros)/dollar) }
