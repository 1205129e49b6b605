package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// serve calls wait, which serves until shutdown is called, until the context ends. Requests in flight then have two
// seconds to end.
func serve(ctx context.Context, wait func() error, shutdown func(context.Context) error) error {
	served := make(chan error, 1)
	go func() { served <- wait() }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_ = shutdown(ctx)
	return nil
}

// shutdownServer ends an http.Server, and with the context the connections that are still open.
func shutdownServer(server *http.Server) func(context.Context) error {
	return func(ctx context.Context) error {
		if server.Shutdown(ctx) != nil {
			return server.Close()
		}
		return nil
	}
}

// listen refuses the empty address, which would be every address of this machine.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	if err := checkAddr(addr); err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	return listener, inputError(err)
}

func checkAddr(addr string) error {
	if addr == "" {
		return inputError(errors.New("--addr is empty: give a host and a port such as 127.0.0.1:8080"))
	}
	return nil
}
