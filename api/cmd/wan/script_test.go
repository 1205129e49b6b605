//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// TestScripts runs the command as a process. The scripts have two commands of their own:
//
//	simulator FLAG...   starts a simulator with the flags of wan simulate, in which generations complete at once, and
//	                    makes it the API
//	ledger TEXT...      checks that the simulator counts, for example, "1 created" and "0 charged"
//	proxy               starts a proxy for all hosts but this one, which refuses every connection
//	proxied             checks that it has refused a connection
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"simulator": startSimulator, "ledger": checkLedger, "proxy": startProxy, "proxied": checkProxy},
	})
}

func startSimulator(ts *testscript.TestScript, _ bool, args []string) {
	o := &simulateOptions{console: &console{stderr: newRelay(io.Discard)}}
	flags := pflag.NewFlagSet("simulator", pflag.ContinueOnError)
	o.add(flags)
	ts.Check(flags.Parse(append([]string{"--queued", "0", "--generating", "0", "--key", "key-of-the-scripts"}, args...)))
	opts, err := o.options()
	ts.Check(err)
	srv, err := simulator.Listen("127.0.0.1:0", opts...)
	ts.Check(err)
	ts.Defer(srv.Close)
	ts.Setenv("AIML_API_BASE", srv.URL)
	ts.Setenv("AIML_API_KEY", o.key)
	simulators.Store(ts, srv)
}

var proxies sync.Map // of *testscript.TestScript to *atomic.Int64

func startProxy(ts *testscript.TestScript, _ bool, _ []string) {
	connections := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		connections.Add(1)
		w.WriteHeader(http.StatusTeapot)
	}))
	ts.Defer(srv.Close)
	ts.Setenv("HTTPS_PROXY", srv.URL)
	proxies.Store(ts, connections)
}

func checkProxy(ts *testscript.TestScript, neg bool, _ []string) {
	value, _ := proxies.Load(ts)
	if n := value.(*atomic.Int64).Load(); (n == 0) != neg {
		ts.Fatalf("%d connections", n)
	}
}

var simulators sync.Map // of *testscript.TestScript to *simulator.Server

func checkLedger(ts *testscript.TestScript, _ bool, args []string) {
	value, _ := simulators.Load(ts)
	l := value.(*simulator.Server).Ledger()
	counts := []string{fmt.Sprint(l.Created, " created"), fmt.Sprint(l.Charged, " charged"), fmt.Sprint(l.Polls, " polls")}
	for _, want := range args {
		if !slices.Contains(counts, want) {
			ts.Fatalf("the ledger has %s", strings.Join(counts, ", "))
		}
	}
}
