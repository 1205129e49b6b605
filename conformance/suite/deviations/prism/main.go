//go:build unix

// Command prism mocks the whole API with Prism, for the deviations in ../prism.yaml. Prism mocks one spec per process; this
// command starts one for each spec and forwards each request by its method and model.
//
//	go run ./conformance/suite/deviations/prism
//	go run ./api/cmd/wan conformance --target http://127.0.0.1:4010 --key any-key --spend -1 \
//		--deviations conformance/suite/deviations/prism.yaml
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aimlvideo/wan-go/spec"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:4010", "address to listen on; the mocks take the ports after it")
	command := flag.String("prism", "npx --yes @stoplight/prism-cli@5.14.2", "command that runs Prism")
	flag.Parse()
	if err := run(*addr, strings.Fields(*command)); err != nil {
		fmt.Fprintln(os.Stderr, "prism:", err)
		os.Exit(1)
	}
}

func run(addr string, command []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	host, text, _ := strings.Cut(addr, ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("address %q: %w", addr, err)
	}
	directory, err := os.MkdirTemp("", "prism-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	if err := os.CopyFS(directory, spec.Files); err != nil {
		return err
	}
	mocks := map[string]http.Handler{} // by model; "" polls
	for i, d := range append(spec.Models(), spec.Generation()) {
		address := fmt.Sprintf("%s:%d", host, port+1+i)
		args := slices.Concat(command[1:], []string{"mock", "--host", host, "--port", strconv.Itoa(port + 1 + i), filepath.Join(directory, d.Slug+".yaml")})
		mock := exec.CommandContext(ctx, command[0], args...) //nolint:gosec // the user's own command
		mock.Stderr = os.Stderr
		mock.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		mock.Cancel = func() error { return syscall.Kill(-mock.Process.Pid, syscall.SIGTERM) } // npx and what it starts
		if err := mock.Start(); err != nil {
			return err
		}
		defer func() { _ = mock.Wait() }()
		mocks[d.Model] = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: address})
	}
	server := &http.Server{Addr: addr, Handler: forward(mocks), ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("http://%s forwards to %d mocks, which take some seconds to start\n", addr, len(mocks))
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// forward sends a request to the mock of its model. Without a known model, any will do.
func forward(mocks map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		var request struct{ Model string }
		mock := mocks[""]
		if r.Method == http.MethodPost {
			if json.Unmarshal(body, &request) != nil || mocks[request.Model] == nil || request.Model == "" {
				request.Model = spec.Models()[0].Model
			}
			mock = mocks[request.Model]
		}
		mock.ServeHTTP(w, r)
	})
}
