package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is a Simulator that listens.
type Server struct {
	*Simulator

	// URL is the base URL, such as "http://127.0.0.1:41953".
	URL string
	// Key is an API key that the server accepts.
	Key string

	mu       sync.Mutex
	http     *http.Server
	listener net.Listener
	done     chan struct{} // closed when the server has stopped serving
	client   *http.Client
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Listen starts a server on a TCP address such as "127.0.0.1:8080". Port 0 chooses a free one. The caller closes it.
func Listen(addr string, opts ...Option) (*Server, error) {
	listener, err := net.Listen("tcp", addr) //nolint:noctx // it doesn't wait
	if err != nil {
		return nil, err
	}
	return serve(listener, new(net.Dialer).DialContext, opts), nil
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Cleanup(f func())
	Fatalf(format string, args ...any)
}

// Start starts a server on loopback for the length of a test.
func Start(t TB, opts ...Option) *Server {
	t.Helper()
	s, err := Listen("127.0.0.1:0", opts...)
	if err != nil {
		t.Fatalf("simulator: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// StartInMemory starts a server on a network within the process, for the length of a test. It is reached through
// [Server.Client] only and works in a testing/synctest bubble.
func StartInMemory(t TB, opts ...Option) *Server {
	t.Helper()
	m := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	s := serve(m, m.dial, opts)
	t.Cleanup(s.Close)
	return s
}

func serve(listener net.Listener, dial func(context.Context, string, string) (net.Conn, error), opts []Option) *Server {
	key := fmt.Sprintf("simulator-%016x", rand.Uint64())
	s := &Server{
		Simulator: New(append([]Option{WithKey(key)}, opts...)...),
		URL:       "http://" + listener.Addr().String(),
		dial:      dial,
	}
	if s.Key = s.key; s.Key == "" {
		s.Key = key // as good as any
	}
	s.client = &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 100}}
	s.start(listener)
	return s
}

func (s *Server) start(listener net.Listener) {
	s.listener = listener
	s.http = &http.Server{
		Handler:           s.Simulator,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // faults make net/http complain
	}
	s.done = make(chan struct{})
	go func(server *http.Server, done chan struct{}) {
		defer close(done)
		_ = server.Serve(listener)
	}(s.http, s.done)
}

// Client returns an HTTP client that reaches the server, also one in memory.
func (s *Server) Client() *http.Client { return s.client }

// Down makes the server refuse connections until [Server.Up]. Requests under way are broken off.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.http.Close()
	<-s.done
	s.client.CloseIdleConnections()
}

// Up ends what Down began. It fails when the port has been taken meanwhile.
func (s *Server) Up() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.listener.(*memory); ok {
		m.reopen()
		s.start(m)
		return nil
	}
	listener, err := net.Listen("tcp", s.listener.Addr().String()) //nolint:noctx // it doesn't wait
	if err != nil {
		return err
	}
	s.start(listener)
	return nil
}

// Close stops the server and breaks off requests under way.
func (s *Server) Close() { s.Down() }

// Shutdown stops the server once the requests under way are answered or the context is done.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.http.Shutdown(ctx)
	<-s.done
	return err
}

// memory is a network of one listener.
type memory struct {
	mu     sync.Mutex
	conns  chan net.Conn
	closed chan struct{}
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	m.mu.Lock()
	closed := m.closed
	m.mu.Unlock()
	client, server := net.Pipe()
	select {
	case m.conns <- server:
		return client, nil
	case <-closed:
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: m.Addr(), Err: errors.New("connection refused")}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	m.mu.Lock()
	closed := m.closed
	m.mu.Unlock()
	select {
	case conn := <-m.conns:
		return conn, nil
	case <-closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-m.closed:
	default:
		close(m.closed)
	}
	return nil
}

func (m *memory) reopen() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = make(chan struct{})
}

// Addr looks like loopback, so that clients trust it as they trust a local server.
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
