package batch

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// defaultSearch is how long the logs are searched for an unknown line. A row may come only after the generation is over.
	defaultSearch = 30 * time.Minute
	// oneMore is how long each run searches once more for a line that an earlier one has given up.
	oneMore = 20 * time.Second
	// The searches come less often as long as no further line becomes unknown.
	shortestSearch = 5 * time.Second
	longestSearch  = time.Minute
)

// search looks in the account's logs for the lines whose outcome is unknown, for all of them in one pass, until none is
// left to look for. A submission that is found goes on; one that isn't found proves nothing.
func (r *run) search(ctx context.Context) {
	interval, newest := shortestSearch, int64(0)
	for wire.Sleep(ctx, time.Second) == nil {
		unknown, err := r.batch.rows(ctx, r.batch.db, `state = 'unknown' AND search_until > $2 ORDER BY submitting_at`, nowMillis())
		if err != nil {
			continue
		}
		if len(unknown) == 0 {
			_ = r.reportAll(ctx) // those whose search is over
			continue
		}
		if last := unknown[len(unknown)-1].submittingAt; last > newest {
			interval, newest = shortestSearch, last
		}
		if !r.mySearch(ctx, interval) {
			continue
		}
		if err := r.searchOnce(ctx, unknown); err != nil && ctx.Err() == nil {
			r.changed(Change{Err: fmt.Errorf("search in the account's logs: %w", err)})
		}
		interval = min(2*interval, longestSearch)
	}
}

// mySearch lets one of several processes search, once in an interval.
func (r *run) mySearch(ctx context.Context, interval time.Duration) bool {
	now := time.Now()
	n, err := changed(ctx, r.batch.db, `UPDATE batch SET searched_at = $2 WHERE id = $1 AND searched_at <= $3`,
		r.batch.id, millis(now), millis(now.Add(-interval)))
	return err == nil && n > 0
}

func (r *run) searchOnce(ctx context.Context, unknown []row) error {
	wanted := make(map[string]row, len(unknown))
	for _, line := range unknown {
		wanted[line.clientRequestID] = line
	}
	for found, err := range r.client.Submissions(ctx, fromMillis(unknown[0].submittingAt)) {
		if err != nil {
			return err
		}
		line, ok := wanted[found.ClientRequestID]
		if !ok {
			continue
		}
		taken, err := r.takeUp(ctx, line, found)
		if err != nil {
			return err
		}
		if !taken {
			continue
		}
		if delete(wanted, found.ClientRequestID); len(wanted) == 0 {
			return nil
		}
	}
	return nil
}

// takeUp lets an unknown line go on with the generation of a log row. Only a poll proves that there is one: the row may
// be that of a request that was refused. The logs may leave out the model at the end of the id.
func (r *run) takeUp(ctx context.Context, line row, found *api.FoundSubmission) (taken bool, err error) {
	for _, id := range []string{found.Job.ID(), found.Job.ID() + ":" + found.Model} {
		if _, err := r.client.Job(id).Poll(ctx); err != nil {
			continue
		}
		err = r.persist(ctx, func(ctx context.Context) (err error) {
			taken, err = r.settle(ctx, line, outcome{state: InProgress, generationID: id})
			return err
		})
		if taken {
			r.changed(Change{CustomID: line.customID, State: InProgress, GenerationID: id})
		}
		return taken, err
	}
	return false, nil
}

// Retry makes lines go on that have ended without a video: failed and rejected ones are submitted again, videos that
// weren't saved are saved, and unknown ones are looked for in the logs once more, but never submitted. Without ids it is
// for all of them. It returns how many there are; the next Run does the work.
func (b *Batch) Retry(ctx context.Context, ids ...string) (int, error) {
	n, err := b.forLines(ctx, ids, `state IN ('failed', 'rejected', 'unknown') OR state = 'completed' AND alarm_kind = ''`, func(tx *sql.Tx, c clock, line row) error {
		switch line.state {
		case Completed:
			if err := exec(ctx, tx, `UPDATE generation SET alarm = alarm + 1, alarm_kind = 'save', lease_until = 0, missed = 0, finished_at = 0, reported = 0
				WHERE batch_id = $1 AND line = $2`, b.id, line.line); err != nil {
				return err
			}
			return b.ringLater(ctx, tx, c, line.line, saveAlarm, time.Now())
		case Unknown:
			return exec(ctx, tx, `UPDATE generation SET search_until = $3, reported = 0 WHERE batch_id = $1 AND line = $2`,
				b.id, line.line, millis(time.Now().Add(defaultSearch)))
		default:
			return b.reset(ctx, tx, line)
		}
	})
	return n, err
}

// Resubmit makes unknown lines pending again: the user has decided that they may be paid a second time. Their estimates
// go on counting as spent.
func (b *Batch) Resubmit(ctx context.Context, ids ...string) (int, error) {
	return b.forLines(ctx, ids, `state = 'unknown'`, func(tx *sql.Tx, _ clock, line row) error { return b.reset(ctx, tx, line) })
}

// Cancel gives up pending and unknown lines. An unknown one may run and be charged all the same.
func (b *Batch) Cancel(ctx context.Context, ids ...string) (int, error) {
	return b.forLines(ctx, ids, `state IN ('pending', 'unknown')`, func(tx *sql.Tx, _ clock, line row) error {
		return exec(ctx, tx, `UPDATE generation SET state = 'canceled', lost = lost + CASE WHEN state = 'unknown' THEN price ELSE 0 END,
			finished_at = $3, reported = 0 WHERE batch_id = $1 AND line = $2`, b.id, line.line, nowMillis())
	})
}

// reset makes a line pending. Its generation, if any, stays in the API's and our own logs.
func (b *Batch) reset(ctx context.Context, tx *sql.Tx, line row) error {
	return exec(ctx, tx, `UPDATE generation SET state = 'pending', lost = lost + CASE WHEN state = 'unknown' THEN price ELSE 0 END,
		generation_id = NULL, alarm_kind = '', status = '', usd = NULL, finished_at = 0, reported = 0, missed = 0
		WHERE batch_id = $1 AND line = $2`, b.id, line.line)
}

// forLines changes the lines with the ids, or all, that a condition selects, in one transaction. It is an error if one
// of the ids isn't among them.
func (b *Batch) forLines(ctx context.Context, ids []string, condition string, change func(*sql.Tx, clock, row) error) (n int, err error) {
	c, err := newClock(b.store, b.id)
	if err != nil {
		return 0, err
	}
	return n, b.transact(ctx, func(tx *sql.Tx) error {
		rows, err := b.rows(ctx, tx, `(`+condition+`) ORDER BY line`)
		if err != nil {
			return err
		}
		wanted := map[string]bool{}
		for _, id := range ids {
			wanted[id] = true
		}
		for _, line := range rows {
			if len(ids) > 0 && !wanted[line.customID] {
				continue
			}
			if err := change(tx, c, line); err != nil {
				return err
			}
			n++
			delete(wanted, line.customID)
		}
		for id := range wanted {
			return fmt.Errorf("batch: no line %.100q in a state that allows it", id)
		}
		return nil
	})
}
