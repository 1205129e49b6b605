//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// TestScripts runs the command as a process, each script of testdata/script with a simulator of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			srv, err := simulator.Listen("127.0.0.1:0",
				simulator.WithModelTimeline("animate-move", simulator.Complete(300*time.Millisecond, 2*time.Second)),
				simulator.WithModelTimeline("animate-replace", simulator.Fail("SafetyCheckFailed", "The input was refused.")),
				simulator.WithModelTimeline("vace-fun-pose", simulator.Complete(time.Hour, 0)),
			)
			if err != nil {
				return err
			}
			env.Defer(srv.Close)
			env.Setenv("AIML_API_BASE", srv.URL)
			env.Setenv("AIML_API_KEY", srv.Key)
			env.Setenv("KEY", srv.Key)
			return nil
		},
	})
}
