//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

const canaryKey = "canary/7f3b9c2e+d1a8460b5e"

// echoServer repeats the key of each request wherever a response can hold it, and sends surplus bytes with it behind the
// response, which net/http reports through the standard logger.
func echoServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

func echo(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		key := strings.TrimPrefix(request.Header.Get("Authorization"), "Bearer ")
		escaped := strings.NewReplacer("/", `\/`, "+", `\u002B`).Replace(key)
		body := fmt.Sprintf(`{"message":"%s and %s and %s","statusCode":400,"path":"%[2]s","requestId":"%[1]s"}`, key, escaped, key[:len(key)-2])
		fmt.Fprintf(conn, "HTTP/1.1 400 %s\r\nContent-Type: application/json\r\nX-Request-Id: %[1]s\r\nContent-Length: %d\r\n\r\n%s", key, len(body), body)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", key) // nobody asked for this one
	}
}

// No output of any command shows the key, whatever the server sends.
func TestCanary(t *testing.T) {
	url := echoServer(t)
	shown := func(t *testing.T, text string) {
		t.Helper()
		for _, secret := range []string{canaryKey, canaryKey[:len(canaryKey)-2], strings.ReplaceAll(canaryKey, "/", `\/`)} {
			if strings.Contains(text, secret) {
				t.Errorf("the key is shown:\n%s", text)
				return
			}
		}
	}
	for name, args := range map[string][]string{
		"submit":         move("--base-url", url),
		"submit verbose": move("--base-url", url, "--verbose", "--json"),
		"wait":           {"wait", "id", "--base-url", url, "--verbose"},
		"get":            {"get", "id", "--base-url", url, "--json", "--verbose"},
		"dry run":        move("--base-url", url, "--dry-run"),
		"conformance":    {"conformance", "--target", url, "--run", "^animate-move/required", "--spend", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), "wan", args...)
			command.Env = append(os.Environ(), "AIML_API_KEY="+canaryKey)
			output, err := command.CombinedOutput()
			if err != nil && command.ProcessState.ExitCode() < 0 {
				t.Fatal(err)
			}
			shown(t, string(output))
		})
	}
	t.Run("proxy", func(t *testing.T) {
		command := exec.CommandContext(t.Context(), "wan", "proxy", "--upstream", url)
		command.Env = append(os.Environ(), "AIML_API_KEY="+canaryKey)
		var stderr bytes.Buffer
		command.Stderr = &stderr
		stdout, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(stdout).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		address := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
		for range 3 {
			post(t, address, canaryKey, `{"model":"`+canaryKey+`"}`)
		}
		if err := command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		_ = command.Wait()
		shown(t, line+stderr.String())
	})
}
