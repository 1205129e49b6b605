package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// pendingAgain makes a line pending. Its generation, if any, stays in the API's and our own logs, and an unknown one still
// counts as spent.
const pendingAgain = `lost = lost + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END, state = 'pending', generation_id = NULL, status = '',
	usd = NULL, finished_at = 0, missed = 0`

// ErrNoLine reports an id for which there is no line in a state that allows a decision.
var ErrNoLine = errors.New("no line in a state that allows it")

// Retry resumes lines that have ended without a video: failed and rejected ones are submitted again, videos that
// weren't saved are saved, and unknown ones are looked for in the logs once more, but never submitted. Without ids it is
// for all of them. It returns how many there are; the next Run does the work.
func (b *Batch) Retry(ctx context.Context, ids ...string) (int, error) {
	return b.decide(ctx, ids, map[State]string{
		Failed: pendingAgain, Rejected: pendingAgain,
		Unknown:   fmt.Sprintf(`search_until = %d`, millis(time.Now().Add(defaultSearch))),
		Completed: `missed = 0, lease_until = 0`,
	})
}

// Resubmit makes unknown lines pending again: the user has decided that they may be paid a second time. Their estimates
// still count as spent.
func (b *Batch) Resubmit(ctx context.Context, ids ...string) (int, error) {
	return b.decide(ctx, ids, map[State]string{Unknown: pendingAgain})
}

// Cancel gives up pending and unknown lines. An unknown one may run and be charged all the same.
func (b *Batch) Cancel(ctx context.Context, ids ...string) (int, error) {
	canceled := fmt.Sprintf(`lost = lost + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END, state = 'canceled', finished_at = %d`, nowMillis())
	return b.decide(ctx, ids, map[State]string{Pending: canceled, Unknown: canceled})
}

// decide changes the lines with the ids, or all of them, that are in one of the states and have ended, in one transaction.
// It is an error if one of the ids isn't among them.
func (b *Batch) decide(ctx context.Context, ids []string, assignments map[State]string) (n int, err error) {
	err = b.transact(ctx, func(tx *sql.Tx) error {
		wanted := map[string]bool{}
		for _, id := range ids {
			wanted[id] = true
		}
		for state, assignment := range assignments {
			rows, err := b.rows(ctx, tx, `state = $2 AND (state <> 'completed' OR missed >= $3) ORDER BY line`, string(state), maxMissed)
			if err != nil {
				return err
			}
			for _, line := range rows {
				if len(ids) > 0 && !wanted[line.customID] {
					continue
				}
				done, err := changed(ctx, tx, `UPDATE generation SET reported = 0, `+assignment+` WHERE batch_id = $1 AND line = $2 AND state = $3`,
					b.id, line.line, string(state))
				if err != nil {
					return err
				}
				if done > 0 { // a claim or a late response may have changed it
					n++
					delete(wanted, line.customID)
				}
			}
		}
		for id := range wanted {
			return fmt.Errorf("batch: %.100q: %w", id, ErrNoLine)
		}
		return nil
	})
	return n, err
}
