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
)

// The flags of go test ./conformance -target URL -key KEY. Without a target, the simulator is tried.
var (
	target     = flag.String("target", "", "base URL of the server that the suite tries; the simulator if empty")
	key        = flag.String("key", "", "its API key; AIML_API_KEY if empty")
	spend      = flag.Int("spend", 0, "how many submissions the target may accept; -1 is no limit")
	only       = flag.String("cases", "", "regular expression for the names of the cases")
	deviations = flag.String("deviations", "", "YAML file of the cases that the target is known to fail")
)

// TestSuite tries a server against the documents.
func TestSuite(t *testing.T) {
	c := suite.Config{Target: *target, Key: cmp.Or(*key, os.Getenv("AIML_API_KEY"), os.Getenv("AIMLAPI_API_KEY")), Spend: *spend}
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
		t.Error("the target doesn't pass")
	}
	if *target != "" || *only != "" {
		return
	}
	derived, byHand := 0, 0
	for _, result := range report.Results {
		switch {
		case result.Outcome == suite.LeftOut:
			t.Errorf("%s was left out", result.Name)
		case result.Outcome != suite.Passed:
		case result.Derived:
			derived++
		default:
			byHand++
		}
	}
	if derived < 1500 || byHand < 120 {
		t.Errorf("%d derived cases and %d others passed, want 1500 and 120", derived, byHand)
	}
}

// simulated is a simulator without a spending limit, with one generation that fails.
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
	return suite.Config{Target: srv.URL, Key: srv.Key, Spend: -1, Exact: true, Patience: time.Minute, Generations: []string{job.ID()}}
}
