package batch

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// A State is how far a line is.
type State string

// The states. A line of state unknown may have been paid for: it counts as spent, is looked for in the account's logs,
// and is never submitted again unless the user says so.
const (
	Pending    State = "pending"     // not submitted yet
	Submitting State = "submitting"  // its client request id is in the ledger, the POST is under way
	InProgress State = "in_progress" // accepted; it has a generation id
	Completed  State = "completed"   // the video is there and charged, but not saved yet
	Saved      State = "saved"       // the video is in its file
	Failed     State = "failed"      // the generation failed; nothing is charged
	Rejected   State = "rejected"    // refused by the API or never sent; nothing is charged
	Unknown    State = "unknown"     // nobody knows whether it was accepted
	Canceled   State = "canceled"    // by the user
)

// A row is what the engine knows of a line.
type row struct {
	line                          int64
	customID, body                string
	state                         State
	attempt                       int64
	clientRequestID, generationID string
	alarm                         int64
	alarmKind                     alarmKind
	status                        string
	missed, price                 int64
	usd                           sql.NullInt64
	file                          string
	response                      string
	httpStatus                    int64
	errorCode, errorText          string
	submittingAt, acceptedAt      int64
	completedAt                   int64
}

const rowColumns = `line, custom_id, body, state, submit_attempt, COALESCE(client_request_id, ''), COALESCE(generation_id, ''), alarm, alarm_kind,
	status, missed, price, usd, file, response, http_status, error_code, error, submitting_at, accepted_at, completed_at`

func scanRow(rows *sql.Rows) (r row, err error) {
	return r, rows.Scan(&r.line, &r.customID, &r.body, &r.state, &r.attempt, &r.clientRequestID, &r.generationID, &r.alarm, &r.alarmKind,
		&r.status, &r.missed, &r.price, &r.usd, &r.file, &r.response, &r.httpStatus, &r.errorCode, &r.errorText, &r.submittingAt, &r.acceptedAt, &r.completedAt)
}

// rows returns the lines that a condition on their columns selects.
func (b *Batch) rows(ctx context.Context, q querier, condition string, args ...any) ([]row, error) {
	return collect(ctx, q, scanRow, `SELECT `+rowColumns+` FROM generation WHERE batch_id = $1 AND `+condition, append([]any{b.id}, args...)...)
}

// money is what a batch costs, in millionths of a dollar.
type money struct{ spent, reserved, unknown int64 }

func (m money) total() int64 { return m.spent + m.reserved + m.unknown }

// money sums up the rows: a counter beside them could go wrong.
func (b *Batch) money(ctx context.Context, q querier) (money, error) {
	all, err := collect(ctx, q, func(rows *sql.Rows) (m money, err error) { return m, rows.Scan(&m.spent, &m.reserved, &m.unknown) }, `SELECT
		CAST(COALESCE(SUM(COALESCE(usd, 0)), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN state IN ('submitting', 'in_progress') OR state IN ('completed', 'saved') AND usd IS NULL THEN price ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(lost + CASE WHEN state = 'unknown' THEN price ELSE 0 END), 0) AS BIGINT)
		FROM generation WHERE batch_id = $1`, b.id)
	if err != nil {
		return money{}, err
	}
	return all[0], nil
}

// leaseTime is how long a submission or a save belongs to its process without a sign of life.
const leaseTime = time.Minute

// expire makes submissions unknown whose process has died. Nearly all of them have reached the API.
func (r *run) expire(ctx context.Context, tx *sql.Tx, now time.Time) error {
	return exec(ctx, tx, `UPDATE generation SET state = 'unknown', search_until = $2, finished_at = $3, reported = 0,
		error_code = 'lost', error = 'the process ended between submission and response'
		WHERE batch_id = $1 AND state = 'submitting' AND lease_until < $3`, r.batch.id, millis(now.Add(r.searchTime)), millis(now))
}

// expireSaves sets the alarms of downloads anew whose process has died. River would wait for the longest download.
func (r *run) expireSaves(ctx context.Context, tx *sql.Tx, now time.Time) error {
	dead, err := r.batch.rows(ctx, tx, `state = 'completed' AND alarm_kind = 'save' AND lease_until > 0 AND lease_until < $2`, millis(now))
	if err != nil {
		return err
	}
	for _, line := range dead {
		if err := exec(ctx, tx, `UPDATE generation SET alarm = alarm + 1, lease_until = 0 WHERE batch_id = $1 AND line = $2`, r.batch.id, line.line); err != nil {
			return err
		}
		if err := r.batch.ringLater(ctx, tx, r.clock, line.line, saveAlarm, now); err != nil {
			return err
		}
	}
	return nil
}

// lease makes a save that of this process, until it has failed or the lease has expired.
func (r *run) lease(ctx context.Context, line row) error {
	return exec(ctx, r.batch.db, `UPDATE generation SET worker = $4, lease_until = $5 WHERE batch_id = $1 AND line = $2 AND alarm = $3`,
		r.batch.id, line.line, line.alarm, r.worker, millis(time.Now().Add(leaseTime)))
}

// renew keeps the submissions and saves of a process its own.
func (b *Batch) renew(ctx context.Context, worker string) error {
	return exec(ctx, b.db, `UPDATE generation SET lease_until = $3 WHERE batch_id = $1 AND state IN ('submitting', 'completed') AND worker = $2
		AND lease_until > 0`, b.id, worker, millis(time.Now().Add(leaseTime)))
}

// An outcome is what a submission led to.
type outcome struct {
	state        State
	generationID string
	code         string
	err          error
	httpStatus   int
	response     []byte
}

// settle writes the outcome of a submission, and sets the alarm of the first poll in the same transaction. A late
// response heals a line that became unknown meanwhile. It reports false if the line has moved on to another attempt.
func (r *run) settle(ctx context.Context, line row, o outcome) (ok bool, err error) {
	now := time.Now()
	err = r.batch.transact(ctx, func(tx *sql.Tx) error {
		if o.generationID != "" {
			twin, err := collect(ctx, tx, scanString, `SELECT custom_id FROM generation WHERE generation_id = $1 AND client_request_id <> $2`, o.generationID, line.clientRequestID)
			if err != nil {
				return err
			}
			if twin != nil {
				o = outcome{state: Unknown, code: "duplicate", err: fmt.Errorf("the API gave the generation id of %s, %s", twin[0], o.generationID)}
			}
		}
		var search, accepted, finished int64
		var kind alarmKind
		switch o.state {
		case InProgress:
			accepted, kind = millis(now), pollAlarm
		case Unknown:
			search, finished = millis(now.Add(r.searchTime)), millis(now)
		case Rejected, Failed:
			finished = millis(now)
		}
		n, err := changed(ctx, tx, `UPDATE generation SET state = $3, generation_id = $4, search_until = $5, accepted_at = $6, finished_at = $7,
			error_code = $8, error = $9, http_status = $10, response = $11, alarm = alarm + 1, alarm_kind = $12, missed = 0, reported = 0
			WHERE batch_id = $1 AND client_request_id = $2 AND state IN ('submitting', 'unknown')`,
			r.batch.id, line.clientRequestID, string(o.state), nullable(o.generationID), search, accepted, finished,
			o.code, errorText(o.err), o.httpStatus, string(o.response), string(kind))
		if ok = n > 0; err != nil || !ok || kind == "" {
			return err
		}
		return r.batch.ringLater(ctx, tx, r.clock, line.line, kind, now.Add(time.Second))
	})
	return ok, err
}

// ringLater sets the alarm that a line's row has just got.
func (b *Batch) ringLater(ctx context.Context, tx *sql.Tx, c clock, line int64, kind alarmKind, at time.Time) error {
	n, err := number(ctx, tx, `SELECT alarm FROM generation WHERE batch_id = $1 AND line = $2`, b.id, line)
	if err != nil {
		return err
	}
	return c.set(ctx, tx, at, alarm{kind, line, n})
}

// complete writes down that the video of an accepted line is there, and sets the alarm of its save.
func (b *Batch) complete(ctx context.Context, c clock, r row, status string, usd *float64, response []byte) error {
	now := time.Now()
	return b.transact(ctx, func(tx *sql.Tx) error {
		n, err := changed(ctx, tx, `UPDATE generation SET state = 'completed', status = $4, usd = $5, response = $6, completed_at = $7,
			alarm = alarm + 1, alarm_kind = 'save', lease_until = 0, missed = 0, error_code = '', error = ''
			WHERE batch_id = $1 AND line = $2 AND alarm = $3 AND state = 'in_progress'`,
			b.id, r.line, r.alarm, status, micros(usd), string(response), millis(now))
		if err != nil || n == 0 {
			return err
		}
		return b.ringLater(ctx, tx, c, r.line, saveAlarm, now)
	})
}

// finish writes the last state of an accepted line: saved, failed, or unknown.
func (b *Batch) finish(ctx context.Context, r row, o outcome, status, file string, usd *float64) error {
	now := millis(time.Now())
	return exec(ctx, b.db, `UPDATE generation SET state = $4, error_code = $5, error = $6, response = CASE WHEN $7 = '' THEN response ELSE $7 END,
		status = $8, file = $9, finished_at = $10, alarm_kind = '', reported = 0, missed = 0, usd = COALESCE($11, usd)
		WHERE batch_id = $1 AND line = $2 AND alarm = $3`,
		b.id, r.line, r.alarm, string(o.state), o.code, errorText(o.err), string(o.response), status, file, now, micros(usd))
}

// miss notes a poll or a save that failed. With giveUp, nothing is tried again by itself.
func (b *Batch) miss(ctx context.Context, r row, code string, err error, giveUp bool) error {
	kind := r.alarmKind
	var finished int64
	if giveUp {
		kind, finished = "", millis(time.Now())
	}
	return exec(ctx, b.db, `UPDATE generation SET missed = missed + 1, error_code = $4, error = $5, alarm_kind = $6, finished_at = $7, lease_until = 0
		WHERE batch_id = $1 AND line = $2 AND alarm = $3`, b.id, r.line, r.alarm, code, errorText(err), string(kind), finished)
}

// progress notes the status of a poll.
func (b *Batch) progress(ctx context.Context, r row, status string) error {
	return exec(ctx, b.db, `UPDATE generation SET status = $4, missed = 0, error_code = '', error = '' WHERE batch_id = $1 AND line = $2 AND alarm = $3`,
		b.id, r.line, r.alarm, status)
}

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// micros rounds up: a budget must hold.
func micros(usd *float64) sql.NullInt64 {
	if usd == nil {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: toMicros(*usd), Valid: true}
}

func toMicros(usd float64) int64 {
	n := int64(usd * dollar)
	if float64(n) < usd*dollar-1e-6 {
		n++
	}
	return n
}

// errorText is an error for the ledger. The client has redacted it.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	return redact.Line(err.Error())
}
