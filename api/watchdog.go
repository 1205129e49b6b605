package api

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A watchdog cancels a context when nothing has moved for a while.
type watchdog struct {
	timeout time.Duration
	timer   *time.Timer
	ctx     context.Context
	cancel  context.CancelCauseFunc
}

func newWatchdog(parent context.Context, timeout time.Duration) (context.Context, *watchdog) {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watchdog{timeout: timeout, ctx: ctx, cancel: cancel}
	w.timer = time.AfterFunc(timeout, func() { cancel(&stalledError{timeout}) })
	return ctx, w
}

// reset tells that something has moved.
func (w *watchdog) reset() {
	if w.ctx.Err() == nil {
		w.timer.Reset(w.timeout)
	}
}

// pause stops the watch until the next reset: what comes is not the network's doing.
func (w *watchdog) pause() { w.timer.Stop() }

func (w *watchdog) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// explain replaces the "context canceled" that the watchdog has caused.
func (w *watchdog) explain(err error) error {
	if stalled, ok := errors.AsType[*stalledError](context.Cause(w.ctx)); ok {
		return stalled
	}
	return err
}

type stalledError struct{ timeout time.Duration }

func (e *stalledError) Error() string { return fmt.Sprintf("nothing moved for %v", e.timeout) }
