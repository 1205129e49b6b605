package simulator

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// An Effect is what a fault does to a request: middleware around the simulator's handler. This package has the usual
// ones; tests may write their own.
type Effect struct {
	// Name appears in the log and the ledger.
	Name string
	// Wrap returns a handler that misbehaves. It may call next, which doesn't.
	Wrap func(next http.Handler) http.Handler

	err error // invalid argument
}

func effect(name string, serve func(w http.ResponseWriter, r *http.Request, next http.Handler)) Effect {
	return Effect{Name: name, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, next) })
	}}
}

// Status responds with a status code and the documented error body, without handling the request. The message replaces
// the text of the status code, such as 403 with "You've run out of credits".
func Status(code int, message ...string) Effect {
	return respond(strconv.Itoa(code), code, nil, nil, message...)
}

// RetryAfter is [Status] with a Retry-After header of any value: "2", an HTTP date, garbage.
func RetryAfter(code int, value string) Effect {
	return respond(strconv.Itoa(code)+" retry-after", code, map[string]string{"Retry-After": value}, nil)
}

// HTML responds with a status code and an HTML page, as a gateway does, without handling the request.
func HTML(code int) Effect {
	text := http.StatusText(code)
	page := fmt.Sprintf("<!doctype html><html><head><title>%s</title></head><body><h1>%d %s</h1></body></html>\n", text, code, text)
	return respond(strconv.Itoa(code)+" html", code, map[string]string{"Content-Type": "text/html; charset=utf-8"}, &page)
}

// Empty responds with a status code and no body, without handling the request.
func Empty(code int) Effect { return respond(strconv.Itoa(code)+" empty", code, nil, new(string)) }

// Redirect redirects with a status code such as 302 or 307, without handling the request.
func Redirect(code int, location string) Effect {
	e := respond("redirect", code, map[string]string{"Location": location}, new(string))
	if e.err == nil && code/100 != 3 {
		e.err = fmt.Errorf("%d isn't a status code from 300 to 399", code)
	}
	return e
}

// respond responds without handling the request. A nil body is the documented error body with the message.
func respond(name string, code int, header map[string]string, body *string, message ...string) Effect {
	text := strings.Join(message, " ")
	if text == "" {
		text = http.StatusText(code)
	}
	e := effect(name, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		if body == nil {
			exchangeOf(r).reject(w, code, text)
			return
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, *body)
	})
	if code < 200 || code > 599 { // net/http panics on some
		e.err = fmt.Errorf("%d isn't a status code from 200 to 599", code)
	}
	return e
}

// Reset breaks the connection before the request body is read, without handling the request. On a reused connection,
// net/http resends a GET by itself.
func Reset() Effect {
	return effect("reset", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { breakConnection(w) })
}

// breakConnection ends the connection with a TCP reset where there is one.
func breakConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}

// Delay waits before it handles the request.
func Delay(d time.Duration) Effect {
	return effect("delay", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if wire.Sleep(r.Context(), d) == nil {
			next.ServeHTTP(w, r)
		}
	})
}

// IgnoreRange sends the whole result in response to a Range request.
func IgnoreRange() Effect {
	return effect("ignore-range", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	})
}

// Expire expires the result's URL for good (403). The next poll returns a fresh one.
func Expire() Effect {
	return effect("expire", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		exchangeOf(r).expire(r)
		next.ServeHTTP(w, r)
	})
}

// onResponse returns an effect on the response of a request that was handled.
func onResponse(name string, send func(w http.ResponseWriter, r *http.Request, rec *capturedResponse)) Effect {
	return effect(name, func(w http.ResponseWriter, r *http.Request, next http.Handler) { send(w, r, capture(next, r)) })
}

// Drop handles the request, so that a submission creates a job, and then breaks the connection before the response.
func Drop() Effect {
	return onResponse("drop", func(w http.ResponseWriter, _ *http.Request, _ *capturedResponse) { breakConnection(w) })
}

// Stall handles the request and never responds. It ends when the client gives up.
func Stall() Effect {
	return onResponse("stall", func(_ http.ResponseWriter, r *http.Request, _ *capturedResponse) { waitForClient(r) })
}

// StallBody stops halfway through the response body. It ends when the client gives up.
func StallBody() Effect {
	return onResponse("stall-body", func(w http.ResponseWriter, r *http.Request, rec *capturedResponse) {
		rec.sendHalf(w)
		waitForClient(r)
	})
}

// waitForClient waits until the client gives up. net/http notices that only once the body has been read.
func waitForClient(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// Truncate breaks the connection halfway through the response body.
func Truncate() Effect {
	return onResponse("truncate", func(w http.ResponseWriter, _ *http.Request, rec *capturedResponse) {
		rec.sendHalf(w)
		panic(http.ErrAbortHandler) // a reset could overtake the first half
	})
}

// Cut sends the first half of the body as a complete response: incomplete JSON, a video without its end.
func Cut() Effect {
	return onResponse("cut", func(w http.ResponseWriter, _ *http.Request, rec *capturedResponse) {
		rec.replace(rec.body[:len(rec.body)/2])
		rec.send(w, len(rec.body))
	})
}

// ContentType changes the Content-Type of the response; an empty one is omitted.
func ContentType(value string) Effect {
	return onResponse("content-type", func(w http.ResponseWriter, _ *http.Request, rec *capturedResponse) {
		rec.header["Content-Type"] = nil // keeps net/http from sniffing
		if value != "" {
			rec.header.Set("Content-Type", value)
		}
		rec.send(w, len(rec.body))
	})
}

// Body handles the request and responds 200 with another JSON body, such as {}.
func Body(body string) Effect {
	return onResponse("body", func(w http.ResponseWriter, _ *http.Request, rec *capturedResponse) {
		rec.status, rec.header["Content-Type"] = http.StatusOK, jsonType
		rec.replace([]byte(body))
		rec.send(w, len(body))
	})
}

// Endless handles the request and sends a body that ends only when the client gives up. In a testing/synctest bubble the
// clock doesn't advance for a client that reads without a limit, so its timeouts never fire.
func Endless() Effect {
	return onResponse("endless", func(w http.ResponseWriter, r *http.Request, rec *capturedResponse) {
		rec.header.Del("Content-Length")
		rec.send(w, 1)
		for spaces := []byte(strings.Repeat(" ", 4<<10)); ; {
			if _, err := w.Write(spaces); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
}

// Slow sends the response body at a rate of bytes per second, at least 1.
func Slow(bytesPerSecond int) Effect {
	chunk := max(1, bytesPerSecond/10)
	pause := time.Second * time.Duration(chunk) / time.Duration(max(1, bytesPerSecond))
	return onResponse("slow", func(w http.ResponseWriter, r *http.Request, rec *capturedResponse) {
		rec.send(w, 0)
		for body := rec.body; len(body) > 0; {
			n := min(len(body), chunk)
			if _, err := w.Write(body[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			body = body[n:]
			if wire.Sleep(r.Context(), pause) != nil {
				return
			}
		}
	})
}

// effects are the effects that have a name in a text, besides error status codes and delays.
var effects = []struct {
	name, help string
	effect     Effect
}{
	{"429-wait", "429 with Retry-After: 2", RetryAfter(http.StatusTooManyRequests, "2")},
	{"502-html", "502 with an HTML page, as a gateway sends", HTML(http.StatusBadGateway)},
	{"503-empty", "503 with no body", Empty(http.StatusServiceUnavailable)},
	{"credits", "403, out of credits", Status(http.StatusForbidden, outOfCredits)},
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

// EffectHelp describes the effects that [ParseFault] knows, one per line, for a help text.
func EffectHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-15s  that status code, from 400 to 599, with the documented error body\n", "503, ...")
	fmt.Fprintf(&b, "  %-15s  handle the request after that time\n", "delay-2s, ...")
	for _, e := range effects {
		fmt.Fprintf(&b, "  %-15s  %s\n", e.name, e.help)
	}
	return b.String()
}

// parseEffect returns the effect that a text names.
func parseEffect(text string) (Effect, error) {
	if status, err := strconv.Atoi(text); err == nil && status >= 400 && status <= 599 {
		return Status(status), nil
	}
	if duration, ok := strings.CutPrefix(text, "delay-"); ok {
		if d, err := time.ParseDuration(duration); err == nil && d >= 0 {
			return Delay(d), nil
		}
	}
	names := []string{"an error status code such as 503", "delay-2s"}
	for _, e := range effects {
		if e.name == text {
			return e.effect, nil
		}
		names = append(names, e.name)
	}
	return Effect{}, fmt.Errorf("the effects are %s", strings.Join(names, ", "))
}

// A capturedResponse is a response that is held back.
type capturedResponse struct {
	status int
	header http.Header
	body   []byte
}

func capture(h http.Handler, r *http.Request) *capturedResponse {
	rec := &capturedResponse{status: http.StatusOK, header: http.Header{}}
	h.ServeHTTP(rec, r)
	return rec
}

func (c *capturedResponse) Header() http.Header { return c.header }

func (c *capturedResponse) WriteHeader(status int) { c.status = status }

func (c *capturedResponse) Write(p []byte) (int, error) {
	c.body = append(c.body, p...)
	return len(p), nil
}

func (c *capturedResponse) replace(body []byte) {
	c.body = body
	c.header.Set("Content-Length", strconv.Itoa(len(body)))
}

// send writes the header and the first n bytes of the body.
func (c *capturedResponse) send(w http.ResponseWriter, n int) {
	maps.Copy(w.Header(), c.header)
	w.WriteHeader(c.status)
	w.Write(c.body[:n])
}

func (c *capturedResponse) sendHalf(w http.ResponseWriter) {
	c.send(w, len(c.body)/2)
	_ = http.NewResponseController(w).Flush()
}
