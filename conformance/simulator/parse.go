package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// effects are the named effects of a command line, besides the error status codes.
var effects = []struct {
	name, help string
	effect     Effect
}{
	{"429-wait", "429 with Retry-After: 2", RetryAfter(http.StatusTooManyRequests, "2")},
	{"502-html", "502 with an HTML page, as a gateway sends", HTML(http.StatusBadGateway)},
	{"503-empty", "503 with no body", Empty(http.StatusServiceUnavailable)},
	{"credits", "403, out of credits", StatusMessage(http.StatusForbidden, outOfCredits)},
	{"cut", "half of the body as a complete response", Cut()},
	{"drop", "handle the request, then break the connection before the response", Drop()},
	{"empty-object", "handle the request, then respond 200 with {}", Body("{}")},
	{"endless", "a body without an end", Endless()},
	{"expire", "the result's URL expires for good; the next poll returns another", Expire()},
	{"html", "200 with an HTML page instead of the response", HTML(http.StatusOK)},
	{"ignore-range", "the whole result in response to a Range request", IgnoreRange()},
	{"no-content-type", "a response without a Content-Type", ContentType("")},
	{"redirect", "307 to another host", Redirect(http.StatusTemporaryRedirect, "https://elsewhere.example.com/")},
	{"reset", "break the connection before the request is handled", Reset()},
	{"slow", "10 KiB of the body per second", Slow(10 << 10)},
	{"stall", "handle the request and never respond", Stall()},
	{"stall-body", "half of the body, then nothing", StallBody()},
	{"text", "a response as text/plain", ContentType("text/plain")},
	{"truncate", "half of the body, then break the connection", Truncate()},
}

func effectNames() string {
	names := []string{"an error status code such as 503", "delay-2s"}
	for _, e := range effects {
		names = append(names, e.name)
	}
	return strings.Join(names, ", ")
}

// EffectHelp describes the effects that ParseFault knows, one per line, for a help text.
func EffectHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-15s  that status code, from 400 to 599, with the documented error body\n", "503, ...")
	fmt.Fprintf(&b, "  %-15s  handle the request after that time\n", "delay-2s, ...")
	for _, e := range effects {
		fmt.Fprintf(&b, "  %-15s  %s\n", e.name, e.help)
	}
	return b.String()
}

// ParseFault parses the fault syntax of a command line: OPERATION=EFFECT, then *N for the first N requests or @P for the
// probability P. "poll=503*3" responds to the first three polls with 503, "submit=drop@0.1" drops the response to a
// submission with probability 0.1.
func ParseFault(text string) (Fault, error) {
	operation, name, ok := strings.Cut(text, "=")
	f := Fault{On: Operation(operation)}
	if !ok || !slices.Contains(operations, f.On) {
		return f, fmt.Errorf("fault %q: it must begin with one of %s and =", text, operationNames())
	}
	if before, times, ok := strings.Cut(name, "*"); ok {
		n, err := strconv.Atoi(times)
		if err != nil || n < 1 {
			return f, fmt.Errorf("fault %q: %q isn't a number of requests", text, times)
		}
		name, f.Times = before, n
	} else if before, chance, ok := strings.Cut(name, "@"); ok {
		p, err := strconv.ParseFloat(chance, 64)
		if err != nil || !(p > 0 && p <= 1) {
			return f, fmt.Errorf("fault %q: %q isn't a probability", text, chance)
		}
		name, f.Probability = before, p
	}
	effect, err := parseEffect(name)
	if err != nil {
		return f, fmt.Errorf("fault %q: %w", text, err)
	}
	f.Effect = effect
	return f, nil
}

// parseEffect returns an effect by its name, which may be an error status code.
func parseEffect(name string) (Effect, error) {
	if status, err := strconv.Atoi(name); err == nil && status >= 400 && status <= 599 {
		return Status(status), nil
	}
	if text, ok := strings.CutPrefix(name, "delay-"); ok {
		if d, err := time.ParseDuration(text); err == nil && d >= 0 {
			return Delay(d), nil
		}
	}
	for _, e := range effects {
		if e.name == name {
			return e.effect, nil
		}
	}
	return Effect{}, fmt.Errorf("the effects are %s", effectNames())
}
