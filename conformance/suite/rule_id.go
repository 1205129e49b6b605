package suite

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// idRules check requests with the id of an existing generation.
func idRules() []rule {
	const escaped = "any character of a query may be percent-encoded"
	query := func(id string) string { return "generation_id=" + id }
	wrongKey := "Bearer conformance-wrong-key"
	return []rule{
		found("head", "RFC 9110, section 9.3.2", "HEAD responds as GET does, without the body",
			func(r *request, _ string) { r.Method = http.MethodHead }),
		found("content-type-on-get", "vendor pages, samples", "the vendor's samples send a content type with GET",
			func(r *request, _ string) { r.Header = map[string]*string{"Content-Type": new("application/json")} }),
		found("id-as-it-is", "RFC 3986, section 3.4", ": and / may be in a query unescaped",
			func(r *request, id string) { r.Query = query(strings.ReplaceAll(id, " ", "%20")) }),
		found("id-all-escaped", "RFC 3986, section 2.1", escaped,
			func(r *request, id string) { r.Query = query(escapeAll(id)) }),
		found("id-escaped-in-lower-case", "RFC 3986, section 2.1", "percent-encoding is case-insensitive",
			func(r *request, id string) { r.Query = query(strings.ToLower(escapeAll(id))) }),
		refused("id-cut", groupHTTP, http.StatusNotFound, "half of an id isn't an id",
			func(r *request, id string) { r.Query = query(url.QueryEscape(id[:(len(id)+1)/2])) }),
		refused("id-and-more", groupHTTP, http.StatusNotFound, "an id with an extra character isn't an id",
			func(r *request, id string) { r.Query = query(url.QueryEscape(id + "x")) }),
		refused("id-escaped-twice", groupHTTP, http.StatusNotFound, "an escaped escape is another string",
			func(r *request, id string) { r.Query = query(url.QueryEscape(escapeAll(id))) }),
		refused("known-id-without-key", groupAuth, http.StatusUnauthorized, "an id grants no access without a key",
			func(r *request, _ string) { r.Header = map[string]*string{"Authorization": nil} }),
		refused("known-id-with-wrong-key", groupAuth, http.StatusUnauthorized, "an id grants no access without a valid key",
			func(r *request, _ string) { r.Header = map[string]*string{"Authorization": &wrongKey} }),
	}
}

// found returns a rule by which the changed poll still returns the generation.
func found(name, source, why string, change func(*request, string)) rule {
	return rule{name: name, group: groupHTTP, why: why, source: source, check: func(ctx context.Context, o *observation) verdict {
		request := poll(o.id)
		change(&request, o.id)
		c := o.target.send(ctx, request)
		if !c.accepted() {
			return fail(c, "%s", c.outcome())
		}
		if id := c.response.ID; request.Method != http.MethodHead && id != o.id && !o.target.stateless {
			return fail(c, "the response is about %q", id)
		}
		return pass(c)
	}}
}

// refused returns a rule by which the changed poll is rejected.
func refused(name, group string, status int, why string, change func(*request, string)) rule {
	return rule{name: name, group: group, why: why, stateful: group == groupHTTP, check: func(ctx context.Context, o *observation) verdict {
		request := poll(o.id)
		change(&request, o.id)
		c := o.target.send(ctx, request)
		if problems := o.target.judge(&testCase{Request: request, Status: status}, c); problems != nil {
			return fail(c, "%s", strings.Join(problems, "; "))
		}
		return pass(c)
	}}
}

// escapeAll percent-encodes each byte.
func escapeAll(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}
