package simulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// effects are those that a command line can name, besides the error statuses.
var effects = map[string]Effect{
	"credits":         StatusMessage(http.StatusForbidden, "You've run out of credits"),
	"429-wait":        RetryAfter(http.StatusTooManyRequests, "2"),
	"502-html":        HTML(http.StatusBadGateway),
	"503-empty":       Empty(http.StatusServiceUnavailable),
	"html":            HTML(http.StatusOK),
	"redirect":        Redirect(http.StatusTemporaryRedirect, "https://elsewhere.example.com/"),
	"reset":           Reset(),
	"drop":            Drop(),
	"stall":           Stall(),
	"stall-body":      StallBody(),
	"truncate":        Truncate(),
	"cut":             Cut(),
	"text":            ContentType("text/plain"),
	"no-content-type": ContentType(""),
	"empty-object":    Body("{}"),
	"endless":         Endless(),
	"slow":            Slow(10 << 10),
	"ignore-range":    IgnoreRange(),
	"expire":          Expire(),
}

// EffectNames lists the effects that ParseFault knows, for a help text.
func EffectNames() string {
	return "an error status such as 503, " + strings.Join(slices.Sorted(maps.Keys(effects)), ", ")
}

// ParseFault reads a fault as it is written on a command line: OPERATION=EFFECT, then *N for the first N requests or @P
// for a probability. "poll=503*3" answers the first three polls with 503, "submit=drop@0.1" loses every tenth answer to
// a submission.
func ParseFault(text string) (Fault, error) {
	operation, name, ok := strings.Cut(text, "=")
	f := Fault{On: Operation(operation)}
	if !ok || f.On != Submit && f.On != Poll && f.On != Download {
		return f, fmt.Errorf("fault %q: it begins with submit=, poll= or download=", text)
	}
	if before, times, ok := strings.Cut(name, "*"); ok {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return f, fmt.Errorf("fault %q: %q is no number of requests", text, times)
		}
		name, f.Times = before, n
	} else if before, chance, ok := strings.Cut(name, "@"); ok {
		p, err := strconv.ParseFloat(chance, 64)
		if err != nil || !(p > 0 && p <= 1) {
			return f, fmt.Errorf("fault %q: %q is no probability", text, chance)
		}
		name, f.Probability = before, p
	}
	if status, err := strconv.Atoi(name); err == nil && status >= 400 && status <= 599 {
		f.Effect = Status(status)
	} else if f.Effect, ok = effects[name]; !ok {
		return f, fmt.Errorf("fault %q: the effects are %s", text, EffectNames())
	}
	return f, nil
}
