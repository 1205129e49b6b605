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

type proxyOptions struct {
	*console

	record               string
	upstream, addr       string
	insecureHTTP, strict bool
	json                 bool
}

func newProxy(c *console) *cobra.Command {
	o := &proxyOptions{console: c}
	command := &cobra.Command{
		Use:   "proxy --upstream URL",
		Short: "Validate the traffic between a client and a server",
		Long: "Pass on the traffic between any client and any server, unchanged, until Ctrl-C, and validate it against the specs. " +
			"Each finding is a line on stderr: where it is, what the spec expects and what was received, shortened.\n\n" +
			"Exit codes:\n" +
			"  0  no violations\n" +
			"  1  violations\n" +
			"  2  bad input, or the address is in use",
		Example: "  wan proxy --upstream https://api.aimlapi.com --addr 127.0.0.1:8080",
		GroupID: "servers",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runProxy(cmd.Context(), o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.upstream, "upstream", "", "base `URL` of the server")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "`ADDRESS` to listen on; port 0 chooses a free one")
	flags.StringVar(&o.record, "record", "", "write each exchange, redacted, to a file in `DIR`, for wan simulate --replay")
	flags.BoolVar(&o.strict, "strict", false, "refuse requests with a violation: respond 400 and don't pass them on")
	flags.BoolVar(&o.json, "json", false, "print JSON objects on stdout, one in a line: first the address, then the findings")
	flags.BoolVar(&o.insecureHTTP, "insecure-http", false, "allow keys over plain http to another machine")
	return command
}

func runProxy(ctx context.Context, o *proxyOptions) error {
	if o.upstream == "" {
		return inputError(errors.New("--upstream is required"))
	}
	upstream, err := wire.ParseBaseURL(o.upstream, o.insecureHTTP)
	if err != nil {
		return inputError(fmt.Errorf("--upstream: %w", err))
	}
	if o.addr == "" {
		return inputError(errNoAddr)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return inputError(err)
	}
	if conformance.LeadsTo(ctx, upstream, listener.Addr()) {
		listener.Close()
		return inputError(errors.New("--upstream is the proxy itself"))
	}
	f := &findings{proxyOptions: o, stdout: newRelay(o.stdout)}
	defer f.stdout.close()
	transport := &conformance.Transport{OnFinding: f.add, Strict: o.strict}
	if o.record != "" {
		transport.Base = &conformance.Recorder{Dir: o.record, OnError: func(err error) { o.printError(err) }}
	}
	server := &http.Server{
		Handler:           conformance.NewProxy(upstream, transport),
		ReadHeaderTimeout: 10 * time.Second,
	}
	if url := wire.ListenerURL("http", listener.Addr()); o.json {
		_ = json.NewEncoder(f.stdout).Encode(map[string]string{"listening_on": url})
	} else {
		fmt.Fprintln(f.stdout, "listening on "+url)
	}
	return errors.Join(serve(ctx, server, listener), f.verdict())
}

// errNoAddr refuses what would be every address of this machine.
var errNoAddr = errors.New("--addr is empty: give a host and a port such as 127.0.0.1:8080")

// serve serves until the context ends. Requests in flight then have two seconds to end.
func serve(ctx context.Context, server *http.Server, listener net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		server.Close()
	}
	return nil
}

// findings prints and counts what the proxy finds. A reader that blocks doesn't hold up the traffic.
type findings struct {
	*proxyOptions

	stdout     *relay
	mu         sync.Mutex
	violations int
}

func (f *findings) add(found conformance.Finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if found.Grade == conformance.Violation {
		f.violations++
	}
	if f.json {
		_ = json.NewEncoder(f.stdout).Encode(found)
		return
	}
	fmt.Fprintln(f.stderr, found)
}

func (f *findings) verdict() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.violations > 0 {
		return fmt.Errorf("violations: %d", f.violations)
	}
	return nil
}
