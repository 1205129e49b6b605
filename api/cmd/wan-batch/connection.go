package main

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/cmd/internal/login"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// A connection is the way to the API.
type connection struct {
	baseURL                string
	insecureHTTP, simulate bool
}

func (c *connection) add(flags *pflag.FlagSet) {
	flags.StringVar(&c.baseURL, "base-url", "", "base `URL` of the API; AIML_API_BASE or "+api.DefaultBaseURL+" if not given")
	flags.BoolVar(&c.insecureHTTP, "insecure-http", false, "allow the key over plain http to another machine")
}

// open returns a client. The simulator keeps its jobs in the directory. The caller calls stop.
func (c *connection) open(directory string) (client *api.Client, stop func(), err error) {
	base, key, stop := cmp.Or(c.baseURL, wire.BaseURL(), api.DefaultBaseURL), cmp.Or(wire.Key(), login.Key()), func() {}
	if c.simulate {
		if c.baseURL != "" {
			return nil, nil, &usageError{errors.New("--simulate and --base-url exclude each other")}
		}
		if err := os.MkdirAll(directory, 0o777); err != nil { //nolint:gosec // the umask decides
			return nil, nil, &usageError{err}
		}
		server, err := simulator.Listen("127.0.0.1:0", simulator.WithTimeline(simulator.Complete(time.Second, 2*time.Second)),
			simulator.WithKey("simulator-of-wan-batch"), simulator.WithState(filepath.Join(directory, "simulator.jsonl")))
		if err != nil {
			return nil, nil, err
		}
		base, key, stop = server.URL, server.Key, server.Close
	}
	// A 429 pauses all submissions of the batch, so the client doesn't wait by itself.
	opts := []api.Option{api.WithBaseURL(base), api.WithAPIKey(key), api.WithRetryWindow(0)}
	if c.insecureHTTP {
		opts = append(opts, api.WithInsecureHTTP())
	}
	if client, err = api.New(opts...); err != nil {
		stop()
		if errors.Is(err, api.ErrNoAPIKey) {
			err = errors.New("no API key: set AIML_API_KEY, run wan auth login, or add --simulate, which needs no key and costs nothing")
		}
		return nil, nil, &usageError{err}
	}
	return client, stop, nil
}
