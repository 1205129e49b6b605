package conformance

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// NewProxy returns a reverse proxy that validates the traffic between any client and any server with the transport. It
// forwards everything unchanged, with two exceptions: the Host is the upstream's, and Accept-Encoding is removed, since a
// compressed body can't be validated. The upstream may have a path, to which the path of the request is appended.
//
// A request that a strict transport rejects gets 400 with the documented error body; if the upstream is unreachable, 502; if
// the upstream is the proxy itself, 508.
func NewProxy(upstream *url.URL, t *Transport) http.Handler {
	proxy := &httputil.ReverseProxy{
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
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && LeadsTo(r.Context(), upstream, addr) {
			respondError(w, r, http.StatusLoopDetected, "The upstream is the proxy itself")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}

// LeadsTo reports whether requests to a URL arrive at a TCP address of this machine.
func LeadsTo(ctx context.Context, u *url.URL, addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	if !ok || port != strconv.Itoa(tcp.Port) {
		return false
	}
	ips, _ := net.DefaultResolver.LookupIPAddr(ctx, u.Hostname())
	return slices.ContainsFunc(ips, func(ip net.IPAddr) bool {
		return ip.IP.Equal(tcp.IP) || tcp.IP.IsUnspecified() && ip.IP.IsLoopback()
	})
}

func proxyError(w http.ResponseWriter, r *http.Request, err error) {
	status, message := http.StatusBadGateway, "The upstream is unreachable: "+redact.New(wire.BearerKey(r.Header)).Message(err.Error())
	if strict, ok := errors.AsType[*StrictError](err); ok {
		status, message = http.StatusBadRequest, strict.Error()
	}
	respondError(w, r, status, message)
}

func respondError(w http.ResponseWriter, r *http.Request, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(wire.EncodeError(status, message, r.URL.Path, "proxy", time.Now())) //nolint:gosec // JSON with escaped < and >
}
