package suite

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// idRules check requests with the id of an existing generation.
func idRules() []rule {
	const escaped = "any character of a query may be percent-encoded"
	query := func(id string) string { return "generation_id=" + id }
	const keyed = "an id grants no access without a valid key"
	keys := map[string]map[string]*string{
		"known-id-with-wrong-key":         {"Authorization": new("Bearer conformance-wrong-key")},
		"known-id-with-key-cut":           {"Authorization": new("Bearer {key-cut}")},
		"known-id-with-key-longer":        {"Authorization": new("Bearer {key-longer}")},
		"known-id-with-key-in-other-case": {"Authorization": new("Bearer {key-in-other-case}")},
		"known-id-with-bare-key":          {"Authorization": new("{key}")},
		"known-id-with-basic":             {"Authorization": new("Basic {key}")},
		"known-id-with-key-header":        {"Authorization": nil, "X-Api-Key": new("{key}")},
	}
	var list []rule
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		list = append(list, refused(name, groupAuth, http.StatusUnauthorized, keyed,
			func(r *request, _ string) { r.Header = keys[name] }))
	}
	return append(list,
		found("scheme-in-lower-case", "RFC 9110, section 11.1", "schemes are case-insensitive",
			func(r *request, _ string) { r.Header = map[string]*string{"Authorization": new("bearer {key}")} }),
		found("head", "RFC 9110, section 9.3.2", "HEAD responds as GET does, without the body",
			func(r *request, _ string) { r.Method = http.MethodHead }),
		found("content-type-on-get", "vendor pages, samples", "the vendor's samples send a content type with GET",
			func(r *request, _ string) { r.Header = map[string]*string{"Content-Type": new("application/json")} }),
		found("id-as-it-is", "RFC 3986, section 3.4", ": and / may be in a query unescaped",
			func(r *request, id string) {
				r.Query = query(strings.NewReplacer("%3A", ":", "%2F", "/").Replace(url.QueryEscape(id)))
			}),
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
		refused("known-id-with-key-in-query", groupAuth, http.StatusUnauthorized, "the URL is no place for the key",
			func(r *request, _ string) {
				r.Query += "&api_key={key}"
				r.Header = map[string]*string{"Authorization": nil}
			}),
	)
}

// minGuess is how long an id must be that can't be guessed: half of a short or sequential id may be another id.
const minGuess = 16

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
		if group == groupHTTP && len(o.id) < minGuess {
			return notApplicable("the id is short, so a changed one may be that of another generation")
		}
		if request.sendsKey(o.target.key) {
			return notApplicable(sameKey)
		}
		c := o.target.send(ctx, request)
		if problems := o.target.judge(&testCase{Request: request, Status: status}, c); problems != nil {
			return failures(c, problems)
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
