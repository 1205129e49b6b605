package batch

import (
	"context"
	"database/sql"
	"time"
)

// A Status is how far a batch is.
type Status struct {
	Batch         string        `json:"batch"`
	RequestCounts RequestCounts `json:"request_counts"`
	States        map[State]int `json:"states"`
	// USD is what the batch costs: charged, estimated for what is in flight or not yet reported, and estimated for lines
	// whose outcome nobody knows.
	USD USD `json:"usd"`
	// PerMinute is how many lines were submitted within the last minute.
	PerMinute int `json:"per_minute"`
	// Paused says why nothing is submitted just now.
	Paused      string    `json:"paused,omitempty"`
	PausedUntil time.Time `json:"paused_until,omitzero"`
	// ETA is an estimate from the generations that have completed; 0 if there is none.
	ETA time.Duration `json:"eta_ns,omitempty"`
	// Output is the template of the last run.
	Output string `json:"output,omitempty"`
	// Failures are the last lines without a video, the newest first, at most 10.
	Failures []Record `json:"failures,omitempty"`
}

// RequestCounts are the counts that OpenAI's batches have, and those of unknown outcome.
type RequestCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"` // saved
	Failed    int `json:"failed"`    // failed, rejected and canceled
	Unknown   int `json:"unknown"`
}

// USD are amounts of money.
type USD struct {
	Spent    float64 `json:"spent"`
	Reserved float64 `json:"reserved"`
	Unknown  float64 `json:"unknown"`
	Max      float64 `json:"max,omitempty"`
}

// Status returns how far the batch is, also while other processes run it.
func (b *Batch) Status(ctx context.Context) (*Status, error) {
	s := &Status{Batch: b.id, States: map[State]int{}}
	err := b.transactRead(ctx, func(tx *sql.Tx) error {
		type count struct {
			state State
			n     int
		}
		counts, err := collect(ctx, tx, func(rows *sql.Rows) (c count, err error) { return c, rows.Scan(&c.state, &c.n) },
			`SELECT state, COUNT(*) FROM generation WHERE batch_id = $1 GROUP BY state`, b.id)
		if err != nil {
			return err
		}
		for _, c := range counts {
			s.States[c.state] = c.n
			s.RequestCounts.Total += c.n
		}
		s.RequestCounts.Completed = s.States[Saved]
		s.RequestCounts.Failed = s.States[Failed] + s.States[Rejected] + s.States[Canceled]
		s.RequestCounts.Unknown = s.States[Unknown]
		m, err := b.money(ctx, tx)
		if err != nil {
			return err
		}
		l, err := b.limits(ctx, tx)
		if err != nil {
			return err
		}
		s.USD = USD{float64(m.spent) / dollar, float64(m.reserved) / dollar, float64(m.unknown) / dollar, float64(l.maxUSD) / dollar}
		if now := time.Now(); l.pausedUntil > millis(now) {
			s.Paused, s.PausedUntil = l.pauseReason, fromMillis(l.pausedUntil)
		}
		return b.statusDetails(ctx, tx, s, l)
	})
	return s, err
}

func (b *Batch) statusDetails(ctx context.Context, tx *sql.Tx, s *Status, l limits) error {
	recent, err := number(ctx, tx, `SELECT COUNT(*) FROM generation WHERE batch_id = $1 AND submitting_at > $2`, b.id, millis(time.Now().Add(-time.Minute)))
	if err != nil {
		return err
	}
	s.PerMinute = int(recent)
	outputs, err := collect(ctx, tx, scanString, `SELECT output FROM batch WHERE id = $1`, b.id)
	if err != nil {
		return err
	}
	s.Output = outputs[0]
	average, err := number(ctx, tx, `SELECT CAST(COALESCE(AVG(took), 0) AS BIGINT) FROM (SELECT completed_at - accepted_at AS took FROM generation
		WHERE batch_id = $1 AND state IN ('completed', 'saved') AND accepted_at > 0 ORDER BY state, line DESC LIMIT 100) AS durations`, b.id)
	if err != nil {
		return err
	}
	if waiting := s.States[Pending] + s.States[Submitting] + s.States[InProgress]; average > 0 && waiting > 0 && l.concurrency > 0 {
		rounds := max(1, float64(waiting)/float64(l.concurrency))
		s.ETA = time.Duration(rounds * float64(average) * float64(time.Millisecond)).Round(time.Second)
		if l.rate > 0 {
			s.ETA = max(s.ETA, time.Duration(s.States[Pending])*time.Minute/time.Duration(l.rate))
		}
	}
	failures, err := b.rows(ctx, tx, `error_code <> '' AND state IN ('failed', 'rejected', 'unknown', 'completed', 'in_progress', 'pending') ORDER BY finished_at DESC LIMIT 10`)
	for _, line := range failures {
		s.Failures = append(s.Failures, newRecord(line))
	}
	return err
}

// transactRead reads one consistent state.
func (s store) transactRead(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it ends the reading
	return f(tx)
}
