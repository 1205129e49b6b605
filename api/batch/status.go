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
	type count struct {
		state State
		n     int
	}
	counts, err := collect(ctx, b.db, func(rows *sql.Rows) (c count, err error) { return c, rows.Scan(&c.state, &c.n) },
		`SELECT state, COUNT(*) FROM generation WHERE batch_id = $1 GROUP BY state`, b.id)
	if err != nil {
		return nil, err
	}
	for _, c := range counts {
		s.States[c.state] = c.n
		s.RequestCounts.Total += c.n
	}
	s.RequestCounts.Completed = s.States[Saved]
	s.RequestCounts.Failed = s.States[Failed] + s.States[Rejected] + s.States[Canceled]
	s.RequestCounts.Unknown = s.States[Unknown]
	m, err := b.money(ctx, b.db)
	if err != nil {
		return nil, err
	}
	l, err := b.limits(ctx, b.db)
	if err != nil {
		return nil, err
	}
	s.Output = l.output
	s.USD = USD{dollars(m.spent), dollars(m.reserved), dollars(m.unknown), dollars(l.maxUSD)}
	if l.pausedUntil > nowMillis() {
		s.Paused, s.PausedUntil = l.pauseReason, time.UnixMilli(l.pausedUntil)
	}
	recent, err := b.count(ctx, b.db, `submitting_at > $2`, millis(time.Now().Add(-time.Minute)))
	if err != nil {
		return nil, err
	}
	s.PerMinute = int(recent)
	if s.ETA, err = b.eta(ctx, s.States, l); err != nil {
		return nil, err
	}
	failures, err := b.rows(ctx, b.db, `error_code <> '' AND state <> 'canceled' ORDER BY finished_at DESC LIMIT 10`)
	for _, line := range failures {
		s.Failures = append(s.Failures, newRecord(line))
	}
	return s, err
}

// eta estimates from the last generations how long the lines take that are left; 0 if it can't.
func (b *Batch) eta(ctx context.Context, states map[State]int, l limits) (time.Duration, error) {
	average, err := number(ctx, b.db, `SELECT CAST(COALESCE(AVG(took), 0) AS BIGINT) FROM (SELECT completed_at - accepted_at AS took FROM generation
		WHERE batch_id = $1 AND state IN ('completed', 'saved') AND accepted_at > 0 ORDER BY state, line DESC LIMIT 100) AS durations`, b.id)
	waiting := states[Pending] + states[Submitting] + states[InProgress]
	if err != nil || average == 0 || waiting == 0 || l.concurrency == 0 {
		return 0, err
	}
	rounds := max(1, float64(waiting)/float64(l.concurrency))
	eta := time.Duration(rounds * float64(average) * float64(time.Millisecond)).Round(time.Second)
	if l.rate > 0 {
		eta = max(eta, time.Duration(states[Pending])*time.Minute/time.Duration(l.rate))
	}
	return eta, nil
}
