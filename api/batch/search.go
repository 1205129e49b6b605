package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// defaultSearch is how long the logs are searched for an unknown line. A row may come only after the generation is over.
	defaultSearch = 30 * time.Minute
	// oneMore is how long each run searches once more for a line that an earlier one has given up.
	oneMore        = 20 * time.Second
	searchInterval = 10 * time.Second
)

// search looks in the account's logs for the lines whose outcome is unknown, for all of them in one pass, until none is
// left to look for. A submission that is found resumes; one that isn't found proves nothing.
func (r *run) search(ctx context.Context) {
	failing := false
	for wire.Sleep(ctx, time.Second) == nil {
		unknown, err := r.batch.rows(ctx, r.batch.db, `state = 'unknown' AND search_until > $2 ORDER BY submitting_at`, nowMillis())
		if err != nil || len(unknown) == 0 {
			continue
		}
		now := time.Now() // one of several processes searches
		if n, err := changed(ctx, r.batch.db, `UPDATE batch SET searched_at = $2 WHERE id = $1 AND searched_at <= $3`,
			r.batch.id, millis(now), millis(now.Add(-searchInterval))); err != nil || n == 0 {
			continue
		}
		err = r.searchOnce(ctx, unknown)
		if err != nil && !failing && ctx.Err() == nil { // the first one in a row
			r.changed(Change{Err: fmt.Errorf("search in the account's logs: %w", err)})
		}
		failing = err != nil
	}
}

// clockMargin is how far this machine's clock may be ahead of the API's, beyond what the client allows for.
const clockMargin = 10 * time.Minute

func (r *run) searchOnce(ctx context.Context, unknown []row) error {
	wanted := make(map[string]row, len(unknown))
	for _, line := range unknown {
		if line.generationID != "" { // polls denied it
			if _, err := r.resume(ctx, line, line.generationID); err != nil {
				return err
			}
			continue
		}
		wanted[wantedID(line, line.clientRequestID)] = line
	}
	if len(wanted) == 0 {
		return nil
	}
	for found, err := range r.client.Submissions(ctx, time.UnixMilli(unknown[0].submittingAt).Add(-clockMargin)) {
		if err != nil {
			return err
		}
		line, ok := wanted[found.ClientRequestID]
		if !ok {
			line, ok = wanted[anyAttempt(found.ClientRequestID)]
		}
		if !ok {
			continue
		}
		if line, err = r.identify(ctx, line, found.ClientRequestID); err != nil {
			return err
		}
		wanted[wantedID(line, found.ClientRequestID)] = line
		// The logs may leave out the model at the end of the id, or have it where the API doesn't.
		id := found.Job.ID()
		short, _, _ := strings.Cut(id, ":")
		taken, err := r.resume(ctx, line, id, short, short+":"+found.Model)
		if err != nil {
			return err
		}
		if taken {
			delete(wanted, wantedID(line, found.ClientRequestID))
		}
		if len(wanted) == 0 {
			return nil
		}
	}
	return nil
}

// recovered marks a line of a ledger that was lost: which of its attempts was accepted isn't known.
const recovered = "recovered"

// wantedID is what a line is looked for by: its client request id, or all of its attempts.
func wantedID(line row, clientRequestID string) string {
	if line.errorCode == recovered {
		return anyAttempt(clientRequestID)
	}
	return clientRequestID
}

// anyAttempt is a client request id without the attempt.
func anyAttempt(clientRequestID string) string {
	return clientRequestID[:strings.LastIndex(clientRequestID, ":")+1]
}

// identify gives a recovered line the client request id of a log row.
func (r *run) identify(ctx context.Context, line row, clientRequestID string) (row, error) {
	if line.clientRequestID == clientRequestID {
		return line, nil
	}
	err := exec(ctx, r.batch.db, `UPDATE generation SET client_request_id = $3 WHERE batch_id = $1 AND line = $2 AND state = 'unknown'`,
		r.batch.id, line.line, clientRequestID)
	line.clientRequestID = clientRequestID
	return line, err
}

// resume resumes an unknown line with the first of the generation ids that a poll proves: the row of the logs may be that
// of a request that was refused.
func (r *run) resume(ctx context.Context, line row, ids ...string) (taken bool, err error) {
	for _, id := range ids {
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

// Recover rebuilds the ledger of a batch whose lines have just been added again with its old id, from the account's
// logs since a time. Every line becomes unknown, with the last client request id that the logs know, so that the next
// Run looks for it and nothing is submitted by itself. It returns how many lines the logs know and how many they don't.
func (b *Batch) Recover(ctx context.Context, client *api.Client, since time.Time) (found, missing int, err error) {
	type attempt struct {
		number  int64
		created time.Time
	}
	last := map[string]attempt{} // by line key
	prefix := "wan:" + b.id + ":"
	for submission, err := range client.Submissions(ctx, since) {
		if err != nil {
			return 0, 0, fmt.Errorf("batch: %w", err)
		}
		rest, ours := strings.CutPrefix(submission.ClientRequestID, prefix)
		key, text, _ := strings.Cut(rest, ":")
		number, err := strconv.ParseInt(text, 10, 64)
		if ours && err == nil && number > last[key].number {
			last[key] = attempt{number, submission.Created}
		}
	}
	now := time.Now()
	err = b.transact(ctx, func(tx *sql.Tx) error {
		if n, err := b.count(ctx, tx, `submit_attempt > 0`); err != nil || n > 0 {
			return errors.Join(err, fmt.Errorf("batch: the ledger of %s isn't lost, %d of its lines were submitted", b.id, n))
		}
		rows, err := b.rows(ctx, tx, `state = 'pending'`)
		if err != nil {
			return err
		}
		for _, line := range rows {
			a, ok := last[lineKey(line.customID)]
			if ok {
				found++
			} else {
				missing++
				a = attempt{1, now}
			}
			// The logs may not have the last attempts yet, so new ones start above them.
			if err := exec(ctx, tx, `UPDATE generation SET state = 'unknown', submit_attempt = $3, client_request_id = $4, submitting_at = $5,
				search_until = $6, error_code = '`+recovered+`', error = 'the ledger was lost' WHERE batch_id = $1 AND line = $2`, b.id, line.line,
				a.number+100, clientRequestID(b.id, line.customID, a.number), millis(a.created), millis(now.Add(defaultSearch))); err != nil {
				return err
			}
		}
		return nil
	})
	return found, missing, err
}
