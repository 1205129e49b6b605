package conformance

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// NewProxy returns a reverse proxy that validates the traffic between any client and any server with the transport. It
// forwards everything unchanged, with two exceptions: the Host is the upstream's, and Accept-Encoding is removed, since a
// compressed body can't be validated. The upstream may have a path, to which the path of the request is appended.
//
// A request that a strict transport rejects gets 400 with the documented error body; if the upstream is unreachable, 502.
func NewProxy(upstream *url.URL, t *Transport) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.URL.RawQuery = r.In.URL.RawQuery // unparsed: the upstream decides whether it is valid
			r.Out.Header.Del("Accept-Encoding")
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := r.In.Header[name]; ok { // ReverseProxy removes them
					r.Out.Header[name] = values
				}
			}
		},
		Transport:     t,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // ErrorHandler reports to the client
		ErrorHandler:  proxyError,
	}
}

func proxyError(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusBadGateway, "The upstream is unreachable: "+err.Error()
	if strict, ok := errors.AsType[*StrictError](err); ok {
		status, message = http.StatusBadRequest, strict.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(wire.EncodeError(status, message, r.URL.Path, "proxy", time.Now()))
}
