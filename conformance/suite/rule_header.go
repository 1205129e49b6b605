package suite

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// headerRules check the headers of responses.
func headerRules() []rule {
	const (
		echoed  = "the client request id is echoed"
		dropped = "the server silently drops an invalid client request id"
	)
	most := strings.Repeat("x", 128)
	return []rule{
		{name: "inference-id", group: groupHeaders, submitted: true, check: inferenceID,
			why: "x-inference-id is the id in the body"},
		{name: "client-request-id", group: groupHeaders, submitted: true, why: echoed,
			check: func(_ context.Context, o *observation) verdict { return checkEcho(o.submit, submitRequestID) }},
		{name: "client-request-id-of-a-poll", group: groupHeaders, why: echoed, check: pollEcho(pollRequestID, pollRequestID)},
		{name: "client-request-id-with-all-characters", group: groupHeaders, why: echoed, check: pollEcho("AZaz09._:-", "AZaz09._:-")},
		{name: "client-request-id-of-128", group: groupHeaders, why: echoed, check: pollEcho(most, most)},
		{name: "client-request-id-of-129", group: groupHeaders, why: dropped, check: pollEcho(most+"x", "")},
		{name: "client-request-id-with-a-space", group: groupHeaders, why: dropped, check: pollEcho("a b", "")},
		{name: "client-request-id-with-a-slash", group: groupHeaders, why: dropped, check: pollEcho("a/b", "")},
		{name: "content-type", group: groupHeaders, check: contentType,
			why: "responses are application/json"},
		{name: "cost-as-in-the-body", group: groupHeaders, stateful: true, check: costAsInBody,
			why: "x-aimlapi-credits-used and x-aimlapi-usd-spent equal meta.usage"},
	}
}

func inferenceID(_ context.Context, o *observation) verdict {
	switch got := o.submit.header.Get("X-Inference-Id"); got {
	case o.id:
		return pass(o.submit)
	case "":
		return notApplicable("the response has none, and the spec doesn't require it")
	default:
		return fail(o.submit, "x-inference-id is %q, the id is %q", got, o.id)
	}
}

func checkEcho(c *call, want string) verdict {
	if got := c.header.Get("X-Client-Request-Id"); got != want {
		return fail(c, "x-client-request-id is %q, not %q", got, want)
	}
	return pass(c)
}

// pollEcho polls with a client request id and checks the one in the response.
func pollEcho(id, want string) func(context.Context, *observation) verdict {
	return func(ctx context.Context, o *observation) verdict {
		request := poll(o.id)
		request.Header = map[string]*string{"X-Client-Request-Id": &id}
		c := o.target.send(ctx, request)
		if !c.accepted() {
			return fail(c, "the poll: %s", c.outcome())
		}
		return checkEcho(c, want)
	}
}

func contentType(_ context.Context, o *observation) verdict {
	if o.responses() == nil {
		return notApplicable(noPoll)
	}
	for _, c := range o.responses() {
		if !wire.IsJSON(c.header) {
			return fail(c, "the content type is %q", c.header.Get("Content-Type"))
		}
	}
	return pass(o.responses()...)
}

func costAsInBody(_ context.Context, o *observation) verdict {
	if v := o.unlessEnded("completed"); v != nil {
		return *v
	}
	costs := o.end().costs()
	compared := 0
	for member, header := range map[string]string{"credits_used": "x-aimlapi-credits-used", "usd_spent": "x-aimlapi-usd-spent"} { //nolint:gosec // no credentials
		if costs[member] == nil || costs[header] == nil {
			continue
		}
		compared++
		if costs[member] != costs[header] {
			return fail(o.end(), "%s is %v, %s is %v", header, costs[header], member, costs[member])
		}
	}
	if compared == 0 {
		return notApplicable("no cost is in both the header and the body")
	}
	return pass(o.end())
}

// headerNumber returns a header's value as a number, as a string if it isn't one, or nil if there is none.
func headerNumber(header http.Header, name string) any {
	value := header.Get(name)
	if value == "" {
		return nil
	}
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return f
	}
	return value
}
