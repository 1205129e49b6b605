package api_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// Over HTTP/2, net/http has other ways to send a request again. None of them makes a second job.
func TestHTTP2(t *testing.T) {
	tests := []struct {
		name    string
		effect  simulator.Effect
		outcome string
		created int
	}{
		{"no fault", simulator.Effect{}, "saved", 1},
		{"reset", simulator.Reset(), "unknown", 0},
		{"drop", simulator.Drop(), "unknown", 1},
		{"truncate", simulator.Truncate(), "unknown: unusable response", 1},
		{"503 without words", simulator.Empty(503), "unknown", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sim := simulator.New(simulator.WithTimeline(simulator.Complete(0, 0)))
			if test.effect.Wrap != nil {
				sim.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: test.effect})
			}
			srv := httptest.NewUnstartedServer(sim)
			srv.EnableHTTP2 = true
			srv.StartTLS()
			defer srv.Close()
			client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey("k"), api.WithHTTPClient(srv.Client()))
			if err != nil {
				t.Fatal(err)
			}
			err = makeVideo(t.Context(), client, filepath.Join(t.TempDir(), "out.mp4"))
			if got := outcome(err); got != test.outcome {
				t.Errorf("the outcome is %q, want %q: %v", got, test.outcome, err)
			}
			if l := sim.Ledger(); l.Created != test.created {
				t.Errorf("%d jobs were created, want %d", l.Created, test.created)
			}
		})
	}
}
