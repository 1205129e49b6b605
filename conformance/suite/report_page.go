package suite

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	htmltemplate "html/template"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"text/template"
)

//go:embed report.html report.js report.txt report.xml
var reportFiles embed.FS

// maxListed bounds the kinds of failures, and the names per reason, that a summary lists.
const maxListed = 20

var (
	functions = template.FuncMap{
		"class":         class,
		"hash":          scriptHash,
		"inferred":      func(rule string) string { return inferences[rule].from },
		"join":          strings.Join,
		"listed":        func() int { return maxListed },
		"script":        func() htmltemplate.JS { return htmltemplate.JS(script()) }, //nolint:gosec // our own file
		"seconds":       func(s float64) string { return fmt.Sprintf("%.3f", s) },
		"short":         short,
		"thousands":     thousands,
		"withoutHeader": withoutHeader,
		"xml":           escapeXML,
	}
	textTemplates = template.Must(template.New("").Funcs(functions).ParseFS(reportFiles, "report.txt", "report.xml"))
	htmlTemplates = htmltemplate.Must(htmltemplate.New("").Funcs(functions).ParseFS(reportFiles, "report.html"))
)

// WriteSummary writes a summary as text: the failures, the matrix, what was left out, and the verdict. Equal failures are
// grouped; the first of a group is shown in full.
func (r *Report) WriteSummary(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if err := textTemplates.ExecuteTemplate(table, "report.txt", r.page()); err != nil {
		return err
	}
	return table.Flush()
}

// failure returns a failure as the summary shows it.
func (r *Report) failure(result *Result) string {
	var b strings.Builder
	_ = textTemplates.ExecuteTemplate(&b, "failure", section{r, []*Result{result}})
	return b.String()
}

// WriteJUnit writes the report as JUnit XML with a suite for each group. Cases that weren't sent and known deviations are
// skipped, with the reason. An interrupted or empty run has a failure that says so.
func (r *Report) WriteJUnit(w io.Writer) error {
	return textTemplates.ExecuteTemplate(w, "report.xml", r.page())
}

// WriteHTML writes the report as a self-contained page: a matrix of models and groups whose cells open their cases.
func (r *Report) WriteHTML(w io.Writer) error {
	return htmlTemplates.ExecuteTemplate(w, "report.html", r.page())
}

// A page is what the templates show of a report.
type page struct {
	*Report

	Verdict, Mode, Summary string
	Outcomes               []Outcome // that occurred
	Groups                 []string  // that occurred: the columns of the matrix
	Rows                   []row
	Failures               []*Result
	Kinds                  []section // equal failures together, the largest kind first
	MoreKinds              int
	Others                 []section // what neither passed nor failed, by outcome and reason
	All                    section   // with a failure if the run ended early
	Suites                 []section // all by group
	Notes                  []string  // what responses contain beyond the specs
}

// A row is the line of a model in the matrix.
type row struct {
	Model string
	Cells []section
}

// A section holds results that are shown together. Its methods are for the templates.
type section struct {
	report  *Report
	Results []*Result
}

func (r *Report) page() page {
	p := page{Report: r, Verdict: r.verdict(), Mode: r.mode(), Failures: r.with(Failed), Notes: r.notes()}
	var counts []string
	for _, outcome := range outcomes {
		n := r.Counts[outcome]
		if n > 0 {
			p.Outcomes = append(p.Outcomes, outcome)
		}
		if n > 0 || outcome == Passed || outcome == Failed {
			counts = append(counts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	p.Summary = strings.Join(counts, ", ")
	p.All = section{r, r.Results}
	if r.Ran() == 0 || r.Interrupted {
		run := &Result{Name: "run", Group: "run", Outcome: Failed, Problems: []string{p.Verdict}}
		p.All.Results = append(slices.Clone(r.Results), run)
	}
	p.Suites = r.sections(p.All.Results, func(result *Result) string { return result.Group })
	p.Groups = slices.DeleteFunc(slices.Clone(groups), func(group string) bool {
		return !slices.ContainsFunc(r.Results, func(result *Result) bool { return result.Group == group })
	})
	p.Rows = r.rows(p.Groups)
	p.Kinds = r.sections(p.Failures, kindOf)
	slices.SortStableFunc(p.Kinds, func(a, b section) int { return len(b.Results) - len(a.Results) })
	p.MoreKinds = max(0, len(p.Kinds)-maxListed)
	p.Kinds = p.Kinds[:len(p.Kinds)-p.MoreKinds]
	for _, outcome := range []Outcome{Inferred, Known, NotApplicable, LeftOut} {
		p.Others = append(p.Others, r.sections(r.with(outcome), reason)...)
	}
	return p
}

// rows returns the matrix, failures first in each cell. The last row is for cases about no particular model.
func (r *Report) rows(groups []string) (rows []row) {
	models := map[string]bool{}
	for _, result := range r.Results {
		models[result.Model] = true
	}
	names := slices.Sorted(maps.Keys(models))
	if models[""] {
		names = append(names[1:], "")
	}
	for _, model := range names {
		line := row{Model: cmp.Or(model, "all models")}
		for _, group := range groups {
			cell := section{report: r}
			for _, result := range r.Results {
				if result.Model == model && result.Group == group {
					cell.Results = append(cell.Results, result)
				}
			}
			slices.SortStableFunc(cell.Results, func(a, b *Result) int { return severity(a.Outcome) - severity(b.Outcome) })
			line.Cells = append(line.Cells, cell)
		}
		rows = append(rows, line)
	}
	return rows
}

// sections divides results by a key, in the order in which the keys first appear.
func (r *Report) sections(results []*Result, key func(*Result) string) (list []section) {
	index := map[string]int{}
	for _, result := range results {
		k := key(result)
		i, ok := index[k]
		if !ok {
			i = len(list)
			index[k] = i
			list = append(list, section{report: r})
		}
		list[i].Results = append(list[i].Results, result)
	}
	return list
}

var (
	// variable finds what differs between failures of one kind.
	variable = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|/[\w/{}<>-]+|\d+`)
	// statusCode finds the status code of a response, which is part of the kind.
	statusCode = regexp.MustCompile(`received \d+`)
)

// kindOf returns the rules and the first problem of a failure without names, numbers and quoted text.
func kindOf(failure *Result) string {
	problem := failure.Problems[0]
	return statusCode.FindString(problem) + variable.ReplaceAllString(problem, "#") + strings.Join(failure.Rules, " ")
}

// reason returns why a case neither passed nor failed.
func reason(result *Result) string {
	switch result.Outcome {
	case Known:
		return result.Deviation
	case Inferred:
		return "rule:" + strings.Join(result.Rules, " and rule:") + ", " + inferences[result.Rules[0]].from
	}
	return strings.Join(result.Problems, "; ")
}

func (s section) First() *Result { return s.Results[0] }

func (s section) Model() string { return cmp.Or(s.First().Model, "all models") }

func (s section) Group() string { return s.First().Group }

func (s section) Reason() string { return reason(s.First()) }

func (s section) Count(outcome Outcome) (n int) {
	for _, result := range s.Results {
		if result.Outcome == outcome {
			n++
		}
	}
	return n
}

func (s section) Skipped() int { return len(s.Results) - s.Count(Passed) - s.Count(Failed) }

func (s section) Elapsed() (sum float64) {
	for _, result := range s.Results {
		sum += result.Elapsed
	}
	return sum
}

// Text returns how many of all passed.
func (s section) Text() string {
	if s.Results == nil {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Count(Passed), len(s.Results))
}

// ID is the fragment that a cell of the matrix links to.
func (s section) ID() string { return strings.ReplaceAll(s.Model(), " ", "-") + "." + s.Group() }

// Class returns the CSS class of a cell.
func (s section) Class() string {
	passed := s.Count(Passed)
	switch {
	case s.Count(Failed) > 0:
		return "bad"
	case passed == len(s.Results):
		return "ok"
	case passed+s.Count(Known)+s.Count(Inferred) == 0:
		return "quiet"
	}
	return "part"
}

// Up returns the first results, at most limit.
func (s section) Up(limit int) []*Result { return s.Results[:min(len(s.Results), limit)] }

// More returns how many results Up leaves out.
func (s section) More(limit int) int { return max(0, len(s.Results)-limit) }

// Last returns the last exchange of the first failure, if any.
func (s section) Last() []Exchange {
	all := s.First().Exchanges
	return all[max(0, len(all)-1):]
}

// Rerun returns the command that runs the first failure alone, or "".
func (s section) Rerun() string {
	if s.report.rerun == "" {
		return ""
	}
	return s.report.rerun + " --run '^" + regexp.QuoteMeta(s.First().Name) + "$'"
}

// severity orders the outcomes of a cell: failures come first.
func severity(o Outcome) int {
	return slices.Index([]Outcome{Failed, Inferred, Known, LeftOut, NotApplicable, Passed}, o)
}

// class returns the CSS class of an outcome.
func class(o Outcome) string {
	return map[Outcome]string{Passed: "ok", Failed: "bad", Known: "part", Inferred: "part"}[o]
}

// short returns text in one line, and cut.
func short(limit int, text string) string { return cut(strings.Join(strings.Fields(text), " "), limit) }

// withoutHeader returns the status code and the body of a response.
func withoutHeader(response string) string {
	head, body, _ := strings.Cut(response, "\n\n")
	status, _, _ := strings.Cut(head, "\n")
	return status + " " + body
}

// thousands writes a number with separators.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

func script() string {
	text, _ := reportFiles.ReadFile("report.js")
	return string(text)
}

// scriptHash returns the only script that the page's policy allows.
func scriptHash() string {
	sum := sha256.Sum256([]byte(script()))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
