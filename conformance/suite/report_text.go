package suite

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// maxListed bounds the failures, and the names per reason, that a summary lists.
const maxListed = 20

// WriteSummary writes a summary as text: the failures, the matrix, what was left out, and the verdict. Equal failures are
// grouped; the first of a group is shown in full.
func (r *Report) WriteSummary(w io.Writer) error {
	var b strings.Builder
	groups := groupFailures(r.with(Failed))
	for _, group := range groups[:min(len(groups), maxListed)] {
		r.writeFailures(&b, group)
	}
	if more := len(groups) - maxListed; more > 0 {
		fmt.Fprintf(&b, "and %d more kinds of failures\n\n", more)
	}
	if len(r.Results) > 1 {
		r.writeTable(&b)
	}
	for _, outcome := range []Outcome{Inferred, Known, NotApplicable, LeftOut} {
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

// variable finds what differs between failures of one kind.
var variable = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|/[\w/{}<>-]+|\d+`)

// groupFailures groups failures with the same rules and problems but for names, numbers and quoted text. The largest group
// comes first.
func groupFailures(failures []*Result) (groups [][]*Result) {
	index := map[string]int{}
	for _, result := range failures {
		var key string
		if len(result.Problems) > 0 {
			key = statusCode.FindString(result.Problems[0]) + variable.ReplaceAllString(result.Problems[0], "#")
		}
		key += strings.Join(result.Rules, " ")
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], result)
	}
	slices.SortStableFunc(groups, func(a, b []*Result) int { return len(b) - len(a) })
	return groups
}

// statusCode finds the status code of a response, which is part of the kind of a failure.
var statusCode = regexp.MustCompile(`received \d+`)

// writeFailures writes a group of equal failures.
func (r *Report) writeFailures(b *strings.Builder, group []*Result) {
	first := group[0]
	if len(group) > 1 {
		fmt.Fprintf(b, "FAIL %s cases alike, such as %s\n", thousands(len(group)), first.Name)
	} else {
		fmt.Fprintf(b, "FAIL %s\n", first.Name)
	}
	for _, problem := range first.Problems {
		fmt.Fprintf(b, "     %s\n", problem)
	}
	if first.Why != "" {
		fmt.Fprintf(b, "     why:   %s (%s)\n", first.Why, first.Source)
	}
	for _, rule := range first.Rules {
		if i, ok := inferences[rule]; ok {
			fmt.Fprintf(b, "     rule:  %s is inferred (%s); excuse it with the deviation \"rule:%[1]s\"\n", rule, i.from)
		}
	}
	if len(first.Exchanges) > 0 {
		x := first.Exchanges[len(first.Exchanges)-1]
		sent := x.Curl
		if sent == "" {
			sent = oneLine(x.Request)
		}
		fmt.Fprintf(b, "     sent:  %s\n     got:   %s\n", sent, oneLine(x.Response))
	}
	fmt.Fprintf(b, "     rerun: wan conformance --target %s%s --run '^%s$'\n", r.Target, r.flags(), regexp.QuoteMeta(first.Name))
	if others := group[1:]; len(others) > 0 {
		const shown = 5
		names := make([]string, 0, shown)
		for _, result := range others[:min(len(others), shown)] {
			names = append(names, result.Name)
		}
		fmt.Fprintf(b, "     also:  %s", strings.Join(names, ", "))
		if more := len(others) - shown; more > 0 {
			fmt.Fprintf(b, " and %s more", thousands(more))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// flags returns the flags of a run of one case that is judged as in the report.
func (r *Report) flags() (flags string) {
	if r.Strictness != Lenient {
		flags = " --strictness " + r.Strictness.String()
	}
	if r.Spending.Limit != 0 {
		flags += fmt.Sprintf(" --spend %d", min(r.Spending.Limit, 1))
	}
	return flags
}

// oneLine returns the lines of a request or response in one, without its headers but the first line, and cut.
func oneLine(text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	first, _, _ := strings.Cut(head, "\n")
	return cut(strings.Join(strings.Fields(first+" "+body), " "), 300)
}

// thousands writes a number with separators.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// verdict returns the result in one line.
func (r *Report) verdict() string {
	switch {
	case r.Counts[Failed] > 0 && r.Interrupted:
		return fmt.Sprintf("FAIL: %d of %d cases; %s", r.Counts[Failed], r.Ran(), r.Reason)
	case r.Counts[Failed] > 0:
		return fmt.Sprintf("FAIL: %d of %d cases", r.Counts[Failed], r.Ran())
	case r.Interrupted:
		return "FAIL: " + r.Reason
	case r.Ran() == 0:
		return "FAIL: no case was sent"
	}
	text := fmt.Sprintf("PASS: %d cases", r.Ran())
	if n := r.Counts[Known]; n > 0 {
		text += fmt.Sprintf(", %d of them known deviations", n)
	}
	if n := r.Counts[Inferred]; n > 0 {
		text += fmt.Sprintf(", %d of them against an inferred rule", n)
	}
	if n := r.Counts[LeftOut]; n > 0 {
		text += fmt.Sprintf("; %d were left out", n)
	}
	return text
}

func (r *Report) mode() string {
	mode := " (" + r.Strictness.String()
	if r.Stateless {
		mode += ", stateless"
	}
	return mode + ")"
}

// String describes the spending in one line.
func (s Spending) String() string {
	text := fmt.Sprintf("%d accepted, no limit", s.Accepted)
	if s.Limit >= 0 {
		text = fmt.Sprintf("%d accepted of a limit of %d, which a run exceeds by at most one", s.Accepted, s.Limit)
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

// String returns how many of all passed.
func (c count) String() string {
	if c.total() == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", c[Passed], c.total())
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
		if !slices.ContainsFunc(models, func(model string) bool { return cells[model][group] != nil }) {
			continue
		}
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
		reason := strings.Join(result.Problems, "; ")
		switch outcome {
		case Known:
			reason = result.Deviation
		case Inferred:
			reason = "rule:" + strings.Join(result.Rules, " and rule:") + ", " + inferences[result.Rules[0]].from
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
