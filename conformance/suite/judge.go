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
	"github.com/aimlvideo/wan-go/spec/wire"
)

// expected describes the verdict of a case.
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

// judge returns what is wrong with the response to a case.
func (t *target) judge(c *testCase, x *call) []string {
	if x.err != nil {
		return []string{x.outcome()}
	}
	var problems []string
	if !c.allows(t.exact, x.status) {
		problems = append(problems, fmt.Sprintf("expected %s; received %d%s", c.expected(t.exact), x.status, quoted(x.response.Message)))
	}
	if c.Accepted && x.accepted() && x.response.ID == "" {
		problems = append(problems, "accepted, but the response isn't JSON with an id")
	}
	problems = append(problems, x.violations()...)
	if x.status >= 400 && x.request.Method != http.MethodHead {
		problems = append(problems, t.judgeError(c, x)...)
	}
	return problems
}

// allows reports whether the status code matches the verdict. Unless exact, a rejection may be any 4xx except those that
// say nothing about the request: 401, 403, 408 and 429.
func (c *testCase) allows(exact bool, status int) bool {
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

// judgeError checks an error body, also where the specs don't declare its status code.
func (t *target) judgeError(c *testCase, x *call) []string {
	var problems []string
	b := x.response
	if b.Code != nil && fmt.Sprint(b.Code) != fmt.Sprint(x.status) {
		problems = append(problems, fmt.Sprintf("the body's statusCode is %v, the status code %d", b.Code, x.status))
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
	if !wire.IsJSON(x.header) {
		problems = append(problems, fmt.Sprintf("the error is %q, not application/json", x.header.Get("Content-Type")))
	}
	if want := t.base.Path + x.request.Path; b.Path != want {
		problems = append(problems, fmt.Sprintf("the body's path is %q, not %s", b.Path, want))
	}
	if got := namedPointers(b.Message); c.Pointers != nil && c.allows(true, x.status) && !slices.Equal(got, slices.Sorted(slices.Values(c.Pointers))) {
		problems = append(problems, fmt.Sprintf("the message names %s, not %s%s", joined(got), joined(c.Pointers), quoted(b.Message)))
	}
	return problems
}

// pointerPattern finds the JSON pointers in a message written as conformance.Finding.String writes it.
var pointerPattern = regexp.MustCompile(`(?:^|[ ;])(body|/\S*): expected `)

// namedPointers returns the JSON pointers that a message names, sorted.
func namedPointers(message string) []string {
	found := map[string]bool{}
	for _, match := range pointerPattern.FindAllStringSubmatch(message, -1) {
		found[match[1]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func joined(pointers []string) string {
	if len(pointers) == 0 {
		return "nothing"
	}
	return strings.Join(pointers, " and ")
}

// quoted returns ": " and the quoted message, or nothing.
func quoted(message string) string {
	if message == "" {
		return ""
	}
	return fmt.Sprintf(": %q", message)
}
