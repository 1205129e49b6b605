package conformance_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/spec"
)

// startProxy starts a proxy in front of the upstream.
func startProxy(t *testing.T, upstream string, transport *conformance.Transport) string {
	t.Helper()
	u, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(conformance.NewProxy(u, transport))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// The client works through the proxy, without a finding.
func TestProxyWithClient(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	transport := &conformance.Transport{}
	client, err := api.New(api.WithBaseURL(startProxy(t, srv.URL+"/below/a/path", transport)), api.WithAPIKey(srv.Key))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.AnimateMove(t.Context(), animatemove.Request{VideoURL: api.File("testdata/dance.mp4"), ImageURL: api.File("testdata/hero.png")},
		api.WithClientRequestID("through:the_proxy"))
	if err != nil {
		t.Fatal(err)
	}
	video, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := video.Save(t.Context(), filepath.Join(t.TempDir(), "out.mp4")); err != nil {
		t.Fatal(err)
	}
	if findings := transport.Findings(); findings != nil {
		t.Error(findings)
	}
	l := srv.Ledger()
	if len(l.Jobs) != 1 || l.Jobs[0].ClientRequestID != "through:the_proxy" || l.Requests[0].Path != "/below/a/path/v2/video/generations" {
		t.Errorf("%+v", l)
	}
}

// The proxy forwards requests and responses unchanged.
func TestProxyPassesOn(t *testing.T) {
	var got *http.Request
	var body []byte
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Header()["X-Twice"] = []string{"a", "b"}
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "{ \"message\" :1}\n")
	}))
	defer upstream.Close()
	transport := &conformance.Transport{}
	proxy := startProxy(t, upstream.URL, transport)
	request, err := http.NewRequest(http.MethodPost, proxy+"/v2/video/generations?a=%2F&b=;", strings.NewReader(`{"model":"x"} `))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Authorization": "Bearer k", "X-Forwarded-For": "192.0.2.1", "X-Own": "1", "Accept-Encoding": "br"} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	received, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusTeapot || string(received) != "{ \"message\" :1}\n" || !slices.Equal(response.Header["X-Twice"], []string{"a", "b"}) {
		t.Errorf("the client gets %d %v %q", response.StatusCode, response.Header, received)
	}
	h := got.Header
	if got.Host != strings.TrimPrefix(upstream.URL, "http://") || got.URL.RequestURI() != "/v2/video/generations?a=%2F&b=;" || string(body) != `{"model":"x"} ` ||
		h.Get("Authorization") != "Bearer k" || h.Get("X-Own") != "1" || !slices.Equal(h["X-Forwarded-For"], []string{"192.0.2.1"}) {
		t.Errorf("the server gets %s %s %v %q", got.Host, got.URL, h, body)
	}
	var rules []string
	for _, f := range transport.Findings() {
		rules = append(rules, f.Rule)
	}
	if fmt.Sprint(rules) != "[enum status]" {
		t.Errorf("found %v", transport.Findings())
	}
}

// A compressed response is validated too, and the client can read it.
func TestProxyCompression(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Errorf("the server isn't offered gzip but %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, `{"id":"x","status":7}`)
		z.Close()
	}))
	defer upstream.Close()
	transport := &conformance.Transport{}
	request, err := http.NewRequest(http.MethodGet, startProxy(t, upstream.URL, transport)+"/v2/video/generations?generation_id=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer k")
	request.Header.Set("Accept-Encoding", "identity") // no help from this side's net/http
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != `{"id":"x","status":7}` {
		t.Errorf("the client gets %q", body)
	}
	if f := transport.Findings(); len(f) != 1 || f[0].Pointer != "/status" {
		t.Errorf("found %v", f)
	}
}

// A client that asks for compression itself gets an undocumented finding: the body isn't validated.
func TestTransportCompressed(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, `{"id":"x","status":"queued"}`)
	z.Close()
	transport := &conformance.Transport{Base: roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"gzip"}}, Body: io.NopCloser(&packed), ContentLength: -1, Request: r}, nil
	})}
	request := httptest.NewRequest(http.MethodGet, "https://api.example.com/v2/video/generations?generation_id=x", nil)
	request.Header.Set("Authorization", "Bearer k")
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if f := transport.Findings(); len(f) != 1 || f[0].Rule != "content-encoding" || f[0].Grade != conformance.Undocumented {
		t.Errorf("found %v", f)
	}
}

// Errors of the proxy have the documented body.
func TestProxyErrors(t *testing.T) {
	_, high, integer := numFrames(t)
	srv := simulator.Start(t)
	down := simulator.Start(t)
	down.Close()
	tests := []struct {
		name, upstream string
		strict         bool
		status         int
		message        string
	}{
		{"strict", srv.URL, true, 400, fmt.Sprintf("/num_frames: expected %s, received %d", integer, high+1)},
		{"down", down.URL, false, 502, "The upstream is unreachable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			proxy := startProxy(t, test.upstream, &conformance.Transport{Strict: test.strict})
			request, err := http.NewRequest(http.MethodPost, proxy+"/v2/video/generations",
				strings.NewReader(fmt.Sprintf(`{"model":"alibaba/wan2.2-vace-fun-a14b-pose","video_url":"https://a/v","prompt":"p","num_frames":%d}`, high+1)))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + srv.Key}}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			var members struct{ Message string }
			if err := json.Unmarshal(body, &members); err != nil || response.StatusCode != test.status || !strings.Contains(members.Message, test.message) {
				t.Errorf("%d %s", response.StatusCode, body)
			}
			if findings := conformance.CheckResponse(spec.Models()[0], response.StatusCode, body); findings != nil {
				t.Error(findings)
			}
		})
	}
	if n := len(srv.Ledger().Requests); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// A strict proxy holds what exceeds 1 MiB in a file, which it removes, and forwards it unchanged.
func TestProxyLargeBodies(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	held := func() int {
		files, _ := filepath.Glob(filepath.Join(os.TempDir(), "conformance-body-*"))
		return len(files)
	}
	var sum atomic.Value
	var files atomic.Int64
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hash := sha256.New()
		_, _ = io.Copy(hash, r.Body)
		sum.Store(fmt.Sprintf("%x", hash.Sum(nil)))
		w.WriteHeader(http.StatusTeapot)
	}))
	defer upstream.Close()
	for _, test := range []struct {
		strict        bool
		size          int
		model         string
		status, files int
	}{
		{false, 4 << 20, "alibaba/wan2.2-14b-animate-move", http.StatusTeapot, 0},
		{true, 1<<20 - 1000, "alibaba/wan2.2-14b-animate-move", http.StatusTeapot, 0},
		{true, 1 << 20, "alibaba/wan2.2-14b-animate-move", http.StatusTeapot, 1},
		{true, 4 << 20, "unknown", http.StatusBadRequest, 0},
	} {
		body := `{"model":"` + test.model + `","video_url":"https://a/v","image_url":"data:image/png;base64,` + strings.Repeat("QUJD", test.size/4) + `"}`
		proxy := startProxy(t, upstream.URL, &conformance.Transport{Strict: test.strict, Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			files.Store(int64(held()))
			return http.DefaultTransport.RoundTrip(r)
		})})
		request, err := http.NewRequest(http.MethodPost, proxy+"/v2/video/generations", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer k")
		request.Header.Set("Content-Type", "application/json")
		sum.Store("")
		files.Store(0)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		want := ""
		if test.status == http.StatusTeapot {
			want = fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
		}
		if response.StatusCode != test.status || sum.Load() != want || files.Load() != int64(test.files) {
			t.Errorf("%+v: status %d, %d files, the body has the sum %v, want %s", test, response.StatusCode, files.Load(), sum.Load(), want)
		}
	}
	if n := held(); n > 0 {
		t.Errorf("%d temporary files are left", n)
	}
}

func TestProxyToItself(t *testing.T) {
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	own, err := url.Parse(strings.Replace(server.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	handler = conformance.NewProxy(own, new(conformance.Transport))
	response, err := http.Get(server.URL + "/v2/video/generations?generation_id=x")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusLoopDetected {
		t.Errorf("status %d", response.StatusCode)
	}
}

// The upstream's own bytes in an error may contain the key.
func TestProxyRedactsErrors(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			io.WriteString(conn, "secret-key-of-a-user is no status line\r\n\r\n")
			conn.Close()
		}
	}()
	proxy := startProxy(t, "http://"+listener.Addr().String(), new(conformance.Transport))
	request, _ := http.NewRequest(http.MethodGet, proxy+"/v2/video/generations?generation_id=x", nil)
	request.Header.Set("Authorization", "Bearer secret-key-of-a-user")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusBadGateway || strings.Contains(string(body), "secret-key") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}
