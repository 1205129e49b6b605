package suite

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Time      string        `xml:"time,attr"`
	Failure   *junitFailure `xml:"failure"`
	Skipped   *junitSkipped `xml:"skipped"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the report as JUnit XML with a suite for each group. Cases that weren't sent and known deviations are
// skipped, with the reason. An interrupted or empty run has a failure that says so.
func (r *Report) WriteJUnit(w io.Writer) error {
	all := junitSuites{Name: "wan conformance", Time: seconds(r.Elapsed)}
	for _, group := range groups {
		s := junitSuite{Name: group, Timestamp: timestamp(r.Began)}
		elapsed := 0.0
		for _, result := range r.Results {
			if result.Group == group {
				s.add(newJUnitCase(result))
				elapsed += result.Elapsed
			}
		}
		s.Time = seconds(elapsed)
		if s.Tests > 0 {
			all.add(s)
		}
	}
	if r.Ran() == 0 || r.Interrupted {
		s := junitSuite{Name: "run", Time: seconds(0), Timestamp: timestamp(r.Began)}
		s.add(junitCase{Name: "run", ClassName: "wan.run", Time: seconds(0), Failure: &junitFailure{Message: r.verdict(), Type: "run"}})
		all.add(s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", " ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (all *junitSuites) add(s junitSuite) {
	all.Suites = append(all.Suites, s)
	all.Tests += s.Tests
	all.Failures += s.Failures
}

func (s *junitSuite) add(c junitCase) {
	s.Cases = append(s.Cases, c)
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Skipped != nil {
		s.Skipped++
	}
}

func newJUnitCase(result *Result) junitCase {
	model := result.Model
	if model == "" {
		model = "api"
	}
	c := junitCase{Name: result.Name, ClassName: "wan." + model + "." + result.Group, Time: seconds(result.Elapsed)}
	problems := strings.Join(result.Problems, "\n")
	switch result.Outcome {
	case Failed:
		texts := []string{problems, "why: " + result.Why + " (" + result.Source + ")"}
		for _, x := range result.Exchanges {
			texts = append(texts, x.Curl, x.Request, x.Response)
		}
		first, _, _ := strings.Cut(problems, "\n")
		c.Failure = &junitFailure{Message: first, Type: result.Group, Text: strings.Join(texts, "\n\n")}
	case Known:
		c.Skipped = &junitSkipped{"known deviation: " + result.Deviation}
	case NotApplicable, LeftOut, Inferred:
		c.Skipped = &junitSkipped{string(result.Outcome) + ": " + problems}
	}
	return c
}

// timestamp formats a time without its zone, as the schemas of JUnit reports ask.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

func seconds(s float64) string { return fmt.Sprintf("%.3f", s) }
