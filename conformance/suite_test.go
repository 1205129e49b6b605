package conformance_test

import (
	"cmp"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec/wire"
)

// The flags of go test ./conformance -target URL -key KEY. Without a target, the simulator is checked.
var (
	target     = flag.String("target", "", "base URL of the server; the simulator if empty")
	key        = flag.String("key", "", "its API key; AIML_API_KEY if empty")
	spend      = flag.Int("spend", 0, "limit of accepted submissions; -1 for none")
	only       = flag.String("cases", "", "regular expression of case names")
	deviations = flag.String("deviations", "", "YAML file of known deviations")
)

// TestSuite checks a server against the specs.
func TestSuite(t *testing.T) {
	c := suite.Config{Target: *target, Key: cmp.Or(*key, wire.Key()), Spend: *spend}
	if *target == "" {
		c = simulated(t)
	}
	if *only != "" {
		c.Run = regexp.MustCompile(*only)
	}
	if *deviations != "" {
		data, err := os.ReadFile(*deviations)
		if err != nil {
			t.Fatal(err)
		}
		if c.Deviations, err = suite.ParseDeviations(data); err != nil {
			t.Fatal(err)
		}
	}
	report, err := suite.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var summary strings.Builder
	if err := report.WriteSummary(&summary); err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s", &summary)
	for _, result := range report.Results {
		if result.Outcome == suite.Failed {
			t.Run(result.Name, func(t *testing.T) { t.Error(strings.Join(result.Problems, "\n")) })
		}
	}
	if !report.OK() {
		t.Error("the target doesn't conform")
	}
	if *target != "" || *only != "" {
		return
	}
	for _, result := range report.Results {
		if result.Outcome == suite.LeftOut {
			t.Errorf("%s was left out", result.Name)
		}
	}
}

// simulated returns a simulator without a spending limit, with one generation that fails.
func simulated(t *testing.T) suite.Config {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(50*time.Millisecond, 50*time.Millisecond)))
	srv.Script(simulator.Fail("SafetyCheckFailed", "refused"))
	client, err := api.New(api.WithBaseURL(srv.URL), api.WithAPIKey(srv.Key))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.Submit(t.Context(), map[string]any{
		"model": "alibaba/wan2.2-vace-fun-a14b-reframe", "video_url": api.URL("https://example.com/v.mp4")})
	if err != nil {
		t.Fatal(err)
	}
	return suite.Config{Target: srv.URL, Key: srv.Key, Spend: -1, Strictness: suite.Exact, Patience: time.Minute, Generations: []string{job.ID()}}
}
