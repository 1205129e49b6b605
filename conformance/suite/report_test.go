package suite_test

import (
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// reports writes a report in all formats.
func reports(t *testing.T, report *suite.Report) map[string]string {
	t.Helper()
	texts := map[string]string{}
	var b strings.Builder
	for name, write := range map[string]func() error{
		"summary": func() error { return report.WriteSummary(&b) },
		"junit":   func() error { return report.WriteJUnit(&b) },
		"json":    func() error { return report.WriteJSON(&b) },
		"html":    func() error { return report.WriteHTML(&b) },
	} {
		b.Reset()
		if err := write(); err != nil {
			t.Fatal(name, err)
		}
		texts[name] = b.String()
	}
	return texts
}

// mixed is a report with outcomes of all kinds: one failure, one that is known, two cases that there is no budget for.
func mixed(t *testing.T) *suite.Report {
	t.Helper()
	server := refuse(func(m map[string]any) bool { return m["prompt"] == "" || m["prompt"] == " " })
	c := served(server(simulator.New(simulator.WithKey(goodKey))))
	c.Run = regexp.MustCompile("^vace-fun-pose/prompt/(empty|one-space|null|markup|nul|json)$|^submissions/")
	c.Deviations = suite.Deviations{"vace-fun-pose/prompt/one-space": "it trims <prompts>"}
	c.Spend = 1
	report := run(t, t.Context(), c)
	for outcome, want := range map[suite.Outcome]int{suite.Passed: 2, suite.Failed: 1, suite.Known: 1, suite.NotApplicable: 1, suite.LeftOut: 2} {
		if got := report.Counts[outcome]; got != want {
			t.Errorf("%d %s, want %d", got, outcome, want)
		}
	}
	return report
}

func TestJUnit(t *testing.T) {
	report := mixed(t)
	text := reports(t, report)["junit"]
	var parsed struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Cases    []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Skipped *struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	outcomes := map[string]suite.Outcome{}
	for _, r := range report.Results {
		outcomes[r.Name] = r.Outcome
	}
	tests, failures, skipped := 0, 0, 0
	for _, s := range parsed.Suites {
		for _, c := range s.Cases {
			tests++
			switch outcome := outcomes[c.Name]; outcome {
			case suite.Failed:
				failures++
				if c.Failure == nil || !strings.Contains(c.Failure.Message, "expected accepted: 2xx; received 400") || !strings.Contains(c.Failure.Text, "POST /v2/video/generations") {
					t.Errorf("%s: %+v", c.Name, c.Failure)
				}
			case suite.Passed:
				if c.Failure != nil || c.Skipped != nil {
					t.Errorf("%s has passed, but not there", c.Name)
				}
			default:
				skipped++
				if c.Skipped == nil || !strings.Contains(c.Skipped.Message, string(outcome)) {
					t.Errorf("%s is %s: %+v", c.Name, outcome, c.Skipped)
				}
			}
		}
	}
	if tests != len(report.Results) || parsed.Tests != tests || parsed.Failures != failures || parsed.Skipped != skipped || failures != report.Counts[suite.Failed] {
		t.Errorf("%d tests, %d failures, %d skipped, the attributes say %d, %d, %d", tests, failures, skipped, parsed.Tests, parsed.Failures, parsed.Skipped)
	}
}

func TestJSON(t *testing.T) {
	report := mixed(t)
	var parsed suite.Report
	if err := json.Unmarshal([]byte(reports(t, report)["json"]), &parsed); err != nil {
		t.Fatal(err)
	}
	if len(parsed.Results) != len(report.Results) || parsed.Counts[suite.Failed] != report.Counts[suite.Failed] || parsed.Target != "http://localhost" || parsed.Spending.Limit != 1 {
		t.Errorf("%+v", parsed)
	}
	r := result(t, &parsed, "vace-fun-pose/prompt/null")
	if r.Outcome != suite.Passed || len(r.Exchanges) != 1 || !strings.Contains(r.Exchanges[0].Request, `"prompt":null`) || !strings.HasPrefix(r.Exchanges[0].Response, "400\n") {
		t.Errorf("%+v", r)
	}
}

func TestHTML(t *testing.T) {
	report := mixed(t)
	text := reports(t, report)["html"]
	for _, want := range []string{
		"<h1>Conformance of http://localhost</h1>", "FAIL: ", "<h2>Failures</h2>",
		`href="#vace-fun-pose.text"`, `id="vace-fun-pose.text"`, `href="#vace-fun-pose.type"`, "it trims &lt;prompts&gt;",
		"expected accepted: 2xx; received 400", "POST /v2/video/generations", "there is no minLength",
		"the spending limit is used up",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it doesn't say %q", want)
		}
	}
	// The failed case stands among the failures and in its cell.
	if n := strings.Count(text, "vace-fun-pose/prompt/empty"); n != 2 {
		t.Errorf("the failure stands there %d times", n)
	}
	// Nothing is loaded, and what servers and cases say is text.
	for _, wrong := range []*regexp.Regexp{
		regexp.MustCompile(`(?i)<script`), regexp.MustCompile(`(?i)<link`), regexp.MustCompile(`(?i)\bsrc=`), regexp.MustCompile(`(?i)href="[^#]`), regexp.MustCompile(`(?i)url\(`),
	} {
		if found := wrong.FindString(text); found != "" {
			t.Errorf("it has %q", found)
		}
	}
}
