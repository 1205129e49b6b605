package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// connection holds the flags with which a command reaches the API.
type connection struct {
	baseURL      string
	insecureHTTP bool
	simulate     bool
	verbose      bool
	flags        *pflag.FlagSet
	transport    http.RoundTripper // nil for the client's own; another one needs no key
}

func (c *connection) add(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.baseURL, "base-url", "", "where the API is; AIML_API_BASE or "+api.DefaultBaseURL+" if not given")
	flags.BoolVar(&c.insecureHTTP, "insecure-http", false, "let the key go over plain http to another machine")
	flags.BoolVar(&c.verbose, "verbose", false, "log what the client does to stderr")
}

// again is the command that takes up a job.
func (c *connection) again(id string) string {
	switch {
	case c.baseURL != "" && c.insecureHTTP:
		return "wan wait " + shellQuote(id) + " --base-url " + shellQuote(c.baseURL) + " --insecure-http"
	case c.baseURL != "":
		return "wan wait " + shellQuote(id) + " --base-url " + shellQuote(c.baseURL)
	}
	return "wan wait " + shellQuote(id)
}

// client makes a client, and a simulator for it if that is asked for. The caller calls stop.
func (c *connection) client(stderr io.Writer) (client *api.Client, stop func(), err error) {
	var opts []api.Option
	stop = func() {}
	if c.flags.Changed("base-url") && c.baseURL == "" {
		return nil, nil, inputError(errors.New("--base-url: it is empty"))
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
		if os.Getenv("AIML_API_KEY")+os.Getenv("AIMLAPI_API_KEY") == "" {
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
	client, err = api.New(opts...)
	if err != nil {
		stop()
		if errors.Is(err, api.ErrNoAPIKey) {
			err = inputError(errors.New("there is no API key: set AIML_API_KEY, or let a model's command --simulate, which needs none and costs nothing"))
		}
		return nil, nil, err
	}
	return client, stop, nil
}
