package suite_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// reports returns a report in all formats.
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

// mixed returns a report with every outcome: two cases are left out for want of budget.
func mixed(t *testing.T) *suite.Report {
	t.Helper()
	server := refuse(func(m map[string]any) bool { return m["prompt"] == "" || m["prompt"] == " " })
	c := served(server(simulator.New(simulator.WithKey(goodKey))))
	c.Run = regexp.MustCompile("^vace-fun-pose/prompt/(empty|one-space|null|markup|nul|json)$|^submissions/")
	c.Deviations = suite.Deviations{"vace-fun-pose/prompt/one-space": {Reason: "it trims <prompts>"}}
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
		Tests    int  `xml:"tests,attr"`
		Failures int  `xml:"failures,attr"`
		Skipped  *int `xml:"skipped,attr"`
		Suites   []struct {
			Name     string `xml:"name,attr"`
			Tests    int    `xml:"tests,attr"`
			Failures int    `xml:"failures,attr"`
			Time     string `xml:"time,attr"`
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
		if s.Time == "" {
			t.Errorf("the suite %s has no time", s.Name)
		}
		for _, c := range s.Cases {
			tests++
			switch outcome := outcomes[c.Name]; outcome {
			case suite.Failed:
				failures++
				if c.Failure == nil || !strings.Contains(c.Failure.Message, "expected accepted: 200 or 201; received 400") || !strings.Contains(c.Failure.Text, "POST /v2/video/generations") {
					t.Errorf("%s: %+v", c.Name, c.Failure)
				}
			case suite.Passed:
				if c.Failure != nil || c.Skipped != nil {
					t.Errorf("%s passed, but not in the XML", c.Name)
				}
			default:
				skipped++
				if c.Skipped == nil || !strings.Contains(c.Skipped.Message, string(outcome)) {
					t.Errorf("%s is %s: %+v", c.Name, outcome, c.Skipped)
				}
			}
		}
	}
	if tests != len(report.Results) || parsed.Tests != tests || parsed.Failures != failures || parsed.Skipped != nil || failures != report.Counts[suite.Failed] {
		t.Errorf("%d tests, %d failures, %d skipped, the attributes say %d, %d, %v", tests, failures, skipped, parsed.Tests, parsed.Failures, parsed.Skipped)
	}
}

func TestJSON(t *testing.T) {
	report := mixed(t)
	// Not decoded into suite.Report: the names of the members are part of the format.
	var parsed struct {
		Target      string           `json:"target"`
		Began       time.Time        `json:"began"`
		Elapsed     *float64         `json:"elapsed_seconds"`
		Version     int              `json:"version"`
		Strictness  string           `json:"strictness"`
		Stateless   bool             `json:"stateless"`
		Interrupted bool             `json:"interrupted"`
		Spending    map[string]int   `json:"spending"`
		Counts      map[string]int   `json:"counts"`
		Results     []map[string]any `json:"results"`
	}
	decoder := json.NewDecoder(strings.NewReader(reports(t, report)["json"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Target != "http://localhost" || parsed.Began.IsZero() || parsed.Elapsed == nil || parsed.Version != 1 || parsed.Strictness != "exact" || len(parsed.Results) != len(report.Results) {
		t.Errorf("%+v", parsed)
	}
	if want := map[string]int{"passed": 2, "failed": 1, "known deviation": 1, "not applicable": 1, "left out": 2}; !maps.Equal(parsed.Counts, want) {
		t.Errorf("counts %v, want %v", parsed.Counts, want)
	}
	if want := map[string]int{"limit": 1, "accepted": 1, "unexpected": 0, "unknown": 0}; !maps.Equal(parsed.Spending, want) {
		t.Errorf("spending %v, want %v", parsed.Spending, want)
	}
	members := map[string]bool{}
	for _, r := range parsed.Results {
		for name := range r {
			members[name] = true
		}
		exchanges, _ := r["exchanges"].([]any)
		if r["name"] != "vace-fun-pose/prompt/null" {
			continue
		}
		exchange, _ := exchanges[0].(map[string]any)
		request, _ := exchange["request"].(string)
		response, _ := exchange["response"].(string)
		if r["outcome"] != "passed" || !strings.Contains(request, `"prompt":null`) || !strings.HasPrefix(response, "400\n") {
			t.Errorf("%+v", r)
		}
	}
	want := "derived deviation elapsed_seconds exchanges expected group model name outcome problems rules source why"
	if got := strings.Join(slices.Sorted(maps.Keys(members)), " "); got != want {
		t.Errorf("members of results: %s\nwant %s", got, want)
	}
}

// The report conforms to its published schema.
func TestJSONSchema(t *testing.T) {
	data, err := os.ReadFile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema openapi3.Schema
	if err := json.Unmarshal(bytes.Replace(data, []byte(`"$schema": "http://json-schema.org/draft-07/schema#",`), nil, 1), &schema); err != nil {
		t.Fatal(err)
	}
	var report any
	if err := json.Unmarshal([]byte(reports(t, mixed(t))["json"]), &report); err != nil {
		t.Fatal(err)
	}
	if err := schema.VisitJSON(report); err != nil {
		t.Error(err)
	}
}

// The page's policy allows its script and no other.
func TestHTMLPolicy(t *testing.T) {
	text := reports(t, mixed(t))["html"]
	_, script, _ := strings.Cut(text, "<script>")
	script, _, found := strings.Cut(script, "</script>")
	sum := sha256.Sum256([]byte(script))
	policy := "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	if !found || !strings.Contains(html.UnescapeString(text), policy) {
		t.Errorf("the policy isn't %s", policy)
	}
}

func TestHTML(t *testing.T) {
	report := mixed(t)
	text := reports(t, report)["html"]
	for _, want := range []string{
		"<h1>Conformance of http://localhost</h1>", "FAIL: ", "<h2>Failures</h2>",
		`href="#vace-fun-pose.text"`, `id="vace-fun-pose.text"`, `href="#vace-fun-pose.type"`, "it trims &lt;prompts&gt;",
		"expected accepted: 200 or 201; received 400", "POST /v2/video/generations", "there is no minLength",
		"the spending limit is reached",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	// The failed case is listed among the failures and in its cell.
	if n := strings.Count(text, "vace-fun-pose/prompt/empty"); n != 2 {
		t.Errorf("the failure is listed %d times", n)
	}
	// Nothing is loaded, and text from servers is escaped.
	for _, wrong := range []*regexp.Regexp{
		regexp.MustCompile(`(?i)<script[^>]`), regexp.MustCompile(`(?i)<link`), regexp.MustCompile(`(?i)\bsrc=`), regexp.MustCompile(`(?i)href="[^#]`), regexp.MustCompile(`(?i)url\(`),
	} {
		if found := wrong.FindString(text); found != "" {
			t.Errorf("%q is in it", found)
		}
	}
}
