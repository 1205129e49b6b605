package suite

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// maxListed bounds the failures, and the names per reason, that a summary lists.
const maxListed = 20

// WriteSummary writes a summary as text: the failures, the matrix, what was left out, and the verdict.
func (r *Report) WriteSummary(w io.Writer) error {
	var b strings.Builder
	failures := r.with(Failed)
	for _, result := range failures[:min(len(failures), maxListed)] {
		fmt.Fprintf(&b, "FAIL %s\n", result.Name)
		for _, problem := range result.Problems {
			fmt.Fprintf(&b, "     %s\n", problem)
		}
		if result.Why != "" {
			fmt.Fprintf(&b, "     why: %s (%s)\n", result.Why, result.Source)
		}
	}
	if more := len(failures) - maxListed; more > 0 {
		fmt.Fprintf(&b, "and %d more failures\n", more)
	}
	if len(failures) > 0 {
		b.WriteString("\n")
	}
	r.writeTable(&b)
	for _, outcome := range []Outcome{Known, NotApplicable, LeftOut} {
		r.writeOthers(&b, outcome)
	}
	r.writeNotes(&b)
	fmt.Fprintf(&b, "\ntarget  %s%s\njobs    %s\n", r.Target, r.mode(), r.Spending)
	var counts []string
	for _, outcome := range outcomes {
		if n := r.Counts[outcome]; n > 0 || outcome == Passed || outcome == Failed {
			counts = append(counts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	fmt.Fprintf(&b, "cases   %s, in %.1f s\n%s\n", strings.Join(counts, ", "), r.Elapsed, r.verdict())
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict returns the result in one line.
func (r *Report) verdict() string {
	switch {
	case r.Ran() == 0:
		return "FAIL: no case was sent"
	case r.Counts[Failed] > 0:
		return fmt.Sprintf("FAIL: %d of %d cases", r.Counts[Failed], r.Ran())
	case r.Interrupted:
		return "FAIL: the run was interrupted"
	}
	text := fmt.Sprintf("PASS: %d cases", r.Ran())
	if n := r.Counts[Known]; n > 0 {
		text += fmt.Sprintf(", %d of them known deviations", n)
	}
	if n := r.Counts[LeftOut]; n > 0 {
		text += fmt.Sprintf("; %d were left out", n)
	}
	return text
}

func (r *Report) mode() string {
	var modes []string
	if r.Exact {
		modes = append(modes, "exact")
	}
	if r.Stateless {
		modes = append(modes, "stateless")
	}
	if modes == nil {
		return ""
	}
	return " (" + strings.Join(modes, ", ") + ")"
}

// String describes the spending in one line.
func (s Spending) String() string {
	text := fmt.Sprintf("%d accepted, no limit", s.Accepted)
	if s.Limit >= 0 {
		text = fmt.Sprintf("%d accepted of a limit of %d", s.Accepted, s.Limit)
	}
	if s.Unexpected > 0 {
		text += fmt.Sprintf("; %d of these should have been rejected", s.Unexpected)
	}
	if s.Unknown > 0 {
		text += fmt.Sprintf("; %d of these got no response or a 5xx", s.Unknown)
	}
	return text
}

// A count counts the cases of a cell of the matrix by outcome.
type count map[Outcome]int

func (c count) total() (n int) {
	for _, one := range c {
		n += one
	}
	return n
}

// String returns how many passed or, if any failed, how many failed.
func (c count) String() string {
	switch shown, total := cmp.Or(c[Failed], c[Passed]), c.total(); {
	case total == 0:
		return ""
	case shown == total && c[Failed] == 0:
		return fmt.Sprint(total)
	default:
		return fmt.Sprintf("%d of %d", shown, total)
	}
}

// matrix counts the results by model and group. The empty model stands for cases about no particular model.
func (r *Report) matrix() (models []string, cells map[string]map[string]count) {
	cells = map[string]map[string]count{}
	for _, result := range r.Results {
		if cells[result.Model] == nil {
			cells[result.Model] = map[string]count{}
		}
		if cells[result.Model][result.Group] == nil {
			cells[result.Model][result.Group] = count{}
		}
		cells[result.Model][result.Group][result.Outcome]++
	}
	models = slices.Sorted(maps.Keys(cells))
	if i := slices.Index(models, ""); i >= 0 {
		models = append(slices.Delete(models, i, i+1), "")
	}
	return models, cells
}

// writeTable writes the matrix with groups as rows, which fits a terminal.
func (r *Report) writeTable(b *strings.Builder) {
	models, cells := r.matrix()
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\t")
	for _, model := range models {
		fmt.Fprintf(table, "%s\t", rowName(model))
	}
	fmt.Fprintln(table)
	for _, group := range groups {
		fmt.Fprintf(table, "%s\t", group)
		for _, model := range models {
			c := cells[model][group]
			fmt.Fprint(table, c)
			if c[Failed] > 0 {
				fmt.Fprint(table, " FAIL")
			}
			fmt.Fprint(table, "\t")
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

func rowName(model string) string {
	if model == "" {
		return "all models"
	}
	return model
}

// writeOthers lists the cases with an outcome by reason.
func (r *Report) writeOthers(b *strings.Builder, outcome Outcome) {
	byReason := map[string][]string{}
	for _, result := range r.with(outcome) {
		reason := result.Deviation
		if outcome != Known {
			reason = strings.Join(result.Problems, "; ")
		}
		byReason[reason] = append(byReason[reason], result.Name)
	}
	for _, reason := range slices.Sorted(maps.Keys(byReason)) {
		names := byReason[reason]
		fmt.Fprintf(b, "\n%s, %d: %s\n", outcome, len(names), reason)
		for _, name := range names[:min(len(names), maxListed)] {
			fmt.Fprintf(b, "     %s\n", name)
		}
		if more := len(names) - maxListed; more > 0 {
			fmt.Fprintf(b, "     and %d more\n", more)
		}
	}
}

// notes lists what responses contain beyond the specs, with counts.
func (r *Report) notes() []string {
	seen := map[string]int{}
	for _, result := range r.Results {
		for _, note := range result.Undocumented {
			seen[note]++
		}
	}
	var list []string
	for _, note := range slices.Sorted(maps.Keys(seen)) {
		list = append(list, fmt.Sprintf("%d times %s", seen[note], strings.TrimPrefix(note, "undocumented: ")))
	}
	return list
}

func (r *Report) writeNotes(b *strings.Builder) {
	notes := r.notes()
	if notes == nil {
		return
	}
	b.WriteString("\nundocumented:\n")
	for _, note := range notes {
		fmt.Fprintf(b, "     %s\n", note)
	}
}
