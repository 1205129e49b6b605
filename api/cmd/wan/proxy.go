package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// newProxy makes the command that stands between a client and a server and tells what doesn't fit the documents.
func newProxy() *cobra.Command {
	var (
		upstream, addr       string
		insecure, strict, js bool
	)
	command := &cobra.Command{
		Use:   "proxy --upstream URL",
		Short: "Stand between a client and a server, and tell what doesn't fit the documents",
		Long: "Stand between any client and any server until Ctrl-C. Everything is passed on as it is. What doesn't fit the\n" +
			"documents is told on stderr, a line for each finding: where it is, what was expected and what was there, shortened.\n\n" +
			"Exit codes:\n" +
			"  0  no violation was found\n" +
			"  1  some were\n" +
			"  2  bad flags, or the address is taken",
		Example: "  wan proxy --upstream https://api.aimlapi.com --addr 127.0.0.1:8080",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if upstream == "" {
				return inputError(errors.New("--upstream is required"))
			}
			target, err := wire.ParseBaseURL(upstream, insecure)
			if err != nil {
				return inputError(fmt.Errorf("--upstream: %w", err))
			}
			if err := checkAddr(addr); err != nil {
				return err
			}
			listener, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", addr)
			if err != nil {
				return inputError(err)
			}
			told := &findings{cmd: cmd, json: js}
			server := &http.Server{
				Handler:           conformance.NewProxy(target, &conformance.Transport{OnFinding: told.tell, Strict: strict}),
				ReadHeaderTimeout: 10 * time.Second,
			}
			served := make(chan error, 1)
			go func() { served <- server.Serve(listener) }()
			told.listening("http://" + listener.Addr().String())
			select {
			case <-cmd.Context().Done():
			case err := <-served:
				return err
			}
			ctx, cancel := context.WithTimeout(context.WithoutCancel(cmd.Context()), 2*time.Second)
			defer cancel()
			if server.Shutdown(ctx) != nil {
				server.Close()
			}
			return told.verdict()
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVar(&upstream, "upstream", "", "base `URL` of the server")
	flags.StringVar(&addr, "addr", "127.0.0.1:0", "where to listen; port 0 chooses a free one")
	flags.BoolVar(&strict, "strict", false, "refuse requests with a violation: they are answered 400 and not passed on")
	flags.BoolVar(&js, "json", false, "print JSON objects on stdout instead, a line for each: first the address, then the findings")
	flags.BoolVar(&insecure, "insecure-http", false, "let keys go over plain http to another machine")
	return command
}

// findings tells what the proxy finds, and counts it.
type findings struct {
	cmd  *cobra.Command
	json bool

	mu         sync.Mutex
	violations int
}

func (f *findings) listening(url string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.json {
		_ = json.NewEncoder(f.cmd.OutOrStdout()).Encode(map[string]string{"listening_on": url})
		return
	}
	fmt.Fprintf(f.cmd.OutOrStdout(), "listening on %s\n", url)
}

func (f *findings) tell(found conformance.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if found.Grade == conformance.Violation {
		f.violations++
	}
	if f.json {
		_ = json.NewEncoder(f.cmd.OutOrStdout()).Encode(found)
		return
	}
	fmt.Fprintln(f.cmd.ErrOrStderr(), found)
}

func (f *findings) verdict() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.violations > 0 {
		return fmt.Errorf("violations found: %d", f.violations)
	}
	return nil
}
