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
)

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
		rest, ok := strings.CutPrefix(submission.ClientRequestID, prefix)
		key, text, ok2 := strings.Cut(rest, ":")
		number, err := strconv.ParseInt(text, 10, 64)
		if ok && ok2 && err == nil && number > last[key].number {
			last[key] = attempt{number, submission.Created}
		}
	}
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	now := time.Now()
	err = b.transact(ctx, func(tx *sql.Tx) error {
		if n, err := number(ctx, tx, `SELECT COUNT(*) FROM generation WHERE batch_id = $1 AND submit_attempt > 0`, b.id); err != nil || n > 0 {
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
			if err := exec(ctx, tx, `UPDATE generation SET state = 'unknown', submit_attempt = $3, client_request_id = $4, submitting_at = $5,
				search_until = $6, error_code = 'recovered', error = 'the ledger was lost' WHERE batch_id = $1 AND line = $2`, b.id, line.line,
				a.number, clientRequestID(b.id, line.customID, a.number), millis(a.created), millis(now.Add(defaultSearch))); err != nil {
				return err
			}
		}
		return nil
	})
	return found, missing, err
}
