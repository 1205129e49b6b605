package simulator

import (
	"context"
	"maps"
	"net/http"
)

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

func (r *capturedResponse) Header() http.Header { return r.header }

func (r *capturedResponse) WriteHeader(status int) { r.status = status }

func (r *capturedResponse) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}

// send writes the header and the first n bytes of the body.
func (r *capturedResponse) send(w http.ResponseWriter, n int) {
	maps.Copy(w.Header(), r.header)
	w.WriteHeader(r.status)
	w.Write(r.body[:n])
}

type exchangeKey struct{}

func withExchange(r *http.Request, x *exchange) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

func exchangeOf(r *http.Request) *exchange { return r.Context().Value(exchangeKey{}).(*exchange) }
