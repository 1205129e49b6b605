package batch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A clock is what the engine needs of a job queue: alarms that are set in the ledger's transactions and ring at least once,
// in one of the processes. It knows nothing about money. An alarm that rings twice, late or for a line that has moved on
// does no harm. Each alarm is a job of River, which snoozes until the generation is over.
type clock struct {
	batch, queue string
	client       *river.Client[*sql.Tx]
}

// An alarm rings when a line's generation is to be polled.
type alarm struct {
	line       int64
	generation string
}

const (
	pollWorkers = 100
	// pollTimeout bounds one poll. A process that died leaves its alarms to the others after it.
	pollTimeout = time.Minute
)

// newClock returns a clock that calls ring, once it is started, when an alarm is due. If ring returns more than 0, the alarm
// rings again after that time.
func newClock(s store, batch string, ring func(context.Context, alarm) time.Duration) (*clock, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[pollArgs]) error {
		if again := ring(ctx, alarm{job.Args.Line, job.Args.Generation}); again > 0 {
			return river.JobSnooze(again)
		}
		return nil
	}))
	sum := sha256.Sum256([]byte(batch)) // in River's alphabet
	c := &clock{batch: batch, queue: "wan-" + hex.EncodeToString(sum[:8])}
	var err error
	c.client, err = river.NewClient(s.driver, &river.Config{
		Logger:                      slog.New(slog.DiscardHandler),
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{c.queue: {MaxWorkers: pollWorkers}},
		PollOnly:                    true, // alarms are set for later, so LISTEN, which only riverpgxv5 has, would notify of nothing
		RetryPolicy:                 retryPolicy{},
		JobTimeout:                  pollTimeout,
		RescueStuckJobsAfter:        pollTimeout + time.Second,
		CompletedJobRetentionPeriod: time.Minute,
	})
	return c, err
}

type pollArgs struct {
	Batch      string `json:"batch"`
	Line       int64  `json:"line"`
	Generation string `json:"generation"`
}

func (pollArgs) Kind() string { return "wan_poll" }

func (c *clock) set(ctx context.Context, tx *sql.Tx, at time.Time, alarms ...alarm) error {
	for n := 0; n < len(alarms); n += 1000 { // in one statement
		var params []river.InsertManyParams
		for _, a := range alarms[n:min(n+1000, len(alarms))] {
			params = append(params, river.InsertManyParams{
				Args: pollArgs{c.batch, a.line, a.generation},
				// A rescued job counts as failed, and a job that failed MaxAttempts times is discarded.
				InsertOpts: &river.InsertOpts{Queue: c.queue, ScheduledAt: at, MaxAttempts: 1000},
			})
		}
		if _, err := c.client.InsertManyFastTx(ctx, tx, params); err != nil {
			return err
		}
	}
	return nil
}

func (c *clock) start(ctx context.Context) error {
	return c.client.Start(context.WithoutCancel(ctx)) // it ends with stop
}

// stop waits for the polls under way.
func (c *clock) stop(ctx, late context.Context) {
	if c.client.Stop(ctx) != nil {
		_ = c.client.StopAndCancel(late) // polls obey their context, so this ends soon
	}
}

// reset forgets all alarms. No other process may use the clock.
func (c *clock) reset(ctx context.Context, tx *sql.Tx) error {
	return errors.Join(
		exec(ctx, tx, `DELETE FROM river_job`),
		exec(ctx, tx, `DELETE FROM river_leader`)) // a killed leader would be waited for
}

// A retryPolicy is River's retry policy for rescued jobs. Its own waits errors^4 seconds.
type retryPolicy struct{}

func (retryPolicy) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Second) }

const (
	firstPoll   = time.Second
	longestPoll = 10 * time.Second
	// pollsPerSecond is what one process manages: above it, polls come less often instead of later and later.
	pollsPerSecond = 500
)

// interval grows with the age of a generation, as that of [api.Job.Wait] does.
func (r *run) interval(line row) time.Duration {
	age := time.Since(time.UnixMilli(line.acceptedAt))
	longest := max(longestPoll, time.Duration(r.inFlight.Load())*time.Second/pollsPerSecond)
	return wire.Jitter(min(max(age/3, firstPoll), longest))
}

// ring is what the clock calls: it polls once. It returns when to poll again, or 0.
func (r *run) ring(ctx context.Context, a alarm) time.Duration {
	rows, err := r.batch.rows(ctx, r.batch.db, `line = $2 AND state = 'in_progress' AND generation_id = $3`, a.line, a.generation)
	switch {
	case err != nil:
		return wire.Jitter(longestPoll)
	case len(rows) == 0:
		return 0 // an earlier alarm of a line that has moved on
	}
	line := rows[0]
	g, err := r.client.Job(line.generationID).Poll(ctx)
	var moved bool
	change := Change{CustomID: line.customID, GenerationID: line.generationID}
	switch {
	case ctx.Err() != nil:
		return firstPoll
	case err != nil:
		return r.missedPoll(ctx, line, err)
	case g.Video != nil:
		change.State = Completed
		moved = r.move(ctx, line, `state = 'completed', status = $5, usd = $6, response = $7, completed_at = $8, worker = '', lease_until = 0,
			missed = 0, error_code = '', error = ''`, string(g.Status), nullMicros(charged(g.Video.Usage)), string(g.Raw), nowMillis())
	case g.Failure != nil:
		change.State, change.Err = Failed, g.Failure
		moved = r.move(ctx, line, `state = 'failed', status = $5, error_code = $6, error = $7, response = $8, finished_at = $9, reported = 0`,
			string(g.Status), cmp.Or(g.Failure.Name, "failed"), errorText(g.Failure), string(g.Raw), nowMillis())
	default:
		if string(g.Status) != line.status || line.missed > 0 {
			r.move(ctx, line, `status = $5, missed = 0, error_code = '', error = ''`, string(g.Status))
		}
		return r.interval(line)
	}
	if !moved { // the ledger can't be written; nothing is lost
		return wire.Jitter(longestPoll)
	}
	r.changed(change)
	return 0
}

// missedPoll decides what a failed poll means. The generation is still polled, whatever it is, unless the API denies again
// and again that there is one.
func (r *run) missedPoll(ctx context.Context, line row, err error) time.Duration {
	response, ok := errors.AsType[*api.ResponseError](err)
	code := "poll"
	switch {
	case ok && errors.Is(err, api.ErrTooManyRequests):
		return max(response.RetryAfter, 2*r.interval(line))
	case !ok || response.Path == "": // a gateway says that, not the API
	case errors.Is(err, api.ErrUnauthorized):
		code = "unauthorized"
	case errors.Is(err, api.ErrNotFound):
		code = "not_found"
	}
	missed := int64(1) // in a row
	if line.errorCode == code {
		missed += line.missed
	}
	if missed >= maxMissed && code == "unauthorized" {
		r.stop(err)
	}
	if missed >= maxMissed && code == "not_found" && time.Since(time.UnixMilli(line.acceptedAt)) > time.Minute {
		// The search polls it by its id.
		if r.move(ctx, line, `state = 'unknown', error_code = $5, error = $6, finished_at = $7, search_until = $8, reported = 0`,
			code, errorText(err), nowMillis(), millis(time.Now().Add(r.Search))) {
			r.changed(Change{CustomID: line.customID, State: Unknown, GenerationID: line.generationID, Err: err})
			return 0
		}
	}
	r.move(ctx, line, `missed = $5, error_code = $6, error = $7`, missed, code, errorText(err))
	return wire.Jitter(min(time.Duration(missed)*longestPoll/2, time.Minute))
}
