package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/spec/wire"
)

//go:embed ui.html
var page []byte

// uiOptions are the flags of ui.
type uiOptions struct {
	*console
	place

	addr string
}

func newUI(c *console) *cobra.Command {
	o := &uiOptions{console: c}
	command := &cobra.Command{
		Use:     "ui [DIRECTORY]",
		Short:   "Serve a page that shows how far a batch is, on this machine only",
		Example: "  wan-batch ui videos/",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },
	}
	command.Flags().StringVar(&o.addr, "addr", "127.0.0.1:8090", "where to listen; port 0 chooses a free one")
	o.addExisting(command.Flags())
	return command
}

func (o *uiOptions) run(ctx context.Context, args []string) error {
	if host, _, err := net.SplitHostPort(o.addr); err != nil || !wire.IsLoopback(host) {
		return &usageError{fmt.Errorf("--addr: %q isn't an address of this machine such as 127.0.0.1:8090", o.addr)}
	}
	b, err := o.openIn(ctx, args)
	if err != nil {
		return err
	}
	defer b.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return &usageError{err}
	}
	server := &http.Server{Handler: loopbackOnly(newPage(b)), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second}
	fmt.Fprintf(o.stdout, "listening on http://%s\n", listener.Addr())
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newPage serves the page and the status that it shows.
func newPage(b *batch.Batch) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'")
		_, _ = w.Write(page)
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		status, err := b.Status(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = printJSON(w, status)
	})
	return mux
}

// loopbackOnly refuses requests for other hosts, which a page of another site could cause by DNS rebinding.
func loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !wire.IsLoopback(host) {
			http.Error(w, "not an address of this machine", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
