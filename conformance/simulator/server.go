package simulator

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

// A Server is a Simulator with a listener.
type Server struct {
	*Simulator

	// URL is the base URL, such as "http://127.0.0.1:41953".
	URL string
	// Key is an API key that the server accepts.
	Key string

	client  *http.Client
	mu      sync.Mutex
	serving *serving
}

// A serving is one period between Up and Close.
type serving struct {
	listener net.Listener
	http     *http.Server
	busy     sync.WaitGroup // connections and handlers
	done     chan struct{}  // closed at the end
	err      error          // cause of the end
}

// Listen starts a server on a TCP address such as "127.0.0.1:8080"; port 0 chooses a free port. The caller must close it.
func Listen(addr string, opts ...Option) (*Server, error) {
	sim, err := newServed(opts)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr) //nolint:noctx // doesn't block
	if err != nil {
		sim.closeState()
		return nil, err
	}
	return serve(sim, listener, new(net.Dialer).DialContext), nil
}

// TB is the part of testing.TB that Start uses.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatalf(format string, args ...any)
}

// Start starts a server on loopback. It closes when the test ends.
func Start(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", opts...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// StartInMemory starts a server on an in-process network that only [Server.Client] reaches. It works in a testing/synctest
// bubble and closes when the test ends.
func StartInMemory(t TB, opts ...Option) *Server {
	t.Helper()
	sim, err := newServed(opts)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var s *Server
	s = serve(sim, newMemory(), func(ctx context.Context, _, _ string) (net.Conn, error) {
		return s.current().listener.(*memory).dial(ctx)
	})
	t.Cleanup(s.Close)
	return s
}

// newServed returns a Simulator that accepts only a random key unless an option says otherwise.
func newServed(opts []Option) (*Simulator, error) {
	return newSimulator(append([]Option{WithKey(newKey())}, opts...))
}

func newKey() string { return fmt.Sprintf("simulator-%016x", rand.Uint64()) }

func serve(sim *Simulator, listener net.Listener, dial func(context.Context, string, string) (net.Conn, error)) *Server {
	scheme, transport := "http", &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 100}
	if sim.certificate != nil {
		scheme = "https"
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
		transport.ForceAttemptHTTP2 = true
		if leaf, err := x509.ParseCertificate(sim.certificate.Certificate[0]); err == nil {
			transport.TLSClientConfig.RootCAs.AddCert(leaf)
		}
	}
	s := &Server{
		Simulator: sim,
		URL:       wire.ListenerURL(scheme, listener.Addr()),
		Key:       cmp.Or(sim.key, newKey()), // if it accepts any, use a random one
		client:    &http.Client{Transport: transport},
	}
	s.start(listener)
	return s
}

func (s *Server) start(listener net.Listener) {
	v := &serving{listener: listener, done: make(chan struct{})}
	v.http = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.busy.Add(1)
			defer v.busy.Done()
			if r.ContentLength != 0 {
				body := &timedBody{r.Body, http.NewResponseController(w)}
				body.extend()
				r.Body = body
			}
			s.ServeHTTP(w, r)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				v.busy.Add(1)
			case http.StateHijacked, http.StateClosed:
				v.busy.Done()
			}
		},
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // faults cause noise
	}
	serve := v.http.Serve
	if s.certificate != nil {
		v.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*s.certificate}}
		serve = func(l net.Listener) error { return v.http.ServeTLS(l, "", "") }
	}
	s.serving = v
	go func() {
		defer close(v.done)
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			v.err = err
		}
	}()
}

// bodyTimeout is how long the server waits for the next bytes of a body.
const bodyTimeout = 30 * time.Second

// A timedBody is the body of a request whose sender may stall.
type timedBody struct {
	io.ReadCloser

	control *http.ResponseController
}

func (b *timedBody) extend() { _ = b.control.SetReadDeadline(time.Now().Add(bodyTimeout)) }

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
		b.extend()
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{}) // the handler may take its time
	}
	return n, err
}

// Client returns an HTTP client that reaches the server, including one in memory.
func (s *Server) Client() *http.Client { return s.client }

// Close breaks all connections and refuses new ones until [Server.Up]. It returns when all handlers have returned, so an
// [Effect] can't call it.
func (s *Server) Close() {
	v := s.current()
	v.http.Close()
	<-v.done
	v.busy.Wait()
	s.client.CloseIdleConnections()
	s.closeState()
}

func (s *Server) current() *serving {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.serving
}

// Up restarts the server after Close. It returns an error if the port is taken or the server isn't closed. With [WithState]
// it starts from the file, otherwise it has the jobs from before.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.serving.done:
	default:
		return errors.New("simulator: the server isn't closed")
	}
	if s.statePath != "" {
		if err := s.restart(); err != nil {
			return err
		}
	}
	listener := net.Listener(newMemory())
	if addr := s.serving.listener.Addr(); addr != memoryAddr {
		var err error
		if listener, err = net.Listen("tcp", addr.String()); err != nil { //nolint:noctx // doesn't block
			return err
		}
	}
	s.start(listener)
	return nil
}

// Wait blocks until the server is closed, and then returns nil, or until its listener fails.
func (s *Server) Wait() error {
	v := s.current()
	<-v.done
	return v.err
}

// memory is the listener of an in-process network.
type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newMemory() *memory {
	closed := make(chan struct{})
	return &memory{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (m *memory) dial(ctx context.Context) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.conns <- server:
		return client, nil
	case <-m.closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: memoryAddr, Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case conn := <-m.conns:
		return conn, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.close()
	return nil
}

// memoryAddr is loopback, so that clients allow plain http.
var memoryAddr net.Addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

func (*memory) Addr() net.Addr { return memoryAddr }
