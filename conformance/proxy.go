package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"
)

// NewProxy makes a reverse proxy that stands between any client and any server and checks what passes against the
// documents, by means of the transport. It passes everything on as it is, with two exceptions: the Host is that of the
// upstream, and compression is left to the two servers, since a compressed body can't be looked into. The upstream may
// have a path, which the request's path is appended to.
//
// A request that a strict transport refuses is answered 400 with the documented error body, and one that doesn't reach
// the upstream 502.
func NewProxy(upstream *url.URL, t *Transport) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.URL.RawQuery = r.In.URL.RawQuery // whether it can be parsed is for the upstream to say
			r.Out.Header.Del("Accept-Encoding")
			for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
				if values, ok := r.In.Header[name]; ok { // ReverseProxy has taken it away
					r.Out.Header[name] = values
				}
			}
		},
		Transport:     t,
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0), // ErrorHandler tells the client
		ErrorHandler:  proxyError,
	}
}

func proxyError(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusBadGateway, "The upstream can't be reached: "+err.Error()
	if strict, ok := errors.AsType[*StrictError](err); ok {
		status, message = http.StatusBadRequest, strict.Error()
	}
	body, err := json.MarshalIndent(map[string]any{
		"message":    message,
		"path":       r.URL.Path,
		"requestId":  "proxy",
		"statusCode": status,
		"timestamp":  time.Now().UTC().Format(time.RFC3339),
	}, "", "  ")
	if err != nil {
		panic(err) // texts and a number
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", body)
}
