package main

import (
	"io"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// A simulator that can't accept connections any more ends and says why.
func TestSimulateFails(t *testing.T) {
	stdout, w := io.Pipe()
	stderr := new(buffer)
	done := make(chan int, 1)
	go func() {
		done <- run(t.Context(), []string{"simulate", "--addr", "127.0.0.1:0"}, strings.NewReader(""), w, stderr)
	}()
	line := make([]byte, 100)
	n, err := stdout.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(strings.TrimSpace(strings.TrimPrefix(string(line[:n]), "listening on http://")))
	if err != nil {
		t.Fatal(err)
	}
	endListening(t, port)
	if code := <-done; code != exitTrouble || !strings.Contains(stderr.String(), "accept") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// endListening makes the socket of this process that listens on the port refuse to go on.
func endListening(t *testing.T, port string) {
	t.Helper()
	for fd := range 1024 {
		address, err := syscall.Getsockname(fd)
		if err != nil {
			continue
		}
		listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
		if v4, ok := address.(*syscall.SockaddrInet4); err == nil && listens == 1 && ok && strconv.Itoa(v4.Port) == port {
			if err := syscall.Shutdown(fd, syscall.SHUT_RD); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("nothing listens on port %s", port)
}
