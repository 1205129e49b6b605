package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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

// A simulator that was killed among submissions resumes with its state file, and so does a client that waits.
func TestSimulateKill(t *testing.T) {
	t.Setenv("AIML_API_KEY", "any-key")
	state := filepath.Join(t.TempDir(), "state.jsonl")
	addr, url, kill := startSimulate(t, "127.0.0.1:0", state)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	submitted := make(chan string, 100)
	go func() {
		defer close(submitted)
		for {
			id, err := submitTo(ctx, url)
			if err != nil {
				return
			}
			submitted <- id
		}
	}()
	first := <-submitted
	waits := make(chan outcome)
	go func() { waits <- runWan(t, t.Context(), new(buffer), "wait", first, "--base-url", url) }()
	runWan(t, t.Context(), new(buffer), "simulate", "--addr", "127.0.0.1:0", "--state", state).check(t, exitInput, "", "another simulator uses")
	for range 20 {
		<-submitted
	}
	kill()
	cancel()
	_, _, kill = startSimulate(t, addr, state)
	defer kill()
	for id := range submitted {
		if o := runWan(t, t.Context(), new(buffer), "get", id, "--base-url", url); o.code != exitDone {
			t.Errorf("%s is lost: %+v", id, o)
		}
	}
	if o := <-waits; o.code != exitDone {
		t.Errorf("the wait ends with %+v", o)
	}
}

// startSimulate runs wan simulate as a process (see TestMain) and returns what it listens on.
func startSimulate(t *testing.T, addr, state string) (listens, url string, kill func()) {
	t.Helper()
	command := exec.Command("wan", "simulate", "--addr", addr, "--state", state, "--generating", "3s", "--log", "none")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%q: %v", line, err)
	}
	return strings.TrimPrefix(url, "http://"), url, kill
}

func submitTo(ctx context.Context, url string) (id string, err error) {
	body := `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v2/video/generations", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer any-key")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var generation struct{ ID string }
	err = json.NewDecoder(response.Body).Decode(&generation)
	return generation.ID, err
}
