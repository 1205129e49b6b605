// Package wire holds what both sides of the connection agree on: the base URL, the API key's environment variables, the
// client request id, Retry-After and error bodies. The client and the suite share it, so that they read a setting or a
// header alike.
package wire

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"path"
	"strings"
)

// DefaultBaseURL is the address of the API.
const DefaultBaseURL = "https://api.aimlapi.com"

// ParseBaseURL parses a base URL with or without a trailing slash, /v1 or /v2, below any path. It returns an error if
// the URL isn't http or https, has a user, a query or a fragment, or is plain http to another machine and insecureHTTP
// doesn't allow it.
func ParseBaseURL(raw string, insecureHTTP bool) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("not an http or https URL such as " + DefaultBaseURL + " or http://localhost:8080")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("a base URL has no user, query or fragment")
	case u.Scheme == "http" && !insecureHTTP && !IsLoopback(u.Hostname()):
		return nil, fmt.Errorf("plain http exposes the API key to the network between here and %s; use https or allow insecure http", u.Hostname())
	}
	u.Path = strings.TrimRight(u.Path, "/")
	if version := path.Base(u.Path); version == "v1" || version == "v2" {
		u.Path = strings.TrimRight(strings.TrimSuffix(u.Path, version), "/")
	}
	u.RawPath = ""
	return u, nil
}

// IsLoopback reports whether a host name or address is this machine's own.
func IsLoopback(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || net.ParseIP(host).IsLoopback()
}

// ListenerURL returns the URL under which this machine reaches a listener, also one on all addresses.
func ListenerURL(scheme string, addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
