package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// newTransport returns net/http's own transport with two changes: many jobs poll one host, and a server may close a
// connection that was idle for long just when a submission is written to it, whose outcome is then unknown. It returns
// the program's transport as it is if that is of another type.
func newTransport() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = 64
	t.IdleConnTimeout = 30 * time.Second
	return t
}

// quiet keeps secrets out of what net/http logs by itself: the bytes that a server sends behind a response of HTTP/1. It
// does nothing for a host that is reached over TLS through a proxy, whose connections net/http makes by itself.
func quiet(transport http.RoundTripper, r *redact.Redactor) http.RoundTripper {
	t, ok := transport.(*http.Transport)
	if !ok || t.DialContext == nil || t.DialTLSContext != nil || t.TLSHandshakeTimeout == 0 {
		return transport // not net/http's default
	}
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &quietConn{Conn: conn, redact: r}, nil
	}
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		plain, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		config := &tls.Config{}
		if t.TLSClientConfig != nil { // net/http has added its protocols
			config = t.TLSClientConfig.Clone()
		}
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address)
		}
		conn := tls.Client(plain, config)
		ctx, cancel := context.WithTimeout(ctx, t.TLSHandshakeTimeout)
		defer cancel()
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = plain.Close()
			return nil, err
		}
		if conn.ConnectionState().NegotiatedProtocol == "h2" { // net/http expects this type, and logs nothing
			return conn, nil
		}
		return &quietConn{Conn: conn, redact: r}, nil
	}
	return t
}

// A quietConn hands bytes over one by one if there is a secret among them. Then net/http never has more than one byte
// that it didn't ask for.
type quietConn struct {
	net.Conn

	redact *redact.Redactor
	rest   []byte
	err    error // behind rest
}

func (c *quietConn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		n, err := c.Conn.Read(p)
		if n <= 1 || bytes.Equal(c.redact.Bytes(p[:n]), p[:n]) {
			return n, err
		}
		c.rest, c.err = bytes.Clone(p[:n]), err
	}
	n := copy(p, c.rest[:1])
	c.rest = c.rest[n:]
	if len(c.rest) == 0 {
		return n, c.err
	}
	return n, nil
}
