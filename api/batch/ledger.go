package batch

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/api"
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
	status                        string
	missed, price                 int64
	usd                           sql.NullInt64
	file                          string
	fileSize                      int64
	response                      string
	httpStatus                    int64
	errorCode, errorText          string
	submittingAt, acceptedAt      int64
	claimedAt                     int64 // by this machine's clock; not a column
}

const rowColumns = `line, custom_id, body, state, submit_attempt, COALESCE(client_request_id, ''), COALESCE(generation_id, ''),
	status, missed, price, usd, file, file_size, response, http_status, error_code, error, submitting_at, accepted_at`

func scanRow(rows *sql.Rows) (r row, err error) {
	return r, rows.Scan(&r.line, &r.customID, &r.body, &r.state, &r.attempt, &r.clientRequestID, &r.generationID,
		&r.status, &r.missed, &r.price, &r.usd, &r.file, &r.fileSize, &r.response, &r.httpStatus, &r.errorCode, &r.errorText, &r.submittingAt, &r.acceptedAt)
}

// rows returns the lines that a condition on their columns selects.
func (b *Batch) rows(ctx context.Context, q querier, condition string, args ...any) ([]row, error) {
	return collect(ctx, q, scanRow, `SELECT `+rowColumns+` FROM generation WHERE batch_id = $1 AND `+condition, append([]any{b.id}, args...)...)
}

func (b *Batch) count(ctx context.Context, q querier, condition string, args ...any) (int64, error) {
	return number(ctx, q, `SELECT COUNT(*) FROM generation WHERE batch_id = $1 AND `+condition, append([]any{b.id}, args...)...)
}

// money is what a batch costs, in millionths of a dollar.
type money struct{ spent, reserved, unknown int64 }

func (m money) total() int64 { return m.spent + m.reserved + m.unknown }

// money sums up the rows: a counter beside them could go wrong.
func (b *Batch) money(ctx context.Context, q querier) (m money, err error) {
	return m, q.QueryRowContext(ctx, `SELECT
		CAST(COALESCE(SUM(COALESCE(usd, 0)), 0) AS BIGINT),
		CAST(COALESCE(SUM(CASE WHEN state IN ('submitting', 'in_progress') OR state IN ('completed', 'saved') AND usd IS NULL THEN price ELSE 0 END), 0) AS BIGINT),
		CAST(COALESCE(SUM(price * (lost + CASE WHEN state = 'unknown' THEN 1 ELSE 0 END)), 0) AS BIGINT)
		FROM generation WHERE batch_id = $1`, b.id).Scan(&m.spent, &m.reserved, &m.unknown)
}

const (
	// leaseTime is how long a submission or a save belongs to its process without being renewed.
	leaseTime = time.Minute
	// maxMissed is how often in a row the API may deny that it knows a generation, and how often a save may fail.
	maxMissed = 5
)

// renew renews the leases of the lines that this process is submitting or saving. A line isn't among them if the claim was
// committed although its commit has failed.
func (r *run) renew(ctx context.Context) {
	r.held.Range(func(line, _ any) bool {
		_, _ = r.renewLine(ctx, line.(int64)) // the next one comes in time
		return true
	})
}

// renewLine reports whether the line is still leased by this process.
func (r *run) renewLine(ctx context.Context, line int64) (bool, error) {
	now, err := r.batch.now(ctx, r.batch.db)
	if err != nil {
		return false, err
	}
	n, err := changed(ctx, r.batch.db, `UPDATE generation SET lease_until = $4 WHERE batch_id = $1 AND line = $2 AND state IN ('submitting', 'completed') AND worker = $3`,
		r.batch.id, line, r.worker, millis(now.Add(leaseTime)))
	return n > 0, err
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
			owner, err := collect(ctx, tx, scanString, `SELECT custom_id FROM generation WHERE generation_id = $1 AND client_request_id <> $2`, o.generationID, line.clientRequestID)
			if err != nil {
				return err
			}
			if owner != nil {
				o = outcome{state: Unknown, code: "duplicate", err: fmt.Errorf("the API returned the generation id of %s, %s", owner[0], o.generationID)}
			}
		}
		var search, accepted, finished int64
		switch o.state {
		case InProgress:
			accepted = millis(now)
		case Unknown:
			search, finished = millis(now.Add(r.Search)), millis(now)
		case Rejected:
			finished = millis(now)
		}
		n, err := changed(ctx, tx, `UPDATE generation SET state = $3, generation_id = $4, search_until = $5, accepted_at = $6, finished_at = $7,
			error_code = $8, error = $9, http_status = $10, response = $11, missed = 0, reported = 0
			WHERE batch_id = $1 AND client_request_id = $2 AND state IN ('submitting', 'unknown')`,
			r.batch.id, line.clientRequestID, string(o.state), sql.NullString{String: o.generationID, Valid: o.generationID != ""},
			search, accepted, finished, o.code, errorText(o.err), o.httpStatus, string(o.response))
		if err == nil && n == 0 && o.generationID != "" { // it was committed before, although the commit has failed
			n, err = r.batch.count(ctx, tx, `client_request_id = $2 AND generation_id = $3`, line.clientRequestID, o.generationID)
			ok = n > 0
			return err
		}
		if ok = n > 0; err != nil || !ok || o.state != InProgress {
			return err
		}
		return r.clock.set(ctx, tx, now.Add(firstPoll), alarm{line.line, o.generationID})
	})
	return ok, err
}

// move changes a line that is in the state of its row, and reports whether it did. It isn't ended by the context: what has
// happened has to be written down.
func (r *run) move(ctx context.Context, line row, assignments string, args ...any) (ok bool) {
	_ = r.persist(ctx, func(ctx context.Context) error {
		n, err := changed(ctx, r.batch.db, `UPDATE generation SET `+assignments+` WHERE batch_id = $1 AND line = $2 AND generation_id = $3 AND state = $4`,
			append([]any{r.batch.id, line.line, line.generationID, string(line.state)}, args...)...)
		ok = n > 0
		return err
	})
	return ok
}

// micros rounds up: a budget must hold.
func micros(usd float64) int64 { return int64(math.Ceil(usd*dollar - 1e-6)) }

// charged is what a generation cost, in dollars; nil if the API doesn't say.
func charged(u api.Usage) *float64 {
	const creditsPerDollar = 2_000_000
	if u.USD == nil && u.Credits != nil {
		return new(*u.Credits / creditsPerDollar)
	}
	return u.USD
}

func nullMicros(usd *float64) (n sql.NullInt64) {
	if usd != nil {
		n = sql.NullInt64{Int64: micros(*usd), Valid: true}
	}
	return n
}

func dollars(micros int64) float64 { return float64(micros) / dollar }

// errorText is an error for the ledger, without what the state of the line says. The client has redacted it.
func errorText(err error) string {
	if err == nil {
		return ""
	}
	if unknown, ok := errors.AsType[*api.UnknownOutcomeError](err); ok {
		err = fmt.Errorf("no usable response, it may be running and may be charged: %w", unknown.Err)
	}
	text := err.Error()
	if failed, ok := errors.AsType[*api.FailedError](err); ok {
		text = strings.TrimPrefix(text, "wan: generation "+redact.Line(failed.GenerationID)+" failed: ")
	}
	return redact.Line(strings.TrimPrefix(text, "wan: "))
}
