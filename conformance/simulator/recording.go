package simulator

import (
	"context"
	"maps"
	"net/http"
)

// A recording is an answer that has been held back.
type recording struct {
	status int
	header http.Header
	body   []byte
}

func record(h http.Handler, r *http.Request) *recording {
	rec := &recording{status: http.StatusOK, header: http.Header{}}
	h.ServeHTTP(rec, r)
	return rec
}

func (r *recording) Header() http.Header { return r.header }

func (r *recording) WriteHeader(status int) { r.status = status }

func (r *recording) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// send sends the header and the first n bytes of the body.
func (r *recording) send(w http.ResponseWriter, n int) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	w.Write(r.body[:n])
}

type exchangeKey struct{}

func withExchange(r *http.Request, x *exchange) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }
