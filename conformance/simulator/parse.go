package simulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// effects are those that a command line can name, besides the error statuses.
var effects = []struct {
	name, help string
	effect     Effect
}{
	{"429-wait", "429 with Retry-After: 2", RetryAfter(http.StatusTooManyRequests, "2")},
	{"502-html", "502 with a page, as a proxy in between answers", HTML(http.StatusBadGateway)},
	{"503-empty", "503 with no body", Empty(http.StatusServiceUnavailable)},
	{"credits", "403, as when the account has run out of credits", StatusMessage(http.StatusForbidden, "You've run out of credits")},
	{"cut", "half of the body, as if that were all", Cut()},
	{"drop", "do what was asked, then break the connection before the answer", Drop()},
	{"empty-object", "do what was asked, then answer 200 with {}", Body("{}")},
	{"endless", "a body that doesn't end", Endless()},
	{"expire", "the URL of the result expires for good; the next poll answers another", Expire()},
	{"html", "200 with a page instead of the answer", HTML(http.StatusOK)},
	{"ignore-range", "the whole result whatever part was asked for", IgnoreRange()},
	{"no-content-type", "an answer without a Content-Type", ContentType("")},
	{"redirect", "307 to another host", Redirect(http.StatusTemporaryRedirect, "https://elsewhere.example.com/")},
	{"reset", "break the connection before anything is done", Reset()},
	{"slow", "10 KiB of the body in a second", Slow(10 << 10)},
	{"stall", "do what was asked and never answer", Stall()},
	{"stall-body", "half of the body, and then nothing more", StallBody()},
	{"text", "an answer as text/plain", ContentType("text/plain")},
	{"truncate", "half of the body, then break the connection", Truncate()},
}

const anyStatus = "an error status such as 503"

// EffectNames lists the effects that ParseFault knows.
func EffectNames() string {
	names := []string{anyStatus}
	for _, e := range effects {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// EffectHelp says what the effects do that ParseFault knows, a line for each, for a help text.
func EffectHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-15s  that status, from 400 to 599, with the documented error body\n", "503, ...")
	for _, e := range effects {
		fmt.Fprintf(&b, "  %-15s  %s\n", e.name, e.help)
	}
	return b.String()
}

// ParseFault reads a fault as it is written on a command line: OPERATION=EFFECT, then *N for the first N requests or @P
// for a probability. "poll=503*3" answers the first three polls with 503, "submit=drop@0.1" loses each answer to a
// submission with a chance of one in ten.
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
		return f, nil
	}
	for _, e := range effects {
		if e.name == name {
			f.Effect = e.effect
			return f, nil
		}
	}
	return f, fmt.Errorf("fault %q: the effects are %s", text, EffectNames())
}
