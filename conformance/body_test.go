package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance"
)

// Bodies that end early or are read in part, over real HTTP.
func TestTransportReading(t *testing.T) {
	const text = `{"id":"x","status":""}` // which has one finding
	decode := func(r io.Reader) { json.NewDecoder(r).Decode(new(any)) }
	all := func(r io.Reader) { io.Copy(io.Discard, r) }
	const long = `{"id":"x","status":"","video":null,"error":null,"meta":null}`
	tests := []struct {
		name   string
		length string // the Content-Length; chunked without
		send   string
		read   func(io.Reader)
		want   string // the rules that are broken
	}{
		{"all of it", "", text, all, "[enum]"},
		{"as far as the value goes", "", text + "\n", func(r io.Reader) { io.ReadFull(r, make([]byte, len(text))) }, "[enum]"},
		{"a decoder, chunked", "", text + "\n", decode, "[enum]"},
		{"a decoder, white space behind", "", text + strings.Repeat(" ", 5000), decode, "[enum]"},
		{"a decoder, with a length", fmt.Sprint(len(long)), long, decode, "[enum]"},
		{"nothing is read", "", text, func(io.Reader) {}, "[]"},
		{"half is read", "", text, func(r io.Reader) { io.ReadFull(r, make([]byte, 10)) }, "[]"},
		{"an empty body", "0", "", all, "[json]"},
		{"an empty body that nobody reads", "0", "", func(io.Reader) {}, "[json]"},
		{"broken off", fmt.Sprint(len(long)), long[:20], all, "[whole]"},
		{"broken off behind the value", fmt.Sprint(len(long) + 1), long, all, "[whole]"},
		{"broken off, chunked", "", "abort" + long[:20], all, "[whole]"},
		{"a decoder, broken off", fmt.Sprint(len(long)), long[:20], decode, "[whole]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if test.length != "" {
					w.Header().Set("Content-Length", test.length)
				}
				send, abort := strings.CutPrefix(test.send, "abort")
				io.WriteString(w, send)
				if http.NewResponseController(w).Flush(); abort {
					panic(http.ErrAbortHandler)
				}
			}))
			defer srv.Close()
			transport := &conformance.Transport{}
			response, err := transport.RoundTrip(poll(t, srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			test.read(response.Body)
			response.Body.Close()
			rules := []string{}
			for _, f := range transport.Findings() {
				rules = append(rules, f.Rule)
			}
			if fmt.Sprint(rules) != test.want {
				t.Errorf("found %v, want %s", transport.Findings(), test.want)
			}
		})
	}
}

// A trailer set while the body is read arrives.
func TestTransportTrailer(t *testing.T) {
	var got string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		got = r.Trailer.Get("X-Sum")
	}))
	defer srv.Close()
	r, err := http.NewRequest(http.MethodPost, srv.URL+"/v2/video/generations", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Sum": nil}
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{}"), readerFunc(func([]byte) (int, error) {
		r.Trailer.Set("X-Sum", "7")
		return 0, io.EOF
	})))
	r.ContentLength = -1
	response, err := (&conformance.Transport{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got != "7" {
		t.Errorf("the trailer is %q", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// CloseIdleConnections reaches the base transport.
func TestTransportCloseIdleConnections(t *testing.T) {
	base := &idle{}
	(&http.Client{Transport: &conformance.Transport{Base: base}}).CloseIdleConnections()
	if !base.closed {
		t.Error("the base's idle connections stay open")
	}
	(&http.Client{Transport: &conformance.Transport{Base: roundTripper(nil)}}).CloseIdleConnections() // which has none
}

type idle struct {
	http.RoundTripper

	closed bool
}

func (i *idle) CloseIdleConnections() { i.closed = true }
