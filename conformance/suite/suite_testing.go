package suite

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Test checks a server in a test, with a subtest for each case. The target is an [http.Handler] or the base URL of a
// server. At most one configuration may be given, without Target and Handler. Cases that can't be checked are skipped.
func Test(t *testing.T, target any, config ...Config) {
	t.Helper()
	c, err := testConfig(target, config)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range report.Results {
		t.Run(result.Name, func(t *testing.T) {
			switch result.Outcome {
			case Failed:
				t.Error(report.failure(result))
			case Passed:
			case Known:
				t.Skipf("%s: %s", Known, result.Deviation)
			default:
				t.Skipf("%s: %s", result.Outcome, strings.Join(result.Problems, "; "))
			}
		})
	}
	if !report.OK() {
		t.Error(report.verdict())
	}
}

func testConfig(target any, config []Config) (Config, error) {
	var c Config
	if len(config) > 1 {
		return c, fmt.Errorf("suite: %d configurations, want at most one", len(config))
	}
	if len(config) == 1 {
		c = config[0]
	}
	if c.Target != "" || c.Handler != nil {
		return c, errors.New("suite: the configuration has a target of its own")
	}
	switch target := target.(type) {
	case string:
		c.Target = target
	case http.Handler:
		c.Handler = target
	default:
		return c, fmt.Errorf("suite: the target is a %T, not a URL or an http.Handler", target)
	}
	return c, nil
}
