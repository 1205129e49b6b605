package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aimlvideo/wan-go/gen/generation"
)

// A Job is an accepted generation. All that it needs to know is the id. It is safe for concurrent use.
type Job struct {
	client    *Client
	id        string
	requestID string
	request   *http.Request // of each poll, without context and key
	err       error         // why there is none
}

// Job takes up a generation by its id, in whatever process or on whatever machine it was submitted. It sends nothing;
// that an id is empty or unknown is told by [Job.Poll] and [Job.Wait].
func (c *Client) Job(id string) *Job {
	j := &Job{client: c, id: id}
	if id == "" {
		j.err = &InputError{Property: "generation id", Err: errors.New("it is empty")}
		return j
	}
	j.request, j.err = generation.NewGetGenerationRequest(c.baseURL+"/", &generation.GetGenerationParams{GenerationID: id})
	return j
}

// ID returns the id of the generation. It is all that is needed to go on later: see [Client.Job].
func (j *Job) ID() string { return j.id }

// ClientRequestID returns the client request id of the submission, or "" for a job that was taken up by its id.
func (j *Job) ClientRequestID() string { return j.requestID }

// String returns the id.
func (j *Job) String() string { return j.id }

// pollTimeout bounds a single poll.
const pollTimeout = 30 * time.Second

// Poll asks the API once. A generation that has failed is no error here: see [Generation]. Polling costs nothing.
//
// The error is a [*PollError] with the id of the generation, or an [*InputError] if the job has none. It says nothing
// about the generation itself: whatever it is, the generation may go on. Poll tries once and takes at most 30 seconds.
func (j *Job) Poll(ctx context.Context) (*Generation, error) {
	if j.err != nil {
		return nil, j.err
	}
	g, _, err := j.poll(ctx)
	if err != nil {
		return nil, &PollError{j.id, err}
	}
	return g, nil
}

// poll also returns how long the server asks to wait before the next one.
func (j *Job) poll(parent context.Context) (*Generation, time.Duration, error) {
	ctx, cancel := context.WithTimeout(parent, pollTimeout)
	defer cancel()
	response, err := j.client.do(j.request.Clone(ctx))
	if err != nil {
		return nil, 0, pollTimedOut(parent, ctx, err)
	}
	defer response.Body.Close()
	body, err := j.client.read(response)
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		refusal := j.client.responseError(response, body)
		return nil, refusal.RetryAfter, refusal
	}
	if err != nil {
		return nil, 0, pollTimedOut(parent, ctx, err)
	}
	g, err := j.generation(response.Header, body)
	return g, retryAfter(response.Header, time.Now), err
}

// pollTimedOut tells the end of the poll's own time from that of the caller's context.
func pollTimedOut(parent, ctx context.Context, err error) error {
	if parent.Err() == nil && ctx.Err() != nil {
		return &stalledError{pollTimeout}
	}
	return err
}
