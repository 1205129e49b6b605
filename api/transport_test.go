package api_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/spec/redact"
)

const surplusKey = "sk-live/9f+8c71b2d4e6a0517"

// Nothing of the key is in what a program prints that uses the package, also if a server sends it behind its responses:
// net/http logs such bytes.
func TestSurplus(t *testing.T) {
	if url := os.Getenv("WAN_TEST_SURPLUS_URL"); url != "" {
		surplusProgram(t, url)
		return
	}
	const body = `{"id":"gen-1","status":"queued"}`
	responses := []string{
		fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body),
		fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
		"HTTP/1.1 204 No Content\r\n\r\n",
	}
	surplus := []string{
		"Bearer " + surplusKey + "\r\n",
		`{"authorization":"Bearer ` + strings.NewReplacer("/", `\/`, "+", `\u002B`).Replace(surplusKey) + `"}`,
		"Bearer " + surplusKey[:len(surplusKey)-3],
		strings.Repeat(".", 4000) + surplusKey,
	}
	certified := httptest.NewTLSServer(nil)
	certified.Close()
	for _, secure := range []bool{false, true} {
		for _, late := range []bool{false, true} {
			t.Run(fmt.Sprintf("TLS=%t/late=%t", secure, late), func(t *testing.T) {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				url := "http://" + listener.Addr().String()
				if secure {
					listener = tls.NewListener(listener, certified.TLS)
					url = "https" + strings.TrimPrefix(url, "http")
				}
				defer listener.Close()
				var requests atomic.Int32
				open := serveEach(listener, func(conn net.Conn) {
					n := int(requests.Add(1))
					response, tail := responses[n%len(responses)], surplus[n/len(responses)%len(surplus)]
					if late {
						io.WriteString(conn, response)
						response = ""
					}
					io.WriteString(conn, response+tail)
				})
				checkSurplus(t, url, certified.Certificate(), open.Wait)
				if n := requests.Load(); n < 13 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
	t.Run("HTTP/2", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != 2 {
				t.Errorf("%s", r.Proto)
			}
			io.WriteString(w, body)
			_ = http.NewResponseController(w).Flush()
			io.WriteString(r.Context().Value(connKey{}).(net.Conn), surplus[0])
		}))
		srv.EnableHTTP2 = true
		srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
		srv.StartTLS()
		defer srv.Close()
		checkSurplus(t, srv.URL, srv.Certificate(), func() {})
	})
}

type connKey struct{}

// serveEach lets respond answer each request. The result tells when all connections are closed by the client.
func serveEach(listener net.Listener, respond func(net.Conn)) *sync.WaitGroup {
	open := new(sync.WaitGroup)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				buffered := bufio.NewReader(conn)
				for {
					r, err := http.ReadRequest(buffered)
					if err != nil {
						return
					}
					io.Copy(io.Discard, r.Body)
					respond(conn)
				}
			})
		}
	}()
	return open
}

// checkSurplus runs surplusProgram until its connections are closed.
func checkSurplus(t *testing.T, url string, certificate *x509.Certificate, closed func()) {
	t.Helper()
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSurplus$")
	program.Env = append(os.Environ(), "WAN_TEST_SURPLUS_URL="+url, "AIML_API_KEY="+surplusKey,
		"WAN_TEST_CERTIFICATE="+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
	stdin, err := program.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	printed, w := io.Pipe()
	program.Stdout, program.Stderr = w, w
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		lines := bufio.NewScanner(io.TeeReader(printed, &output))
		for lines.Scan() {
			if lines.Text() == "done" {
				closed()
				stdin.Close()
			}
		}
	}()
	if err := program.Wait(); err != nil {
		t.Errorf("%v: %s", err, output.String())
	}
	w.Close()
	<-read
	text := output.String()
	if shown := redact.New(surplusKey).String(text); shown != text || !strings.Contains(text, "polled") {
		t.Errorf("the program printed %s", text)
	}
}

// surplusProgram is the program of TestSurplus.
func surplusProgram(t *testing.T, url string) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(os.Getenv("WAN_TEST_CERTIFICATE")))
	http.DefaultTransport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	client, err := api.New(api.WithBaseURL(url))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.AnimateMove(t.Context(), move)
	fmt.Println("submitted", job, err)
	for range 12 {
		g, err := client.Job("gen-1").Poll(t.Context())
		fmt.Println("polled", g != nil, err)
	}
	fmt.Println("done")
	io.Copy(io.Discard, os.Stdin)
}

// setDefaultTransport replaces net/http's default until the end of the test.
func setDefaultTransport(t *testing.T, transport http.RoundTripper) {
	original := http.DefaultTransport
	http.DefaultTransport = transport
	t.Cleanup(func() { http.DefaultTransport = original })
}

// Polls share a connection, over HTTP/2 if the server has it.
func TestReuse(t *testing.T) {
	for name, start := range map[string]func(*httptest.Server){
		"HTTP/1.1":          (*httptest.Server).Start,
		"HTTP/1.1 over TLS": (*httptest.Server).StartTLS,
		"HTTP/2.0":          func(srv *httptest.Server) { srv.EnableHTTP2 = true; srv.StartTLS() },
	} {
		t.Run(name, func(t *testing.T) {
			var protocol atomic.Value
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				protocol.Store(r.Proto)
				io.WriteString(w, `{"id":"gen-1","status":"queued"}`)
			}))
			var connections atomic.Int32
			srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					connections.Add(1)
				}
			}
			start(srv)
			defer srv.Close()
			transport := http.DefaultTransport.(*http.Transport).Clone()
			if srv.TLS != nil {
				transport.TLSClientConfig = srv.Client().Transport.(*http.Transport).TLSClientConfig
			}
			setDefaultTransport(t, transport)
			client, err := api.New(api.WithAPIKey(surplusKey), api.WithBaseURL(srv.URL))
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := client.Job("gen-1").Poll(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if got := protocol.Load(); !strings.HasPrefix(name, got.(string)) || connections.Load() != 1 {
				t.Errorf("%v, %d connections", got, connections.Load())
			}
		})
	}
}

// A program may have replaced net/http's default transport, as tracing does.
func TestOtherDefaultTransport(t *testing.T) {
	setDefaultTransport(t, roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("replaced") }))
	client, err := api.New(api.WithAPIKey(surplusKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Job("gen-1").Poll(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "replaced") {
		t.Errorf("%v", err)
	}
}
