package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aimlvideo/wan-go/gen/generation"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Job is an accepted generation. It needs nothing but its id. Safe for concurrent use.
type Job struct {
	client    *Client
	id        string
	requestID string
	accepted  time.Time   // zero for a job resumed by its id
	seen      atomic.Bool // a poll has found the generation

	once   sync.Once // for polled and err
	polled *http.Request
	err    error
}

// Job returns the job with an id, to resume it in any process. It sends nothing: [Job.Poll] and [Job.Wait] report an id
// that is empty or unknown.
func (c *Client) Job(id string) *Job { return &Job{client: c, id: id} }

// request returns that of each poll, without context and key.
func (j *Job) request() (*http.Request, error) {
	j.once.Do(func() {
		if j.id == "" {
			j.err = &InputError{Property: "generation id", Err: errors.New("it is empty")}
			return
		}
		j.polled, j.err = generation.NewGetGenerationRequest(j.client.baseURL+"/", &generation.GetGenerationParams{GenerationID: j.id})
	})
	return j.polled, j.err
}

// ID returns the id of the generation, which is all that [Client.Job] needs to resume it. An id may contain ":" and "/",
// so it isn't a file name or a path segment: see [Video.SaveIn].
func (j *Job) ID() string { return j.id }

// ClientRequestID returns the client request id of the submission, or "" for a job resumed by its id.
func (j *Job) ClientRequestID() string { return j.requestID }

// String returns the id.
func (j *Job) String() string { return j.id }

// Poll asks the API once, for at most 30 seconds, and returns the state of the generation. A failed generation isn't an
// error here, see [Generation.Failure]. Polling costs nothing.
//
// It returns a [*PollError] if there is no usable response, which says nothing about the generation itself, and an
// [*InputError] if the job has no id.
func (j *Job) Poll(ctx context.Context) (*Generation, error) {
	if _, err := j.request(); err != nil {
		return nil, err
	}
	g, _, err := j.poll(ctx)
	if err != nil {
		return nil, &PollError{j.id, err}
	}
	return g, nil
}

// poll also returns how long the server asks to wait before the next poll.
func (j *Job) poll(ctx context.Context) (*Generation, time.Duration, error) {
	request, err := j.request()
	if err != nil {
		return nil, 0, err
	}
	header, body, err := j.client.get(ctx, request)
	hint := wire.RetryAfter(header)
	if err != nil {
		return nil, hint, err
	}
	j.client.keyWorked.Store(true)
	g, err := j.generation(header, body)
	if err == nil {
		j.seen.Store(true)
	}
	return g, hint, err
}

// Progress is the state of a wait after a poll.
type Progress struct {
	GenerationID string
	// Status is the last one received; empty if no poll has succeeded yet.
	Status Status
	// Reported is how far the generation is, as the API reports it; nil if it doesn't. Its scale isn't documented.
	Reported *float64
	// Video is the result; nil before the last poll.
	Video *Video
	// Polls counts the attempts, and Elapsed is the time since the wait began.
	Polls   int
	Elapsed time.Duration
	// Missed counts the failed polls in a row, and Err is why the last one failed. They are 0 and nil after a good one.
	Missed int
	Err    error
}

const (
	// maxMissed is how many polls in a row may fail.
	maxMissed = 10
	// maxRefused is how many polls in a row the API may refuse, over at least refusedFor, although the key has worked or
	// the generation exists.
	maxRefused = 3
	refusedFor = 10 * time.Second
	// replicaLag is how long a new generation may be unknown to a replica of the API (reproduced: 3 seconds), counted from
	// the submission, or from the start of the wait for a job resumed by its id.
	replicaLag = time.Minute
)

// A wait is one call of Wait or Watch.
type wait struct {
	job          *Job
	start        time.Time
	progress     Progress
	refused      int // polls in a row
	refusedSince time.Time
}

// Wait polls until the generation completes and returns the video. It polls at once, then at intervals that grow from
// about 1 second to 10 (see [WithPollInterval]). It honours Retry-After up to a minute, and status code 429 slows down
// all waits of the Client for a while. Only the context limits the wait; when it ends, Wait returns at once.
//
// A failed poll is a missed poll, and ten in a row end the wait. If the API itself refuses a poll with a 4xx status code
// other than 408, 425 and 429, the wait ends at once, with two exceptions that may pass: a 404 in the first minute after
// the submission (of the wait, for a job resumed by its id) or once the generation was seen, and a 401 or 403 once the
// key has worked. Three of those in a row over at least 10 seconds end the wait.
//
// Wait returns a [*FailedError] if the generation failed, an [*InputError] if the job has no id, and otherwise a
// [*WaitError]: the generation may still be running, and another Wait resumes. A generation that stays completed without
// a video is a WaitError that wraps [ErrNoVideo].
func (j *Job) Wait(ctx context.Context, opts ...WaitOption) (*Video, error) {
	var options waitOptions
	for _, opt := range opts {
		opt(&options)
	}
	var video *Video
	for p, err := range j.Watch(ctx) {
		if err != nil {
			return nil, err
		}
		if options.onProgress != nil {
			options.onProgress(p)
		}
		video = p.Video
	}
	return video, nil
}

// Watch waits like [Job.Wait] and returns an iterator over the state after each poll. The last state has the Video, or
// comes with the error that Wait would return. Leaving the loop ends the wait.
//
//	for p, err := range job.Watch(ctx) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(p.Status, p.Elapsed)
//		video = p.Video // of the last state
//	}
func (j *Job) Watch(ctx context.Context) iter.Seq2[Progress, error] {
	return func(yield func(Progress, error) bool) {
		w := &wait{job: j, progress: Progress{GenerationID: j.id}}
		w.run(ctx, yield)
	}
}

// run polls until the generation ends, yield returns false, or the wait can't go on.
func (w *wait) run(ctx context.Context, yield func(Progress, error) bool) {
	j := w.job
	if _, err := j.request(); err != nil {
		yield(w.progress, err)
		return
	}
	w.start = time.Now()
	backoff := wire.Backoff{First: j.client.firstInterval, Longest: j.client.longestInterval}
	for {
		g, hint, err := j.poll(ctx)
		w.progress.Polls++
		w.progress.Elapsed = time.Since(w.start)
		if ctx.Err() != nil && (g == nil || !g.Done()) {
			yield(w.progress, w.end(ctx.Err()))
			return
		}
		w.observe(ctx, g, err)
		if !yield(w.progress, nil) || w.progress.Video != nil {
			return
		}
		if end := w.verdict(g, err); end != nil {
			yield(w.progress, end)
			return
		}
		if errors.Is(err, ErrTooManyRequests) {
			j.client.pace.tooMany()
		}
		if err := wire.Sleep(ctx, max(j.client.pace.slow(backoff.Next()), hint)); err != nil {
			w.progress.Elapsed = time.Since(w.start)
			yield(w.progress, w.end(err))
			return
		}
	}
}

// verdict returns the error that ends a wait after a poll, or nil if the wait goes on.
func (w *wait) verdict(g *Generation, err error) error {
	refused := isRefusedPoll(err)
	if !refused {
		w.refused = 0
	} else if w.refused++; w.refused == 1 {
		w.refusedSince = time.Now()
	}
	switch {
	case err == nil && g.Failure != nil:
		return g.Failure
	case refused && !w.job.mayPass(err, w.start):
		return w.end(err)
	case refused && w.refused >= maxRefused && time.Since(w.refusedSince) >= refusedFor:
		return w.end(fmt.Errorf("%d polls in a row refused, the last one: %w", w.refused, err))
	case !refused && w.progress.Missed >= maxMissed:
		return w.end(fmt.Errorf("%d polls in a row failed, the last one: %w", w.progress.Missed, err))
	}
	return nil
}

// observe records a poll and logs it.
func (w *wait) observe(ctx context.Context, g *Generation, err error) {
	logger := w.job.client.logger
	if err != nil {
		w.progress.Missed++
		w.progress.Err = err
		logger.WarnContext(ctx, "poll failed", "generation", w.job.id, "in_a_row", w.progress.Missed, "error", err)
	} else {
		w.progress.Missed, w.progress.Err = 0, nil
		w.progress.Status, w.progress.Reported, w.progress.Video = g.Status, g.Progress, g.Video
		logger.DebugContext(ctx, "poll", "generation", w.job.id, "status", g.Status, "documented", g.Status.Valid())
	}
}

// isRefusedPoll reports whether the API itself, and not a gateway, refused a poll.
func isRefusedPoll(err error) bool {
	refusal, ok := errors.AsType[*ResponseError](err)
	if !ok || !refusal.documented {
		return false
	}
	switch refusal.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return refusal.StatusCode >= 400 && refusal.StatusCode < 500
}

// mayPass reports whether a refused poll may be the fault of one replica of the API. start is when the wait began.
func (j *Job) mayPass(err error, start time.Time) bool {
	switch {
	case errors.Is(err, ErrNotFound):
		if !j.accepted.IsZero() {
			start = j.accepted
		}
		return j.seen.Load() || time.Since(start) < replicaLag
	case errors.Is(err, ErrUnauthorized), errors.Is(err, ErrForbidden):
		return j.client.keyWorked.Load()
	}
	return false
}

// end returns the error of a wait that ended before the generation did.
func (w *wait) end(err error) *WaitError {
	p := w.progress
	if p.Err != nil && !errors.Is(err, p.Err) {
		err = fmt.Errorf("%w; the last poll failed: %w", err, p.Err)
	}
	return &WaitError{GenerationID: p.GenerationID, Status: p.Status, Polls: p.Polls, Elapsed: p.Elapsed, Err: err}
}
