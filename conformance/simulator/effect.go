package simulator

import (
	"fmt"
	"io"
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

// within rejects status codes out of bounds: net/http panics on some.
func (e Effect) within(code, from, to int) Effect {
	if code < from || code > to {
		e.err = fmt.Errorf("%d isn't a status code from %d to %d", code, from, to)
	}
	return e
}

// Status responds with a status code and the documented error body, without handling the request.
func Status(code int) Effect { return StatusMessage(code, http.StatusText(code)) }

// StatusMessage is Status with a message, such as 403 with "You've run out of credits".
func StatusMessage(code int, message string) Effect {
	return effect(strconv.Itoa(code), func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		exchangeOf(r).reject(w, code, message)
	}).within(code, 200, 599)
}

// RetryAfter is Status with a Retry-After header of any value: "2", an HTTP date, garbage.
func RetryAfter(code int, value string) Effect {
	return effect(strconv.Itoa(code)+" retry-after", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", value)
		exchangeOf(r).reject(w, code, http.StatusText(code))
	}).within(code, 200, 599)
}

// HTML responds with a status code and an HTML page, as a gateway does, without handling the request.
func HTML(code int) Effect {
	return effect(strconv.Itoa(code)+" html", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		w.Write([]byte("<!doctype html><html><head><title>" + http.StatusText(code) + "</title></head><body><h1>" +
			strconv.Itoa(code) + " " + http.StatusText(code) + "</h1></body></html>\n"))
	}).within(code, 200, 599)
}

// Empty responds with a status code and no body, without handling the request.
func Empty(code int) Effect {
	return effect(strconv.Itoa(code)+" empty", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
	}).within(code, 200, 599)
}

// Redirect redirects with a status code such as 302 or 307, without handling the request.
func Redirect(code int, location string) Effect {
	return effect("redirect", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Location", location)
		w.WriteHeader(code)
	}).within(code, 300, 399)
}

// Reset breaks the connection before the request body is read, without handling the request. On a reused connection,
// net/http resends a GET by itself.
func Reset() Effect {
	return effect("reset", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) })
}

// Drop handles the request, so that a submission creates a job, and then breaks the connection before the response.
func Drop() Effect {
	return effect("drop", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		capture(next, r)
		reset(w)
	})
}

// Stall handles the request and never responds. It ends when the client gives up.
func Stall() Effect {
	return effect("stall", func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		capture(next, r)
		waitForClient(r)
	})
}

// StallBody stops halfway through the response body. It ends when the client gives up.
func StallBody() Effect {
	return effect("stall-body", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.send(w, len(rec.body)/2)
		_ = http.NewResponseController(w).Flush()
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
	return effect("truncate", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.send(w, len(rec.body)/2)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // a reset could overtake the first half
	})
}

// Cut sends the first half of the body as a complete response: incomplete JSON, a video without its end.
func Cut() Effect {
	return effect("cut", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.body = rec.body[:len(rec.body)/2]
		rec.header.Set("Content-Length", strconv.Itoa(len(rec.body)))
		rec.send(w, len(rec.body))
	})
}

// ContentType changes the Content-Type of the response; an empty one is omitted.
func ContentType(value string) Effect {
	return effect("content-type", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.header["Content-Type"] = nil // keeps net/http from sniffing
		if value != "" {
			rec.header.Set("Content-Type", value)
		}
		rec.send(w, len(rec.body))
	})
}

// Body handles the request and responds 200 with another JSON body, such as {}.
func Body(body string) Effect {
	return effect("body", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.status, rec.body = http.StatusOK, []byte(body)
		rec.header["Content-Type"] = jsonType
		rec.header.Set("Content-Length", strconv.Itoa(len(body)))
		rec.send(w, len(body))
	})
}

// Endless handles the request and sends a body that ends only when the client gives up. In a testing/synctest bubble the
// clock doesn't advance for a client that reads without a limit, so its timeouts never fire.
func Endless() Effect {
	return effect("endless", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.header.Del("Content-Length")
		rec.send(w, 1)
		for spaces := []byte(strings.Repeat(" ", 4<<10)); ; {
			if _, err := w.Write(spaces); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
}

// Delay waits before it handles the request.
func Delay(d time.Duration) Effect {
	return effect("delay", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if wire.Sleep(r.Context(), d) == nil {
			next.ServeHTTP(w, r)
		}
	})
}

// respondWith responds with a status code, a header and a body, without handling the request. A nil body of an error
// status code is the documented one.
func respondWith(status int, header map[string]string, body *string) Effect {
	return effect(strconv.Itoa(status)+" custom", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		for name, value := range header {
			w.Header().Set(name, value)
		}
		if body == nil {
			exchangeOf(r).reject(w, status, http.StatusText(status))
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, *body)
	}).within(status, 200, 599)
}

// Slow sends the response body at a rate of bytes per second, at least 1.
func Slow(bytesPerSecond int) Effect {
	chunk := max(1, bytesPerSecond/10)
	pause := time.Second * time.Duration(chunk) / time.Duration(max(1, bytesPerSecond))
	return effect("slow", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := capture(next, r)
		rec.send(w, 0)
		tick := time.NewTicker(pause)
		defer tick.Stop()
		for body := rec.body; len(body) > 0; {
			n := min(len(body), chunk)
			if _, err := w.Write(body[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			body = body[n:]
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
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

// reset ends the connection with a TCP reset where there is one.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // HTTP/2
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	conn.Close()
}
