package simulator_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// Each effect on each operation: what a net/http client sees, and the ledger once the job has had the
// time to complete.
func TestEffects(t *testing.T) {
	const (
		nothing  = "0 created, 0 charged, 0 rejected"
		refused  = "0 created, 0 charged, 1 rejected"
		created  = "1 created, 1 charged, 0 rejected"
		rejected = "1 created, 1 charged, 1 rejected"

		date  = "Fri, 31 Dec 1999 23:59:59 GMT"
		there = "https://elsewhere.example.com/"
	)
	submit, poll, download := simulator.Submit, simulator.Poll, simulator.Download
	tests := []struct {
		on     simulator.Operation
		effect simulator.Effect
		sees   string
		ledger string
	}{
		{submit, simulator.Status(500), `500 application/json problem "Internal Server Error"`, refused},
		{submit, simulator.Status(403, "No credits"), `403 application/json problem "No credits"`, refused},
		{submit, simulator.RetryAfter(429, "2"), `429 (Retry-After: 2) application/json problem "Too Many Requests"`, refused},
		{submit, simulator.RetryAfter(503, date), `503 (Retry-After: ` + date + `) application/json problem "Service Unavailable"`, refused},
		{submit, simulator.RetryAfter(429, "soon"), `429 (Retry-After: soon) application/json problem "Too Many Requests"`, refused},
		{submit, simulator.HTML(502), `502 text/html page "502 Bad Gateway"`, refused},
		{submit, simulator.HTML(200), `200 text/html page "200 OK"`, nothing},
		{submit, simulator.Empty(503), "503 untyped nothing", refused},
		{submit, simulator.Redirect(307, there), "307 (Location: " + there + ") untyped nothing", nothing},
		{submit, simulator.Reset(), "broken off", nothing},
		{submit, simulator.Drop(), "broken off", created},
		{submit, simulator.Stall(), "timeout after 1m0s", created},
		{submit, simulator.StallBody(), "200 application/json half, timeout after 1m0s", created},
		{submit, simulator.Truncate(), "200 application/json half, unexpected EOF", created},
		{submit, simulator.Cut(), "200 application/json broken JSON", created},
		{submit, simulator.ContentType("text/plain"), "200 text/plain generation", created},
		{submit, simulator.ContentType(""), "200 untyped generation", created},
		{submit, simulator.Body("{}"), "200 application/json {}", created},
		{submit, simulator.Endless(), "200 application/json endless", created},
		{submit, simulator.Slow(10), "200 application/json generation after 10.4s", created},
		{submit, simulator.IgnoreRange(), "200 application/json generation", created},
		{submit, simulator.Expire(), "200 application/json generation", created},

		{poll, simulator.Status(500), `500 application/json problem "Internal Server Error"`, rejected},
		{poll, simulator.Status(403, "No credits"), `403 application/json problem "No credits"`, rejected},
		{poll, simulator.RetryAfter(429, "2"), `429 (Retry-After: 2) application/json problem "Too Many Requests"`, rejected},
		{poll, simulator.HTML(502), `502 text/html page "502 Bad Gateway"`, rejected},
		{poll, simulator.HTML(200), `200 text/html page "200 OK"`, created},
		{poll, simulator.Empty(503), "503 untyped nothing", rejected},
		{poll, simulator.Redirect(302, there), "302 (Location: " + there + ") untyped nothing", created},
		{poll, simulator.Reset(), "broken off", created},
		{poll, simulator.Drop(), "broken off", created},
		{poll, simulator.Stall(), "timeout after 1m0s", created},
		{poll, simulator.StallBody(), "200 application/json half, timeout after 1m0s", created},
		{poll, simulator.Truncate(), "200 application/json half, unexpected EOF", created},
		{poll, simulator.Cut(), "200 application/json broken JSON", created},
		{poll, simulator.ContentType("text/plain"), "200 text/plain generation", created},
		{poll, simulator.ContentType(""), "200 untyped generation", created},
		{poll, simulator.Body("{}"), "200 application/json {}", created},
		{poll, simulator.Endless(), "200 application/json endless", created},
		{poll, simulator.Slow(100), "200 application/json generation after 2.7s", created},

		{download, simulator.Status(503), `503 application/json problem "Service Unavailable"`, rejected},
		{download, simulator.HTML(200), `200 text/html page "200 OK"`, created},
		{download, simulator.Empty(404), "404 untyped nothing", rejected},
		{download, simulator.Redirect(302, there), "302 (Location: " + there + ") untyped nothing", created},
		{download, simulator.Reset(), "broken off", created},
		{download, simulator.Drop(), "broken off", created},
		{download, simulator.Stall(), "timeout after 1m0s", created},
		{download, simulator.StallBody(), "200 video/mp4 half, timeout after 1m0s", created},
		{download, simulator.Truncate(), "200 video/mp4 half, unexpected EOF", created},
		{download, simulator.Cut(), "200 video/mp4 half of the video", created},
		{download, simulator.ContentType("text/html"), "200 text/html video", created},
		{download, simulator.ContentType(""), "200 untyped video", created},
		{download, simulator.Body("{}"), "200 application/json {}", created},
		{download, simulator.Endless(), "200 video/mp4 endless", created},
		{download, simulator.Slow(10_000), "200 video/mp4 video after 3.6s", created},
		{download, simulator.IgnoreRange(), "200 video/mp4 video", created},
		{download, simulator.Expire(), `403 application/json problem "The URL has expired"`, rejected},
	}
	for _, test := range tests {
		t.Run(test.effect.Name+" on "+string(test.on), func(t *testing.T) {
			inBubble(t, func(t *testing.T, srv *simulator.Server) {
				srv.Inject(simulator.Fault{On: test.on, Effect: test.effect})
				if sees := see(t, srv, prepare(t, srv, test.on)); sees != test.sees {
					t.Errorf("the client sees\n\t%s, want\n\t%s", sees, test.sees)
				}
				time.Sleep(time.Minute)
				if ledger := summary(srv.Ledger()); ledger != test.ledger {
					t.Errorf("the ledger says %s, want %s", ledger, test.ledger)
				}
				requests := srv.Ledger().Requests
				if last := requests[len(requests)-1]; last.Fault != test.effect.Name {
					t.Errorf("the ledger's last entry is %v, without the fault", last)
				}
			})
		})
	}
}

// prepare makes a request of the operation, about a completed job if it needs one.
func prepare(t *testing.T, srv *simulator.Server, on simulator.Operation) *http.Request {
	if on == simulator.Submit {
		return newRequest(t, srv, "POST", generations, move)
	}
	id := submit(t, srv, move)
	time.Sleep(time.Minute)
	if on == simulator.Poll {
		return newRequest(t, srv, "GET", pollPath(id), "")
	}
	return newRequest(t, srv, "GET", poll(t, srv, id).Video.URL, "")
}

// see sends the request on a new connection and describes the response.
func see(t *testing.T, srv *simulator.Server, req *http.Request) string {
	client := *srv.Client()
	client.CloseIdleConnections()
	client.Timeout = time.Minute
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	began := time.Now()
	res, err := client.Do(req)
	if err != nil {
		return reason(err, began)
	}
	defer res.Body.Close()
	sees := fmt.Sprint(res.StatusCode)
	for _, name := range []string{"Retry-After", "Location"} {
		if value := res.Header.Get(name); value != "" {
			sees += " (" + name + ": " + value + ")"
		}
	}
	contentType, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if contentType == "" {
		contentType = "untyped"
	}
	sees += " " + contentType + " "
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		if int64(len(body)) != res.ContentLength/2 {
			t.Errorf("%d bytes came of %d, want half of them", len(body), res.ContentLength)
		}
		return sees + "half, " + reason(err, began)
	}
	sees += what(t, body)
	if took := time.Since(began); took > 0 {
		sees += " after " + took.String()
	}
	return sees
}

func reason(err error, began time.Time) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout after " + time.Since(began).String()
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		return "broken off"
	}
	return err.Error()
}

// what describes a body.
func what(t *testing.T, body []byte) string {
	whole := videoFile(t, "854x480")
	var members struct{ ID, Status, Message string }
	switch text := string(body); {
	case text == "":
		return "nothing"
	case text == "{}":
		return text
	case len(body) == 1<<20:
		return "endless"
	case text == string(whole):
		return "video"
	case text == string(whole[:len(whole)/2]):
		return "half of the video"
	case strings.HasPrefix(text, "<!doctype html>"):
		_, text, _ = strings.Cut(text, "<h1>")
		text, _, _ = strings.Cut(text, "</h1>")
		return fmt.Sprintf("page %q", text)
	case json.Unmarshal(body, &members) != nil:
		return "broken JSON"
	case members.ID != "" && members.Status != "":
		return "generation"
	default:
		return fmt.Sprintf("problem %q", members.Message)
	}
}

func summary(l simulator.Ledger) string {
	return fmt.Sprintf("%d created, %d charged, %d rejected", l.Created, l.Charged, l.Rejected)
}

// Declared status codes have the declared body.
func TestStatus(t *testing.T) {
	srv := simulator.Start(t)
	for code := range spec.Generation().Operation.Responses.Map() {
		var status int
		if fmt.Sscan(code, &status); status < 400 {
			continue
		}
		srv.Inject(simulator.Fault{Times: 1, Effect: simulator.Status(status)})
		a := ask(t, srv, "GET", pollPath("any"), "")
		if a.status != status {
			t.Errorf("status %d, want %d", a.status, status)
		}
		if findings := conformance.CheckResponse(spec.Generation(), status, a.body); findings != nil {
			t.Errorf("%d: %v in %s", status, findings, a.body)
		}
	}
}

func TestIgnoreRange(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	url := poll(t, srv, submit(t, srv, move)).Video.URL
	whole := videoFile(t, "854x480")
	if a := ask(t, srv, "GET", url, "", "Range: bytes=100-"); a.status != http.StatusPartialContent || len(a.body) != len(whole)-100 {
		t.Errorf("without the fault: %d with %d bytes", a.status, len(a.body))
	}
	srv.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.IgnoreRange()})
	if a := ask(t, srv, "GET", url, "", "Range: bytes=100-"); a.status != http.StatusOK || len(a.body) != len(whole) {
		t.Errorf("with the fault: %d with %d bytes, want 200 with all %d", a.status, len(a.body), len(whole))
	}
}

// An expired URL stays expired, and the next poll returns one that works.
func TestExpire(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	id := submit(t, srv, move)
	first := poll(t, srv, id).Video.URL
	srv.Inject(simulator.Fault{On: simulator.Download, Times: 1, Effect: simulator.Expire()})
	second := first
	for i, want := range []int{403, 403, 200} {
		if i == 2 {
			second = poll(t, srv, id).Video.URL
		}
		if a := ask(t, srv, "GET", second, ""); a.status != want {
			t.Errorf("download %d has status %d, want %d", i, a.status, want)
		}
	}
	if first == second {
		t.Error("the next poll returns the expired URL")
	}
}

// A stalled submission that is rejected unread must notice the client's end.
func TestStallUnread(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Stall()})
		if sees := see(t, srv, newRequest(t, srv, "POST", generations, move, "Authorization:")); sees != "timeout after 1m0s" {
			t.Error(sees)
		}
		synctest.Wait()
		if n := len(srv.Ledger().Requests); n != 1 {
			t.Errorf("%d requests are over, want 1", n)
		}
	})
}

// On TCP, a broken connection shows as a reset.
func TestResetTCP(t *testing.T) {
	for _, effect := range []simulator.Effect{simulator.Reset(), simulator.Drop()} {
		srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{Times: 1, Effect: effect}))
		_, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", effect.Name, err)
		}
	}
}

func TestTruncateTCP(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	url := poll(t, srv, submit(t, srv, move)).Video.URL
	srv.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.Truncate()})
	if sees := see(t, srv, newRequest(t, srv, "GET", url, "")); sees != "200 video/mp4 half, unexpected EOF" {
		t.Error(sees)
	}
}

// net/http resends a GET on a reused connection, never a POST.
func TestResetIsRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		id := submit(t, srv, move)
		srv.Inject(simulator.Fault{Times: 1, Effect: simulator.Reset()})
		if g := poll(t, srv, id); g.ID != id {
			t.Errorf("the repeated poll is about the id %q", g.ID)
		}
		srv.Inject(simulator.Fault{Times: 1, Effect: simulator.Reset()})
		if _, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move)); !errors.Is(err, io.EOF) {
			t.Errorf("the submission ends with %v", err)
		}
		synctest.Wait()
		if l := srv.Ledger(); l.Created != 1 || l.Polls != 1 || len(l.Requests) != 4 {
			t.Errorf("%d created, %d polls, %d requests", l.Created, l.Polls, len(l.Requests))
		}
	})
}

func TestDown(t *testing.T) {
	start := map[string]func(simulator.TB, ...simulator.Option) *simulator.Server{
		"TCP": simulator.Start, "memory": simulator.StartInMemory,
	}
	for name, start := range start {
		t.Run(name, func(t *testing.T) {
			srv := start(t)
			id := submit(t, srv, move)
			for range 2 {
				srv.Close()
				_, err := srv.Client().Do(newRequest(t, srv, "GET", pollPath(id), ""))
				if err == nil || !strings.Contains(err.Error(), "connection refused") {
					t.Errorf("down: %v", err)
				}
				if err := srv.Up(); err != nil {
					t.Fatal(err)
				}
				if g := poll(t, srv, id); g.ID != id {
					t.Errorf("up again: %+v", g)
				}
			}
		})
	}
}

func TestDownBreaksOff(t *testing.T) {
	inBubble(t, func(t *testing.T, srv *simulator.Server) {
		srv.Inject(simulator.Fault{Effect: simulator.Stall()})
		time.AfterFunc(time.Second, srv.Close)
		if sees := see(t, srv, newRequest(t, srv, "POST", generations, move)); sees != "broken off" {
			t.Error(sees)
		}
	})
}

// Custom effects.
func TestOwnEffect(t *testing.T) {
	teapot := simulator.Effect{Name: "teapot", Wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	}}
	tea := simulator.Effect{Name: "tea", Wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "tea") })
	}}
	srv := simulator.Start(t, simulator.WithFaults(simulator.Fault{Times: 1, Effect: teapot}, simulator.Fault{Effect: tea}))
	for i, want := range []struct {
		status int
		fault  string
	}{{http.StatusTeapot, "teapot"}, {http.StatusOK, "tea"}} {
		if a := ask(t, srv, "GET", pollPath("any"), ""); a.status != want.status {
			t.Errorf("%s: status %d", want.fault, a.status)
		}
		if e := srv.Ledger().Requests[i]; e.Status != want.status || e.Fault != want.fault {
			t.Errorf("%s: the ledger holds %v", want.fault, e)
		}
	}
}

// hits returns which of twelve polls are hit as a pattern such as "..XX........".
func hits(t *testing.T, srv *simulator.Server) string {
	var pattern strings.Builder
	for range 12 {
		switch a := ask(t, srv, "GET", pollPath("any"), ""); a.status {
		case 404: // the simulator's own response
			pattern.WriteByte('.')
		case 500:
			pattern.WriteByte('X')
		default:
			pattern.WriteByte('Y')
		}
	}
	return pattern.String()
}

func TestFaultCounts(t *testing.T) {
	x, y := simulator.Status(500), simulator.Status(503)
	tests := []struct {
		name   string
		faults []simulator.Fault
		want   string
	}{
		{"all", []simulator.Fault{{On: simulator.Poll, Effect: x}}, "XXXXXXXXXXXX"},
		{"any operation", []simulator.Fault{{Effect: x}}, "XXXXXXXXXXXX"},
		{"another operation", []simulator.Fault{{On: simulator.Submit, Effect: x}, {On: simulator.Download, Effect: x}}, "............"},
		{"Times", []simulator.Fault{{Times: 3, Effect: x}}, "XXX........."},
		{"After", []simulator.Fault{{After: 10, Effect: x}}, "..........XX"},
		{"After and Times", []simulator.Fault{{After: 2, Times: 1, Effect: x}}, "..X........."},
		{"one after the other", []simulator.Fault{{Times: 2, Effect: x}, {Times: 1, Effect: y}}, "XXY........."},
		{"the first wins", []simulator.Fault{{After: 1, Times: 1, Effect: x}, {Effect: y}}, "YXYYYYYYYYYY"},
		{"certain", []simulator.Fault{{Probability: 1, Times: 2, Effect: x}}, "XX.........."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := simulator.Start(t, simulator.WithFaults(test.faults...))
			if got := hits(t, srv); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
			srv.ClearFaults()
			if got := hits(t, srv); got != "............" {
				t.Errorf("%s after ClearFaults", got)
			}
		})
	}
}

// Which requests are hit depends only on the seed.
func TestFaultProbability(t *testing.T) {
	pattern := func(seed uint64, submissions int) string {
		srv := simulator.Start(t, simulator.WithSeed(seed), simulator.WithFaults(
			simulator.Fault{On: simulator.Submit, Probability: 0.5, Effect: simulator.Status(503)},
			simulator.Fault{On: simulator.Poll, Probability: 0.5, Effect: simulator.Status(500)}))
		for range submissions {
			ask(t, srv, "POST", generations, move)
		}
		return hits(t, srv)
	}
	var patterns []string
	for seed := range uint64(5) {
		quiet := pattern(seed, 0)
		if busy := pattern(seed, 7); busy != quiet {
			t.Errorf("seed %d: %s, but %s after submissions", seed, quiet, busy)
		}
		if !slices.Contains(patterns, quiet) {
			patterns = append(patterns, quiet)
		}
	}
	if len(patterns) < 4 {
		t.Errorf("five seeds have only the patterns %v", patterns)
	}
	if all := strings.Join(patterns, ""); !strings.Contains(all, "X") || !strings.Contains(all, ".") {
		t.Errorf("a probability of 0.5 gives %v", patterns)
	}
}

func TestParseFault(t *testing.T) {
	good := []struct {
		text, effect string
		want         simulator.Fault
	}{
		{"poll=503*3", "503", simulator.Fault{On: simulator.Poll, Times: 3}},
		{"submit=drop@0.1", "drop", simulator.Fault{On: simulator.Submit, Probability: 0.1}},
		{"submit=429-wait@1", "429 retry-after", simulator.Fault{On: simulator.Submit, Probability: 1}},
		{"download=expire", "expire", simulator.Fault{On: simulator.Download}},
		{"poll=400", "400", simulator.Fault{On: simulator.Poll}},
		{"poll=599*1", "599", simulator.Fault{On: simulator.Poll, Times: 1}},
	}
	for _, test := range good {
		f, err := simulator.ParseFault(test.text)
		if err != nil || f.Effect.Name != test.effect || f.Effect.Wrap == nil ||
			f.On != test.want.On || f.Times != test.want.Times || f.Probability != test.want.Probability || f.After != 0 {
			t.Errorf("%s: %+v, %v", test.text, f, err)
		}
	}
	bad := []struct{ text, want string }{
		{"", "begin with one of submit, poll, download, logs, billing, models and ="},
		{"503", "begin with"},
		{"delete=503", "begin with"},
		{"=503", "begin with"},
		{"poll=", "the effects are"},
		{"poll=200", "the effects are"},
		{"poll=600", "the effects are"},
		{"poll=explode", "the effects are an error status code such as 503, delay-2s, 429-wait, "},
		{"poll=503*0", `"0" isn't a number of requests`},
		{"poll=503*-1", "a number"},
		{"poll=503*x", "a number"},
		{"poll=503*", "a number"},
		{"poll=503@0", `"0" isn't a probability`},
		{"poll=503@1.1", "a probability"},
		{"poll=503@NaN", "a probability"},
		{"poll=503@", "a probability"},
		{"poll=503*2@0.5", "a number"},
	}
	for _, test := range bad {
		if _, err := simulator.ParseFault(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q in it", test.text, err, test.want)
		}
	}
	help := strings.Split(strings.TrimSuffix(simulator.EffectHelp(), "\n"), "\n")
	if len(help) < 15 {
		t.Errorf("%d lines of help", len(help))
	}
	for _, line := range help[2:] { // after "503, ..." and "delay-2s, ..."
		fields := strings.Fields(line)
		simulator.New(simulator.WithFaults(parsed(t, "submit="+fields[0]))) // panics if it is invalid
		if len(fields) < 2 || len(line) > 100 {
			t.Errorf("the help line %q", line)
		}
	}
}

func parsed(t *testing.T, text string) simulator.Fault {
	t.Helper()
	f, err := simulator.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
