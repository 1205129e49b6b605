package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/login"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec/redact"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// connection holds the flags about the way to the API.
type connection struct {
	baseURL      string
	insecureHTTP bool
	simulate     bool
	verbose      bool
	httpResults  bool
	maxDownload  int64 // in MiB; 0 is no limit
	flags        *pflag.FlagSet
	notice       func(text string) // shows a download's retries; nil before there is a progress
	maxMedia     int64             // in MiB
	transport    http.RoundTripper // replaces the client's own and needs no key; nil otherwise
}

func (c *connection) add(flags *pflag.FlagSet) {
	c.flags = flags
	flags.StringVar(&c.baseURL, "base-url", "", "base `URL` of the API; AIML_API_BASE or "+api.DefaultBaseURL+" if not given")
	flags.BoolVar(&c.insecureHTTP, "insecure-http", false, "allow the key over plain http to another machine")
	flags.BoolVar(&c.verbose, "verbose", false, "log requests and retries to stderr")
}

// addDownload adds the flags about downloads.
func (c *connection) addDownload(flags *pflag.FlagSet) {
	flags.BoolVar(&c.httpResults, "insecure-results", false, "allow videos over plain http")
	flags.Int64Var(&c.maxDownload, "max-download", 2048, "the largest video in MiB; 0 is no limit")
}

// arguments are the flags that reach the same API again.
func (c *connection) arguments() (args []string) {
	if c.baseURL != "" {
		args = append(args, "--base-url", c.baseURL)
	}
	if c.baseURL != "" && c.insecureHTTP {
		args = append(args, "--insecure-http")
	}
	if c.httpResults {
		args = append(args, "--insecure-results")
	}
	if c.flags != nil && c.flags.Changed("max-download") {
		args = append(args, "--max-download", strconv.FormatInt(c.maxDownload, 10))
	}
	return args
}

// client returns a client, connected to a simulator with --simulate. The caller calls stop.
func (c *connection) client(stderr io.Writer) (client *api.Client, stop func(), err error) {
	switch {
	case c.flags.Changed("base-url") && c.baseURL == "":
		return nil, nil, inputError(errors.New("--base-url is empty"))
	case c.simulate && c.baseURL != "":
		return nil, nil, inputError(errors.New("--simulate and --base-url exclude each other"))
	case c.maxDownload < 0:
		return nil, nil, inputError(errors.New("--max-download can't be negative"))
	}
	opts := []api.Option{api.WithLogger(slog.New(c.logHandler(stderr))), api.WithMaxDownload(c.maxDownload << 20), api.WithMaxMedia(c.maxMedia << 20)}
	if c.baseURL != "" {
		opts = append(opts, api.WithBaseURL(c.baseURL))
	}
	if c.insecureHTTP {
		opts = append(opts, api.WithInsecureHTTP())
	}
	if c.httpResults {
		opts = append(opts, api.WithInsecureResults())
	}
	key := cmp.Or(wire.Key(), login.Key())
	stop = func() {}
	switch {
	case c.transport != nil:
		opts = append(opts, api.WithHTTPClient(&http.Client{Transport: c.transport}))
		key = cmp.Or(key, "none")
	case c.simulate:
		server, err := simulator.Listen("127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		opts = append(opts, api.WithBaseURL(server.URL))
		key, stop = server.Key, server.Close
	}
	if key != "" {
		opts = append(opts, api.WithAPIKey(key))
	}
	if client, err = api.New(opts...); err != nil {
		stop()
		return nil, nil, inFlags(err)
	}
	return client, stop, nil
}

func (c *connection) logHandler(stderr io.Writer) slog.Handler {
	if c.verbose {
		return slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug})
	}
	return &noticeHandler{slog.DiscardHandler, c}
}

// A noticeHandler shows the client's retries of submissions and downloads, which may last for minutes. Polls have a
// callback.
type noticeHandler struct {
	slog.Handler

	connection *connection
}

func (h *noticeHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.connection.notice != nil
}

func (h *noticeHandler) Handle(_ context.Context, record slog.Record) error {
	if strings.HasPrefix(record.Message, "poll") {
		return nil
	}
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "bytes":
			text += " at " + size(a.Value.Int64())
		case "pause":
			text += " in " + a.Value.Duration().Round(100*time.Millisecond).String()
		case "error":
			if err, ok := a.Value.Any().(error); ok {
				text += ": " + message(err)
			}
		}
		return true
	})
	h.connection.notice(text)
	return nil
}

// printBody prints the body of a response that couldn't be used, which the client has redacted.
func (c *connection) printBody(w io.Writer, err error) {
	if response, ok := errors.AsType[*api.ResponseError](err); ok && c.verbose && len(response.Body) > 0 {
		fmt.Fprintln(w, "response body: "+redact.Printable(string(response.Body), "\n\t"))
	}
}

// inFlags turns advice for programmers into advice for the command line.
func inFlags(err error) error {
	input, ok := errors.AsType[*api.InputError](err)
	switch {
	case errors.Is(err, api.ErrNoAPIKey):
		return inputError(errors.New("no API key: set AIML_API_KEY, run wan auth login, or add --simulate to a model's command, which needs no key and costs nothing"))
	case ok && input.Property == "base URL":
		return inputError(errors.New("base URL: " + strings.ReplaceAll(input.Err.Error(), "WithInsecureHTTP", "--insecure-http")))
	}
	return err
}
