package suite

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gabriel-vasile/mimetype"

	"github.com/aimlvideo/wan-go/spec"
)

// An observation follows one generation, from its submission if the suite submits it, to a while after its end. The
// rules judge what it has seen.
type observation struct {
	target   *target
	label    string         // the slug of its model, or which of the given generations it is
	document *spec.Document // nil for a given one

	id     string
	submit *trip   // nil for a given one
	polls  []*trip // up to the first that tells the end
	after  []*trip // what came then
	film   *trip
	media  string // what the film is, by its first bytes
}

// The names that the suite gives to its requests.
const (
	submitName = "wan-conformance:submit_1.0"
	pollName   = "wan-conformance-poll"
)

const (
	firstInterval = 20 * time.Millisecond
	lastInterval  = 10 * time.Second
	afterPolls    = 5  // after the end
	maxMissed     = 10 // polls in a row without an answer about the generation
)

// start submits the generation.
func (o *observation) start(ctx context.Context) {
	request := submission(minimal(o.document).encode())
	name := submitName
	request.Header = map[string]*string{"X-Client-Request-Id": &name}
	o.submit = o.target.send(ctx, request)
	if o.submit.accepted() {
		o.id = o.submit.answer().ID
	}
}

// follow polls the generation to its end and beyond, and looks at the film.
func (o *observation) follow(ctx context.Context, patience time.Duration) {
	if o.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	interval, missed := firstInterval, 0
	for missed < maxMissed {
		x := o.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		o.polls = append(o.polls, x)
		if !x.accepted() {
			missed++
		} else if missed = 0; x.answer().final() || o.target.stateless {
			break
		}
		if sleep(ctx, interval) != nil {
			return
		}
		interval = min(interval+interval/2, lastInterval)
	}
	if o.end() == nil {
		return
	}
	interval = firstInterval
	for range afterPolls {
		if sleep(ctx, interval) != nil {
			return
		}
		o.after = append(o.after, o.poll(ctx))
		interval *= 2
	}
	if url := o.end().answer().URL; url != "" {
		o.film, o.media = o.target.fetch(ctx, url)
	}
}

func (o *observation) poll(ctx context.Context) *trip {
	request, name := poll(o.id), pollName
	request.Header = map[string]*string{"X-Client-Request-Id": &name}
	return o.target.send(ctx, request)
}

// end is the poll that told the end, or nil.
func (o *observation) end() *trip {
	if n := len(o.polls); n > 0 && o.polls[n-1].accepted() && o.polls[n-1].answer().final() {
		return o.polls[n-1]
	}
	return nil
}

// all are the answers about the generation, in their order.
func (o *observation) all() (list []*trip) {
	if o.submit != nil && o.submit.accepted() {
		list = append(list, o.submit)
	}
	return append(list, o.told()...)
}

// nothingTold is why a rule about what polls tell can't judge.
const nothingTold = "no poll told anything about it"

// told are the answers to polls that are about the generation, or nil.
func (o *observation) told() (list []*trip) {
	for _, x := range slices.Concat(o.polls, o.after) {
		if x.accepted() {
			list = append(list, x)
		}
	}
	return list
}

// fetch gets the beginning of a film, without the key, and tells what it is.
func (t *target) fetch(ctx context.Context, url string) (x *trip, media string) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	x = &trip{request: request{Method: http.MethodGet, Path: url}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		x.err = withoutURL(err)
		return x, ""
	}
	response, err := t.http.Do(request)
	if err != nil {
		x.err = withoutURL(err)
		return x, ""
	}
	defer response.Body.Close()
	x.status, x.header = response.StatusCode, response.Header
	head, err := io.ReadAll(io.LimitReader(response.Body, 3072))
	if err != nil {
		x.err = fmt.Errorf("the answer broke off: %w", err)
	}
	found := mimetype.Detect(head)
	if media = found.String(); found.Is("audio/mp4") { // so are films of some brands
		media = "video/mp4"
	}
	x.body = fmt.Appendf(nil, "(the first %d bytes are %s)", len(head), media)
	return x, media
}
