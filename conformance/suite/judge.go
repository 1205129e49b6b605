package suite

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

// expected says in words what a case expects.
func (c *testCase) expected(exact bool) string {
	switch {
	case c.Accepted:
		return "accepted: 2xx"
	case !exact && c.Status == http.StatusUnauthorized:
		return "rejected: 401 or 403"
	case !exact:
		return "rejected: 4xx"
	case c.Pointers == nil:
		return fmt.Sprintf("rejected: %d", c.Status)
	}
	return fmt.Sprintf("rejected: %d, naming %s", c.Status, strings.Join(c.Pointers, " and "))
}

// judge returns what is wrong with the answer to a case.
func (t *target) judge(c *testCase, x *trip) []string {
	if x.err != nil {
		return []string{"no whole answer: " + x.err.Error()}
	}
	var problems []string
	if !c.fits(t.exact, x.status) {
		problems = append(problems, fmt.Sprintf("expected %s; received %d%s", c.expected(t.exact), x.status, quoted(x.answer().Message)))
	}
	if c.Accepted && x.accepted() && x.answer().ID == "" {
		problems = append(problems, "it is accepted, but the answer is no JSON with an id")
	}
	problems = append(problems, x.violations()...)
	if x.status >= 400 && x.request.Method != http.MethodHead {
		problems = append(problems, t.judgeError(c, x)...)
	}
	return problems
}

// fits reports whether the status is the verdict. Targets other than our own may choose among the client errors, but not
// among those that say nothing about the request: no key, not allowed, too slow, too many.
func (c *testCase) fits(exact bool, status int) bool {
	switch {
	case c.Accepted:
		return status >= 200 && status < 300
	case exact:
		return status == c.Status
	case c.Status == http.StatusUnauthorized:
		return status == http.StatusUnauthorized || status == http.StatusForbidden
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// judgeError holds the body of an error against the documents, also where they don't declare its status.
func (t *target) judgeError(c *testCase, x *trip) []string {
	var problems []string
	a := x.answer()
	if a.Code != nil && fmt.Sprint(a.Code) != fmt.Sprint(x.status) {
		problems = append(problems, fmt.Sprintf("the body's statusCode is %v, the status %d", a.Code, x.status))
	}
	if !t.exact {
		return problems
	}
	if spec.Generation().Operation.Responses.Status(x.status) == nil {
		for _, f := range conformance.CheckResponse(spec.Generation(), http.StatusBadRequest, x.body) {
			if f.Grade == conformance.Violation {
				problems = append(problems, "the error body: "+f.String())
			}
		}
	}
	if !conformance.IsJSON(x.header) {
		problems = append(problems, fmt.Sprintf("an error is application/json, not %q", x.header.Get("Content-Type")))
	}
	if want := t.base.Path + x.request.Path; a.Path != want {
		problems = append(problems, fmt.Sprintf("the body's path is %q, not %s", a.Path, want))
	}
	if got := named(a.Message); c.Pointers != nil && c.fits(true, x.status) && !slices.Equal(got, slices.Sorted(slices.Values(c.Pointers))) {
		problems = append(problems, fmt.Sprintf("the message names %s, not %s%s", list(got), list(c.Pointers), quoted(a.Message)))
	}
	return problems
}

// place is how our messages name a place: as conformance.Finding.String does.
var place = regexp.MustCompile(`(?:^|[ ;])(body|/\S*): expected `)

// named returns the places that a message names, sorted.
func named(message string) []string {
	found := map[string]bool{}
	for _, match := range place.FindAllStringSubmatch(message, -1) {
		found[match[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, " and ")
}

func quoted(message string) string {
	if message == "" {
		return ""
	}
	return fmt.Sprintf(": %q", message)
}
