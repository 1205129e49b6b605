package suite

import "testing"

// Test checks a server in a test, with a subtest for each case. Cases that can't be checked are skipped.
func Test(t *testing.T, c Config) {
	t.Helper()
	report, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, result := range report.Results {
		t.Run(result.Name, func(t *testing.T) {
			switch result.Outcome {
			case Passed:
			case Failed:
				t.Error(report.failure(result))
			default:
				t.Skipf("%s: %s", result.Outcome, reason(result))
			}
		})
	}
	if !report.OK() {
		t.Error(report.verdict())
	}
}
