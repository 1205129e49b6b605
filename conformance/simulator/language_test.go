package simulator_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// Programs in other languages script the simulator over HTTP.
func TestOtherLanguages(t *testing.T) {
	for interpreter, program := range map[string]string{"python3": "testdata/control.py", "node": "testdata/control.mjs"} {
		t.Run(interpreter, func(t *testing.T) {
			path, err := exec.LookPath(interpreter)
			if err != nil {
				t.Skipf("%s isn't installed", interpreter)
			}
			srv := simulator.Start(t, simulator.WithRetention(24*time.Hour))
			out, err := exec.CommandContext(t.Context(), path, program, srv.URL, srv.Key).CombinedOutput()
			if err != nil || string(out) != "3 created, 2 charged\n" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
