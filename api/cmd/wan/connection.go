package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// connection holds the flags about the way to the API.
type connection struct {
	baseURL      string
	insecureHTTP bool
	simulate     bool
	verbose      bool
	flags        *pflag.FlagSet
	transport    http.RoundTripper // replaces the client's own and needs no key; nil otherwise
}

func (c *connection) add(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.baseURL, "base-url", "", "base `URL` of the API; AIML_API_BASE or "+api.DefaultBaseURL+" if not given")
	flags.BoolVar(&c.insecureHTTP, "insecure-http", false, "allow the key over plain http to another machine")
	flags.BoolVar(&c.verbose, "verbose", false, "log requests and retries to stderr")
}

// arguments are the flags that reach the same API again.
func (c *connection) arguments() (args []string) {
	if c.baseURL != "" {
		args = append(args, "--base-url", c.baseURL)
	}
	if c.baseURL != "" && c.insecureHTTP {
		args = append(args, "--insecure-http")
	}
	return args
}

// client returns a client, connected to a simulator with --simulate. The caller calls stop.
func (c *connection) client(stderr io.Writer) (client *api.Client, stop func(), err error) {
	var opts []api.Option
	stop = func() {}
	if c.flags.Changed("base-url") && c.baseURL == "" {
		return nil, nil, inputError(errors.New("--base-url is empty"))
	}
	if c.simulate && c.baseURL != "" {
		return nil, nil, inputError(errors.New("--simulate and --base-url exclude each other"))
	}
	if c.verbose {
		opts = append(opts, api.WithLogger(slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	}
	if c.baseURL != "" {
		opts = append(opts, api.WithBaseURL(c.baseURL))
	}
	if c.insecureHTTP {
		opts = append(opts, api.WithInsecureHTTP())
	}
	if c.transport != nil {
		opts = append(opts, api.WithHTTPClient(&http.Client{Transport: c.transport}))
		if wire.Key() == "" {
			opts = append(opts, api.WithAPIKey("none"))
		}
	} else if c.simulate {
		server, err := simulator.Listen("127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, api.WithBaseURL(server.URL), api.WithAPIKey(server.Key))
		stop = server.Close
	}
	if client, err = api.New(opts...); err != nil {
		stop()
		return nil, nil, inFlags(err)
	}
	return client, stop, nil
}

// inFlags turns advice for programmers into advice for the command line.
func inFlags(err error) error {
	input, ok := errors.AsType[*api.InputError](err)
	switch {
	case errors.Is(err, api.ErrNoAPIKey):
		return inputError(errors.New("no API key: set AIML_API_KEY, or add --simulate to a model's command, which needs no key and costs nothing"))
	case ok && input.Property == "base URL":
		return inputError(errors.New("base URL: " + strings.NewReplacer("WithInsecureHTTP", "--insecure-http", "allow insecure http", "--insecure-http").Replace(input.Err.Error())))
	}
	return err
}
