package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/spec/wire"
)

//go:embed ui.html
var page []byte

func newUI(c *console) *cobra.Command {
	var p place
	var addr string
	command := &cobra.Command{
		Use:     "ui [DIRECTORY]",
		Short:   "Serve a page that shows how far a batch is, on this machine only",
		Example: "  wan-batch ui videos/",
		Args:    atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if host, _, err := net.SplitHostPort(addr); err != nil || !wire.IsLoopback(host) {
				return &usageError{fmt.Errorf("--addr: %q isn't an address of this machine such as 127.0.0.1:8090", addr)}
			}
			b, err := p.openExisting(cmd.Context(), args)
			if err != nil {
				return err
			}
			defer b.Close()
			ctx, stop := interruptible(cmd.Context(), c)
			defer stop()
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
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
			if err != nil {
				return &usageError{err}
			}
			server := &http.Server{Handler: loopbackOnly(mux), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second}
			fmt.Fprintf(c.stdout, "listening on http://%s\n", listener.Addr())
			go func() {
				<-ctx.Done()
				_ = server.Close()
			}()
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
	}
	command.Flags().StringVar(&addr, "addr", "127.0.0.1:8090", "where to listen; port 0 chooses a free one")
	p.add(command.Flags())
	return command
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
