package suite_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

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
				if c.Failure == nil || !strings.Contains(c.Failure.Message, "expected accepted: 200 or 201; received 400") || !strings.Contains(c.Failure.Text, "curl -X POST ") {
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

// The members of the report are those of its published schema, and a report conforms to it.
func TestJSON(t *testing.T) {
	data, err := os.ReadFile("report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema openapi3.Schema
	if err := json.Unmarshal(bytes.Replace(data, []byte(`"$schema": "http://json-schema.org/draft-07/schema#",`), nil, 1), &schema); err != nil {
		t.Fatal(err)
	}
	var parsed any
	if err := json.Unmarshal([]byte(reports(t, mixed(t))["json"]), &parsed); err != nil {
		t.Fatal(err)
	}
	if err := schema.VisitJSON(parsed); err != nil {
		t.Error(err)
	}
	sameMembers(t, "report", reflect.TypeFor[suite.Report](), &schema)
}

// sameMembers compares the JSON members of a struct, and of the structs in it, with the properties of a schema.
func sameMembers(t *testing.T, at string, typ reflect.Type, schema *openapi3.Schema) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
		if schema.Items != nil {
			schema = schema.Items.Value
		}
	}
	if typ.Kind() != reflect.Struct || schema.Properties == nil {
		return
	}
	names := map[string]bool{}
	for field := range typ.Fields() {
		if !field.IsExported() {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		names[name] = true
		property := schema.Properties[name]
		if property == nil {
			t.Errorf("%s: the schema has no %s", at, name)
			continue
		}
		if required := slices.Contains(schema.Required, name); required == (options == "omitempty") {
			t.Errorf("%s: %s is required: %t, its options are %q", at, name, required, options)
		}
		sameMembers(t, at+"/"+name, field.Type, property.Value)
	}
	for name := range schema.Properties {
		if !names[name] {
			t.Errorf("%s: only the schema has %s", at, name)
		}
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
		"expected accepted: 200 or 201; received 400", "curl -X POST ", "there is no minLength",
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
