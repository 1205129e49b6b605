package api

import (
	"context"
	"errors"
	"time"

	"github.com/aimlvideo/wan-go/gen/generation"
)

// A Job is an accepted generation. It holds nothing but the id and is safe for concurrent use.
type Job struct {
	client    *Client
	id        string
	requestID string
}

// Job takes up a generation by its id, in whatever process or on whatever machine it was submitted. It sends nothing.
func (c *Client) Job(id string) *Job { return &Job{client: c, id: id} }

// ID returns the id of the generation. It is all that is needed to go on later: see [Client.Job].
func (j *Job) ID() string { return j.id }

// ClientRequestID returns the name that the submission had, or "" for a job that was taken up by its id.
func (j *Job) ClientRequestID() string { return j.requestID }

// String returns the id.
func (j *Job) String() string { return j.id }

// pollTimeout bounds a single poll.
const pollTimeout = 30 * time.Second

// Poll asks the API once. A generation that has failed is no error here: see [Generation]. Polling costs nothing.
//
// The error is a [*PollError] with the id of the generation. It says nothing about the generation itself: whatever it
// is, the generation may go on. Poll tries once and takes at most 30 seconds.
func (j *Job) Poll(ctx context.Context) (*Generation, error) {
	g, _, err := j.poll(ctx)
	if err != nil {
		return nil, &PollError{j.id, err}
	}
	return g, nil
}

// poll also returns how long the server asks to wait before the next one.
func (j *Job) poll(parent context.Context) (*Generation, time.Duration, error) {
	if j.id == "" {
		return nil, 0, &InputError{Property: "generation id", Err: errors.New("it is empty")}
	}
	ctx, watch := newWatchdog(parent, pollTimeout)
	defer watch.stop()
	request, err := generation.NewGetGenerationRequest(j.client.baseURL+"/", &generation.GetGenerationParams{GenerationID: j.id})
	if err != nil {
		return nil, 0, err
	}
	response, err := j.client.do(request.WithContext(ctx))
	if err != nil {
		return nil, 0, watch.explain(err)
	}
	defer response.Body.Close()
	body, err := j.client.read(response)
	if response.StatusCode < 200 || response.StatusCode >= 300 {
		refusal := j.client.responseError(response, body)
		return nil, refusal.RetryAfter, refusal
	}
	if err != nil {
		return nil, 0, watch.explain(err)
	}
	g, err := j.generation(response.Header, body)
	return g, retryAfter(response.Header, time.Now), err
}
