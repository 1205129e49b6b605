package suite

import (
	"fmt"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Strictness says how closely a target must follow the specs where several behaviours are reasonable.
type Strictness int

// The levels of strictness.
const (
	// Lenient allows any 4xx for a rejection and any 2xx for an acceptance. It reports, but doesn't fail, what breaks only
	// rules that a reasonable server may break: see Inferred.
	Lenient Strictness = iota
	// Documented allows only the status codes that the specs document for the operation and the reason, and fails what
	// Lenient only reports.
	Documented
	// Exact also asks for what the specs leave open and the simulator fixes: its status codes, messages that name the JSON
	// pointers of all violations and nothing else, and its verdict on every media URL.
	Exact
)

var strictnesses = []string{"lenient", "documented", "exact"}

func (s Strictness) String() string { return strictnesses[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Strictness) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Strictness) UnmarshalText(text []byte) error {
	i := slices.Index(strictnesses, string(text))
	if i < 0 {
		return fmt.Errorf("strictness %q is not one of %s", text, strings.Join(strictnesses, ", "))
	}
	*s = Strictness(i)
	return nil
}

// A problem is a difference between a response and the specs, with the name of the rule that it breaks.
type problem struct{ rule, text string }

// expected describes the verdict of a case.
func (c *testCase) expected(s Strictness) string {
	switch {
	case c.Open && s < Exact:
		return "accepted or rejected: the schema doesn't decide"
	case c.Accepted && s < Documented:
		return "accepted: 2xx"
	case c.Accepted:
		return "accepted: " + joinCodes(c.documented())
	case s == Documented:
		return "rejected: " + joinCodes(c.documented())
	case s == Lenient && c.Status == http.StatusUnauthorized:
		return "rejected: 401 or 403"
	case s == Lenient:
		return "rejected: 4xx"
	case c.Pointers == nil:
		return fmt.Sprintf("rejected: %d", c.Status)
	}
	return fmt.Sprintf("rejected: %d, naming %s", c.Status, strings.Join(c.Pointers, " and "))
}

// allows reports whether the status code matches the verdict. A lenient rejection is any 4xx except those that say nothing
// about the request: 401, 403, 408 and 429.
func (c *testCase) allows(s Strictness, status int) bool {
	success := status >= 200 && status < 300
	rejection := status >= 400 && status < 500
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooManyRequests:
		rejection = false
	}
	switch {
	case c.Open && s < Exact:
		return success || rejection
	case c.Accepted && s == Lenient:
		return success
	case c.Accepted || s == Documented:
		return slices.Contains(c.documented(), status)
	case s == Exact:
		return status == c.Status
	case c.Status == http.StatusUnauthorized:
		return status == http.StatusUnauthorized || status == http.StatusForbidden
	}
	return rejection
}

// documented returns the status codes that the specs document for the verdict. A code that no spec declares comes from
// HTTP itself; a server may send its general one instead.
func (c *testCase) documented() (codes []int) {
	operation := spec.Generation().Operation
	if d := c.Request.accountOperation(); d != nil {
		operation = d.Operation
	} else if c.Request.mayCreateJob() {
		operation = spec.Models()[0].Operation
		if d, ok := spec.BySlug(c.Model); ok {
			operation = d.Operation
		}
	}
	if c.Accepted {
		for code := range operation.Responses.Map() {
			if n, err := strconv.Atoi(code); err == nil && n < 300 {
				codes = append(codes, n)
			}
		}
		slices.Sort(codes)
		return codes
	}
	codes = []int{c.Status}
	if operation.Responses.Status(c.Status) == nil {
		codes = append(codes, http.StatusBadRequest, http.StatusNotFound)
	} else if slices.Equal(c.Pointers, []string{"/model"}) {
		codes = append(codes, http.StatusNotFound) // "There is no such generation, model or path."
	}
	return codes
}

func joinCodes(codes []int) string {
	texts := make([]string, len(codes))
	for i, code := range codes {
		texts[i] = strconv.Itoa(code)
	}
	return strings.Join(texts, " or ")
}

// judge returns what is wrong with the response to a case.
func (t *target) judge(c *testCase, x *call) []problem {
	if x.err != nil {
		return []problem{{"response", fmt.Sprintf("expected %s; received %s", c.expected(t.strictness), x.outcome())}}
	}
	var problems []problem
	if !c.allows(t.strictness, x.status) {
		rule := c.Rule
		if !x.accepted() && (x.status < 400 || x.status >= 500) { // not a verdict on the request
			rule = "response"
		}
		problems = append(problems, problem{rule, fmt.Sprintf("expected %s; received %d%s", c.expected(t.strictness), x.status, quoted(x.response.Message))})
	}
	if d := x.request.accountOperation(); d != nil {
		problems = append(problems, t.judgeAccount(d, x)...)
	}
	violations := t.violations(x)
	if x.request.mayCreateJob() && x.accepted() && x.response.ID == "" && violations == nil {
		problems = append(problems, problem{"response", "expected JSON with an id; received something else"})
	}
	problems = append(problems, violations...)
	if x.status >= 400 && x.request.Method != http.MethodHead {
		problems = append(problems, t.judgeError(c, x)...)
	}
	return problems
}

// violations returns the findings about a call that count as problems.
func (t *target) violations(x *call) (problems []problem) {
	for _, f := range x.findings {
		switch {
		case f.Rule == "same-id": // a rule of its own
			continue
		case f.Grade == conformance.Violation && (!isProblemJSON(x) || t.strictness == Exact):
		default:
			continue
		}
		rule := f.Rule
		if x.status >= 400 {
			rule = errorBody
		}
		problems = append(problems, problem{rule, f.String()})
	}
	return problems
}

// isProblemJSON reports whether an error is in the format of RFC 9457 instead of the documented one.
func isProblemJSON(x *call) bool {
	mediaType, _, err := mime.ParseMediaType(x.header.Get("Content-Type"))
	return err == nil && mediaType == "application/problem+json" && x.status >= 400
}

// errorBody is the rule about the bodies of errors.
const errorBody = "error-body"

// judgeError checks an error body, also where the specs don't declare its status code.
func (t *target) judgeError(c *testCase, x *call) []problem {
	var problems []problem
	add := func(format string, args ...any) {
		problems = append(problems, problem{errorBody, fmt.Sprintf(format, args...)})
	}
	b := x.response
	if b.Code != nil && fmt.Sprint(b.Code) != fmt.Sprint(x.status) {
		add("expected statusCode %d; received %v", x.status, b.Code)
	}
	if (wire.IsJSON(x.header) || isProblemJSON(x)) && b.object && strings.TrimSpace(b.Message) == "" && t.violations(x) == nil {
		add("expected a message in the error; received none")
	}
	if t.strictness < Exact {
		return problems
	}
	if spec.Generation().Operation.Responses.Status(x.status) == nil {
		for _, f := range conformance.CheckResponse(spec.Generation(), http.StatusBadRequest, x.body) {
			if f.Grade == conformance.Violation {
				add("the error body: %s", f)
			}
		}
	}
	if !wire.IsJSON(x.header) {
		add("expected an error of application/json; received %q", x.header.Get("Content-Type"))
	}
	if want := t.base.Path + x.request.Path; b.Path != want {
		add("expected the path %q in the error; received %q", want, b.Path)
	}
	if got := namedPointers(b.Message); c.Pointers != nil && c.allows(Exact, x.status) && !slices.Equal(got, slices.Sorted(slices.Values(c.Pointers))) {
		add("expected a message that names %s; received one that names %s%s", joined(c.Pointers), joined(got), quoted(b.Message))
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
