package suite

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"slices"
	"strings"
)

var (
	//go:embed report.html
	reportHTML string
	//go:embed report.js
	reportJS string
)

// scriptHash returns the only script that the page's policy allows.
func scriptHash() string {
	sum := sha256.Sum256([]byte(reportJS))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"class":    class,
	"inferred": func(rule string) string { return inferences[rule].from },
	"script":   func() template.JS { return template.JS(reportJS) }, //nolint:gosec // our own file
	"hash":     scriptHash,
}).Parse(reportHTML))

// An htmlPage is the data of the template.
type htmlPage struct {
	*Report

	Title    string
	Verdict  string
	Mode     string
	Outcomes []Outcome // that occurred
	Groups   []string
	Rows     []htmlRow
	Failures []*Result
	Notes    []string // what responses contain beyond the specs
}

type htmlRow struct {
	Model string
	Cells []htmlCell
}

// An htmlCell holds a model's cases of a group.
type htmlCell struct {
	ID      string
	Model   string
	Group   string
	Text    string // in the matrix
	Class   string
	Results []*Result
}

// WriteHTML writes the report as a self-contained page: a matrix of models and groups whose cells open their cases.
func (r *Report) WriteHTML(w io.Writer) error {
	models, cells := r.matrix()
	p := htmlPage{Report: r, Title: "Conformance of " + r.Target, Verdict: r.verdict(), Mode: r.mode(), Failures: r.with(Failed), Notes: r.notes()}
	for _, outcome := range outcomes {
		if r.Counts[outcome] > 0 {
			p.Outcomes = append(p.Outcomes, outcome)
		}
	}
	for _, group := range groups {
		if slices.ContainsFunc(models, func(model string) bool { return cells[model][group] != nil }) {
			p.Groups = append(p.Groups, group)
		}
	}
	results := map[string]map[string][]*Result{}
	for _, result := range r.Results {
		if results[result.Model] == nil {
			results[result.Model] = map[string][]*Result{}
		}
		results[result.Model][result.Group] = append(results[result.Model][result.Group], result)
	}
	for _, model := range models {
		row := htmlRow{Model: rowName(model)}
		for _, group := range p.Groups {
			list := results[model][group]
			slices.SortStableFunc(list, func(a, b *Result) int { return severity(a.Outcome) - severity(b.Outcome) })
			row.Cells = append(row.Cells, newHTMLCell(model, group, list, cells[model][group]))
		}
		p.Rows = append(p.Rows, row)
	}
	return page.Execute(w, p)
}

func newHTMLCell(model string, group string, results []*Result, c count) htmlCell {
	cell := htmlCell{
		ID:      strings.ReplaceAll(rowName(model), " ", "-") + "." + group,
		Model:   rowName(model),
		Group:   group,
		Text:    c.String(),
		Class:   "part",
		Results: results,
	}
	switch {
	case c[Failed] > 0:
		cell.Class = "bad"
	case c[Passed] == c.total():
		cell.Class = "ok"
	case c[Passed]+c[Known]+c[Inferred] == 0:
		cell.Class = "quiet"
	}
	return cell
}

// severity orders the outcomes of a cell: failures come first.
func severity(o Outcome) int {
	return slices.Index([]Outcome{Failed, Inferred, Known, LeftOut, NotApplicable, Passed}, o)
}

// class returns the CSS class of an outcome.
func class(o Outcome) string {
	switch o {
	case Passed:
		return "ok"
	case Failed:
		return "bad"
	case Known, Inferred:
		return "part"
	}
	return "quiet"
}
