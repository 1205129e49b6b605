package suite

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/conformance"
)

// headerRules are about the headers of answers.
func headerRules() []rule {
	return []rule{
		{name: "inference-id", group: Headers, submitted: true, check: inferenceID,
			why: "x-inference-id is the id of the body"},
		{name: "client-request-id", group: Headers, submitted: true,
			why: "the request's own name is echoed",
			check: func(_ context.Context, o *observation) verdict {
				return echo(o.submit, submitName)
			}},
		{name: "client-request-id-of-a-poll", group: Headers, check: pollEcho(pollName, pollName),
			why: "the request's own name is echoed"},
		{name: "client-request-id-with-all-characters", group: Headers, check: pollEcho("AZaz09._:-", "AZaz09._:-"),
			why: "letters, digits and . _ : - may stand in it"},
		{name: "client-request-id-of-128", group: Headers, check: pollEcho(strings.Repeat("x", 128), strings.Repeat("x", 128)),
			why: "128 characters are the most"},
		{name: "client-request-id-of-129", group: Headers, check: pollEcho(strings.Repeat("x", 129), ""),
			why: "the server silently drops what is too long"},
		{name: "client-request-id-with-a-space", group: Headers, check: pollEcho("a b", ""),
			why: "the server silently drops other characters"},
		{name: "client-request-id-with-a-slash", group: Headers, check: pollEcho("a/b", ""),
			why: "the server silently drops other characters"},
		{name: "content-type", group: Headers, check: contentType,
			why: "the answers are application/json"},
		{name: "cost-as-in-the-body", group: Headers, state: true, check: costAsInBody,
			why: "x-aimlapi-credits-used and x-aimlapi-usd-spent say the same as meta.usage"},
	}
}

func inferenceID(_ context.Context, o *observation) verdict {
	switch got := o.submit.header.Get("X-Inference-Id"); got {
	case o.id:
		return pass(o.submit)
	case "":
		return notApplicable("the answer has none, and the documents don't ask for it")
	default:
		return fail(o.submit, "x-inference-id is %q, the id is %q", got, o.id)
	}
}

func echo(x *trip, want string) verdict {
	if got := x.header.Get("X-Client-Request-Id"); got != want {
		return fail(x, "x-client-request-id is %q, not %q", got, want)
	}
	return pass(x)
}

// pollEcho sends a poll with a name and looks at what comes back.
func pollEcho(name, want string) func(context.Context, *observation) verdict {
	return func(ctx context.Context, o *observation) verdict {
		request := poll(o.id)
		request.Header = map[string]*string{"X-Client-Request-Id": &name}
		x := o.target.send(ctx, request)
		if !x.accepted() {
			return fail(x, "the poll was %s", x.outcome())
		}
		return echo(x, want)
	}
}

func contentType(_ context.Context, o *observation) verdict {
	if o.all() == nil {
		return notApplicable(nothingTold)
	}
	for _, x := range o.all() {
		if !conformance.IsJSON(x.header) {
			return fail(x, "the content type is %q", x.header.Get("Content-Type"))
		}
	}
	return pass(o.all()...)
}

func costAsInBody(_ context.Context, o *observation) verdict {
	if f := o.ended("completed"); f != nil {
		return *f
	}
	usage := o.end().answer().Usage
	compared := 0
	for member, header := range map[string]string{"credits_used": "X-Aimlapi-Credits-Used", "usd_spent": "X-Aimlapi-Usd-Spent"} { //nolint:gosec // no credentials
		inHeader := headerNumber(o.end().header, header)
		if inHeader == nil || usage[member] == nil {
			continue
		}
		compared++
		if inHeader != usage[member] {
			return fail(o.end(), "%s is %v, %s is %v", header, inHeader, member, usage[member])
		}
	}
	if compared == 0 {
		return notApplicable("the cost doesn't stand in both places")
	}
	return pass(o.end())
}

// headerNumber is a header's value as a number, as a text if it is none, or nil if there is none.
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

// idRules are about requests with the id of a generation that there is.
func idRules() []rule {
	answered := func(why, source, name string, change func(*request, string)) rule {
		return rule{name: name, group: HTTP, why: why, source: source, check: func(ctx context.Context, o *observation) verdict {
			request := poll(o.id)
			change(&request, o.id)
			x := o.target.send(ctx, request)
			if !x.accepted() {
				return fail(x, "it was %s", x.outcome())
			}
			if id := x.answer().ID; request.Method != http.MethodHead && id != o.id && !o.target.stateless {
				return fail(x, "the answer is about %q", id)
			}
			return pass(x)
		}}
	}
	refused := func(why, name string, group Group, status int, change func(*request, string)) rule {
		return rule{name: name, group: group, why: why, state: group == HTTP, check: func(ctx context.Context, o *observation) verdict {
			request := poll(o.id)
			change(&request, o.id)
			x := o.target.send(ctx, request)
			c := testCase{Request: request, Status: status}
			if problems := o.target.judge(&c, x); problems != nil {
				return fail(x, "%s", strings.Join(problems, "; "))
			}
			return pass(x)
		}}
	}
	query := func(id string) string { return "generation_id=" + id }
	bad := "Bearer conformance-wrong-key"
	return []rule{
		answered("HEAD answers as GET does, without the body", "RFC 9110, section 9.3.2", "head",
			func(r *request, _ string) { r.Method = http.MethodHead }),
		answered("the vendor's samples send a content type with GET", "vendor pages, samples", "content-type-on-get",
			func(r *request, _ string) { r.Header = map[string]*string{"Content-Type": new("application/json")} }),
		answered(": and / may stand in a query as they are", "RFC 3986, section 3.4", "id-as-it-is",
			func(r *request, id string) { r.Query = query(strings.ReplaceAll(id, " ", "%20")) }),
		answered("every character may be escaped", "RFC 3986, section 2.1", "id-all-escaped",
			func(r *request, id string) { r.Query = query(escapeAll(id)) }),
		answered("the digits of an escape have no case", "RFC 3986, section 2.1", "id-escaped-in-lower-case",
			func(r *request, id string) { r.Query = query(strings.ToLower(escapeAll(id))) }),
		refused("half of an id is none", "id-cut", HTTP, http.StatusNotFound,
			func(r *request, id string) { r.Query = query(url.QueryEscape(id[:(len(id)+1)/2])) }),
		refused("more than an id is none", "id-and-more", HTTP, http.StatusNotFound,
			func(r *request, id string) { r.Query = query(url.QueryEscape(id + "x")) }),
		refused("the escape of an escape is another text", "id-escaped-twice", HTTP, http.StatusNotFound,
			func(r *request, id string) { r.Query = query(url.QueryEscape(escapeAll(id))) }),
		refused("an id opens nothing without a key", "known-id-without-key", Auth, http.StatusUnauthorized,
			func(r *request, _ string) { r.Header = map[string]*string{"Authorization": nil} }),
		refused("an id opens nothing without a good key", "known-id-with-wrong-key", Auth, http.StatusUnauthorized,
			func(r *request, _ string) { r.Header = map[string]*string{"Authorization": &bad} }),
	}
}

// escapeAll escapes each byte.
func escapeAll(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}
