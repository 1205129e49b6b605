package suite

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// An observation follows one generation from its submission to shortly after its end. The rules judge what it has seen.
type observation struct {
	target   *target
	label    string         // the slug of its model, or the number of the given generation
	document *spec.Document // nil for a given generation
	results  []string       // names of the rules' and known cases' results

	requestID string // the client request id of the submission
	id        string
	submit    *call   // nil for a given generation
	polls     []*call // up to the first final status
	after     []*call // the polls after that
	// premature is a poll with a result under a status that isn't final, after which nothing more is to be expected.
	premature *call
	video     *download
	part      *download // of the video
}

// pollRequestID is the client request id of polls.
const pollRequestID = "wan-conformance-poll"

const (
	firstInterval = 20 * time.Millisecond
	lastInterval  = 10 * time.Second
	afterPolls    = 5  // after the final status
	maxMissed     = 10 // consecutive polls without a response about the generation
)

// start submits the generation.
func (o *observation) start(ctx context.Context) {
	request := submission(minimal(o.document).encode())
	o.requestID = fmt.Sprintf("wan-conformance:submit_%s.%x", o.label, time.Now().UnixNano())
	request.Header = map[string]*string{wire.ClientRequestIDHeader: &o.requestID}
	o.submit = o.target.send(ctx, request)
	if o.submit.accepted() {
		o.id = o.submit.response.ID
	}
}

// follow polls the generation until and beyond its final status, then fetches the video.
func (o *observation) follow(ctx context.Context, patience time.Duration) {
	if o.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	interval, missed := firstInterval, 0
	for missed < maxMissed {
		c := o.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		o.polls = append(o.polls, c)
		if !c.accepted() {
			missed++
		} else if missed = 0; c.response.final() || o.target.stateless {
			break
		} else if c.response.premature() {
			o.premature = c
			break
		}
		if wire.Sleep(ctx, interval) != nil {
			return
		}
		interval = min(interval+interval/2, lastInterval)
	}
	if o.end() == nil {
		return
	}
	interval = firstInterval
	for range afterPolls {
		if wire.Sleep(ctx, interval) != nil {
			return
		}
		o.after = append(o.after, o.poll(ctx))
		interval *= 2
	}
	if url := o.end().response.URL; url != "" {
		o.video = o.target.fetch(ctx, url, nil)
	}
}

func (o *observation) poll(ctx context.Context) *call {
	request := poll(o.id)
	request.Header = map[string]*string{wire.ClientRequestIDHeader: new(pollRequestID)}
	return o.target.send(ctx, request)
}

// end returns the poll with the final status, or nil.
func (o *observation) end() *call {
	if n := len(o.polls); n > 0 && o.polls[n-1].accepted() && o.polls[n-1].response.final() {
		return o.polls[n-1]
	}
	return nil
}

// responses returns the responses about the generation, in order.
func (o *observation) responses() (list []*call) {
	if o.submit != nil && o.submit.accepted() {
		list = append(list, o.submit)
	}
	return append(list, o.successfulPolls()...)
}

// successfulPolls returns the polls that returned the generation, or nil.
func (o *observation) successfulPolls() (list []*call) {
	for _, c := range slices.Concat(o.polls, o.after) {
		if c.accepted() {
			list = append(list, c)
		}
	}
	return list
}

// minGuess is how long an id must be that can't be guessed: half of a short or sequential id may be another id.
const minGuess = 16

// send sends a case about the generation.
func (o *observation) send(ctx context.Context, c testCase) verdict {
	if v := o.unusable(c.Group == groupHTTP && !c.Accepted); v != nil {
		return *v
	}
	if c.Group == groupHTTP && !c.Accepted && len(o.id) < minGuess {
		return verdict{outcome: NotApplicable, reason: "the id is short, so a changed one may be that of another generation"}
	}
	c.Request = c.Request.about(o.id)
	if c.Request.sendsKey(o.target.key) {
		return verdict{outcome: NotApplicable, reason: sameKey}
	}
	x := o.target.send(ctx, c.Request)
	problems := o.target.judge(&c, x)
	if c.Accepted && x.accepted() && !o.target.stateless && c.Request.Method != http.MethodHead {
		problems = append(problems, sameID(o, x)...)
	}
	return judged(problems, x)
}
