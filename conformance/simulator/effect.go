package simulator

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Effect is what a fault does to a request: a middleware around the simulator's own handler. The functions of this
// package make the usual ones, and tests may write their own.
type Effect struct {
	// Name stands in the log and in the ledger.
	Name string
	// Wrap returns a handler that misbehaves. It may call the next one, which behaves.
	Wrap func(next http.Handler) http.Handler

	err error // what is wrong with what it was made of
}

func effect(name string, serve func(w http.ResponseWriter, r *http.Request, next http.Handler)) Effect {
	return Effect{Name: name, Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(w, r, next) })
	}}
}

// only refuses statuses outside of the bounds, which net/http would panic on or take for something else.
func (e Effect) only(code, from, to int) Effect {
	if code < from || code > to {
		e.err = fmt.Errorf("%d isn't a status from %d to %d", code, from, to)
	}
	return e
}

// Status answers with an error status and the documented error body. Nothing else happens.
func Status(code int) Effect { return StatusMessage(code, http.StatusText(code)) }

// StatusMessage is Status with a message of its own, such as 403 with "You've run out of credits".
func StatusMessage(code int, message string) Effect {
	return effect(strconv.Itoa(code), func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		exchangeOf(r).reject(w, code, message)
	}).only(code, 200, 599)
}

// RetryAfter is Status with a Retry-After header, whose value may be anything: "2", an HTTP date, rubbish.
func RetryAfter(code int, value string) Effect {
	return effect(strconv.Itoa(code)+" retry-after", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", value)
		exchangeOf(r).reject(w, code, http.StatusText(code))
	}).only(code, 200, 599)
}

// HTML answers with the status and a page, as a proxy in between does. Nothing else happens.
func HTML(code int) Effect {
	return effect(strconv.Itoa(code)+" html", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(code)
		w.Write([]byte("<!doctype html><html><head><title>" + http.StatusText(code) + "</title></head><body><h1>" +
			strconv.Itoa(code) + " " + http.StatusText(code) + "</h1></body></html>\n"))
	}).only(code, 200, 599)
}

// Empty answers with the status and no body. Nothing else happens.
func Empty(code int) Effect {
	return effect(strconv.Itoa(code)+" empty", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
	}).only(code, 200, 599)
}

// Redirect sends the caller elsewhere, with a status such as 302 or 307. Nothing else happens.
func Redirect(code int, location string) Effect {
	return effect("redirect", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Location", location)
		w.WriteHeader(code)
	}).only(code, 300, 399)
}

// Reset breaks the connection before the body of the request is read. Nothing else happens. On a connection that was
// used before, net/http sends a GET once more by itself.
func Reset() Effect {
	return effect("reset", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { reset(w) })
}

// Drop does what was asked, creating a job for a submission, and then breaks the connection before the answer.
func Drop() Effect {
	return effect("drop", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		record(next, r)
		reset(w)
	})
}

// Stall does what was asked and never answers. It ends when the caller gives up.
func Stall() Effect {
	return effect("stall", func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		record(next, r)
		untilGone(r)
	})
}

// StallBody answers as it should, but stops halfway through the body. It ends when the caller gives up.
func StallBody() Effect {
	return effect("stall-body", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.send(w, len(rec.body)/2)
		_ = http.NewResponseController(w).Flush()
		untilGone(r)
	})
}

// untilGone waits until the caller gives up. net/http notices that only when the body has been read.
func untilGone(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// Truncate answers as it should, but breaks the connection halfway through the body.
func Truncate() Effect {
	return effect("truncate", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.send(w, len(rec.body)/2)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // a reset might overtake the first half
	})
}

// Cut answers with the first half of the body as if that were all: JSON that ends too soon, a film without its end.
func Cut() Effect {
	return effect("cut", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.body = rec.body[:len(rec.body)/2]
		rec.header.Set("Content-Length", strconv.Itoa(len(rec.body)))
		rec.send(w, len(rec.body))
	})
}

// ContentType answers as it should, but with another Content-Type; an empty one is left out.
func ContentType(value string) Effect {
	return effect("content-type", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.header["Content-Type"] = nil // keeps net/http from guessing one
		if value != "" {
			rec.header.Set("Content-Type", value)
		}
		rec.send(w, len(rec.body))
	})
}

// Body does what was asked and answers 200 with another JSON body, such as {}.
func Body(body string) Effect {
	return effect("body", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.status, rec.body = http.StatusOK, []byte(body)
		rec.header["Content-Type"] = jsonType
		rec.header.Set("Content-Length", strconv.Itoa(len(body)))
		rec.send(w, len(body))
	})
}

// Endless does what was asked and answers with a body that doesn't end until the caller gives up. In a testing/synctest
// bubble no time passes for a caller that reads without a limit, since somebody is always at work: its timeouts never
// come.
func Endless() Effect {
	return effect("endless", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
		rec.header.Del("Content-Length")
		rec.send(w, 1)
		for spaces := []byte(strings.Repeat(" ", 4<<10)); ; {
			if _, err := w.Write(spaces); err != nil || r.Context().Err() != nil {
				return
			}
		}
	})
}

// Slow answers as it should, but sends so many bytes of the body in a second, at least one.
func Slow(bytesPerSecond int) Effect {
	chunk := max(1, bytesPerSecond/10)
	pause := time.Second * time.Duration(chunk) / time.Duration(max(1, bytesPerSecond))
	return effect("slow", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := record(next, r)
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

// IgnoreRange sends the whole result whatever part was asked for.
func IgnoreRange() Effect {
	return effect("ignore-range", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Del("Range")
		next.ServeHTTP(w, r)
	})
}

// Expire makes the URL of the result expire, now and for good (403). The next poll answers a fresh one.
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
