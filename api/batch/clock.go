package batch

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
)

// A clock is what the engine needs of a job queue: alarms that are set in the ledger's transactions and that ring at
// least once, in one of the processes. It knows nothing about money. An alarm that rings twice, late or for a line that
// has moved on does no harm: the ledger's number of the alarm decides whether it counts.
type clock interface {
	// set sets alarms that ring from at on.
	set(ctx context.Context, tx *sql.Tx, at time.Time, alarms ...alarm) error
	// start begins to ring. An alarm for which ring returns more than 0 rings again after that time.
	start(ctx context.Context, ring func(context.Context, alarm) time.Duration) error
	// stop waits for the alarms that ring, or ends them when the context ends.
	stop(ctx context.Context)
	// reset forgets all alarms. No other process may use the clock.
	reset(ctx context.Context, tx *sql.Tx) error
}

type alarmKind string

// Polls and saves have a queue each: a queue takes jobs by due time, so that slow downloads would hold up polls.
const (
	pollAlarm alarmKind = "poll"
	saveAlarm alarmKind = "save"
)

type alarm struct {
	kind   alarmKind
	line   int64
	number int64
}

const (
	pollWorkers = 100
	saveWorkers = 8
	// ringTimeout bounds one ring. A process that died leaves its alarms to the others after it.
	pollTimeout = time.Minute
	saveTimeout = 30 * time.Minute
)

// A riverClock is a clock of River's jobs: a poll or a save is a job that snoozes until it is done.
type riverClock struct {
	store  store
	batch  string
	setter *river.Client[*sql.Tx]
	worker interface {
		Start(ctx context.Context) error
		Stop(ctx context.Context) error
		StopAndCancel(ctx context.Context) error
	}
}

func newClock(s store, batch string) (*riverClock, error) {
	c := &riverClock{store: s, batch: batch}
	var err error
	config := &river.Config{Logger: slog.New(slog.DiscardHandler)}
	if s.pool == nil {
		c.setter, err = river.NewClient(riversqlite.New(s.db), config)
	} else {
		c.setter, err = river.NewClient(riverdatabasesql.New(s.db), config)
	}
	return c, err
}

type alarmArgs struct {
	Batch  string `json:"batch"`
	Line   int64  `json:"line"`
	Number int64  `json:"number"`
}

type (
	pollArgs struct{ alarmArgs }
	saveArgs struct{ alarmArgs }
)

func (pollArgs) Kind() string { return "wan_" + string(pollAlarm) }
func (saveArgs) Kind() string { return "wan_" + string(saveAlarm) }

// queue names the batch's queue of a kind, in River's alphabet.
func (c *riverClock) queue(kind alarmKind) string {
	sum := sha256.Sum256([]byte(c.batch))
	return string(kind) + "-" + hex.EncodeToString(sum[:8])
}

func (c *riverClock) set(ctx context.Context, tx *sql.Tx, at time.Time, alarms ...alarm) error {
	params := make([]river.InsertManyParams, len(alarms))
	for i, a := range alarms {
		// A rescued job counts as failed, and a job that failed MaxAttempts times is discarded.
		params[i].InsertOpts = &river.InsertOpts{Queue: c.queue(a.kind), ScheduledAt: at, MaxAttempts: 1000}
		args := alarmArgs{c.batch, a.line, a.number}
		params[i].Args = pollArgs{args}
		if a.kind == saveAlarm {
			params[i].Args = saveArgs{args}
		}
	}
	const most = 1000 // in one statement
	for len(params) > 0 {
		n := min(most, len(params))
		if _, err := c.setter.InsertManyFastTx(ctx, tx, params[:n]); err != nil {
			return err
		}
		params = params[n:]
	}
	return nil
}

func (c *riverClock) start(ctx context.Context, ring func(context.Context, alarm) time.Duration) error {
	workers := river.NewWorkers()
	river.AddWorker(workers, &alarmWorker[pollArgs]{timeout: pollTimeout, ring: func(ctx context.Context, args pollArgs) time.Duration {
		return ring(ctx, alarm{pollAlarm, args.Line, args.Number})
	}})
	river.AddWorker(workers, &alarmWorker[saveArgs]{timeout: saveTimeout, ring: func(ctx context.Context, args saveArgs) time.Duration {
		return ring(ctx, alarm{saveAlarm, args.Line, args.Number})
	}})
	config := &river.Config{
		Logger:                      slog.New(slog.DiscardHandler),
		Workers:                     workers,
		RetryPolicy:                 soon{},
		JobTimeout:                  pollTimeout,
		RescueStuckJobsAfter:        pollTimeout + time.Second,
		CompletedJobRetentionPeriod: time.Minute,
		FetchPollInterval:           500 * time.Millisecond,
		Queues: map[string]river.QueueConfig{
			c.queue(pollAlarm): {MaxWorkers: pollWorkers},
			c.queue(saveAlarm): {MaxWorkers: saveWorkers},
		},
	}
	var err error
	if c.store.pool == nil {
		config.PollOnly = true // this process is the only one
		c.worker, err = river.NewClient(riversqlite.New(c.store.db), config)
	} else {
		c.worker, err = river.NewClient(riverpgxv5.New(c.store.pool), config)
	}
	if err != nil {
		return err
	}
	return c.worker.Start(context.WithoutCancel(ctx)) // it ends with stop
}

func (c *riverClock) stop(ctx context.Context) {
	if c.worker.Stop(ctx) != nil {
		// Rings obey their context at once, so this ends soon.
		_ = c.worker.StopAndCancel(context.WithoutCancel(ctx))
	}
}

func (c *riverClock) reset(ctx context.Context, tx *sql.Tx) error {
	return errors.Join(
		exec(ctx, tx, `DELETE FROM river_job`),
		exec(ctx, tx, `DELETE FROM river_leader`)) // a killed leader would be waited for
}

type alarmWorker[T river.JobArgs] struct {
	river.WorkerDefaults[T]

	timeout time.Duration
	ring    func(context.Context, T) time.Duration
}

func (w *alarmWorker[T]) Timeout(*river.Job[T]) time.Duration { return w.timeout }

func (w *alarmWorker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	if again := w.ring(ctx, job.Args); again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}

// soon is River's retry policy for rescued jobs. Its own waits errors^4 seconds.
type soon struct{}

func (soon) NextRetry(*rivertype.JobRow) time.Time { return time.Now().Add(time.Second) }
