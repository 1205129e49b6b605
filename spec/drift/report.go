package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A report collects the differences of all sources.
type report struct {
	ours     *contract
	known    *known
	accept   bool
	findings []finding
	visits   []visit
}

// add compares everything that an argument contains. It returns an error for each part that can't be compared.
func (r *report) add(ctx context.Context, name string, stdin io.Reader) []error {
	s, problems := readSource(ctx, name, stdin)
	var first *comparison
	for i, data := range s.specs {
		c, err := r.compare(data, name)
		if err != nil && len(s.specs) > 1 {
			err = fmt.Errorf("spec %d of %d: %w", i+1, len(s.specs), err)
		}
		if err != nil {
			problems = append(problems, err)
		}
		first = cmp.Or(first, c)
	}
	if first != nil && s.page != "" && first.known != nil {
		page := &comparison{operation: first.operation, source: name, known: r.known, accept: r.accept}
		page.compareText(page.here(), "page", "", s.page)
		r.findings = append(r.findings, page.findings...)
	}
	return problems
}

// compare compares one spec with ours and returns the first comparison. A spec without any of our operations is an error:
// they may have changed beyond recognition.
func (r *report) compare(data []byte, name string) (first *comparison, err error) {
	document, err := r.ours.load(data)
	if err != nil {
		return nil, err
	}
	operations, others := r.ours.operations(document)
	unrecognized := r.ours.unrecognized(operations, others)
	for _, o := range operations {
		c := &comparison{operation: o, source: name, accept: r.accept}
		if !o.isCopy() {
			c.known = r.known
		}
		c.compare()
		if first == nil {
			first = c
			c.compareForeign(slices.DeleteFunc(slices.Clone(others), func(f foreign) bool { return slices.Contains(unrecognized, f) }))
		}
		r.findings = append(r.findings, c.findings...)
		if c.known != nil {
			r.visits = append(r.visits, c.visits...)
		}
	}
	switch {
	case first == nil && len(others) == 0:
		return nil, errors.New("it has neither a submission for one of our models nor the polling of a generation: it has no operations")
	case first == nil:
		return nil, fmt.Errorf("it has neither a submission for one of our models nor the polling of a generation: it has %s", enumerate(others))
	case len(unrecognized) > 0:
		return first, fmt.Errorf("it has %s, which is neither a submission for one of our models nor the polling of a generation", enumerate(unrecognized))
	}
	return first, nil
}

// enumerate lists at most three things by name.
func enumerate[T any](things []T) string {
	const most = 3
	var names []string
	for _, thing := range things[:min(most, len(things))] {
		names = append(names, fmt.Sprint(thing))
	}
	if more := len(things) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// finish returns the findings in order, without duplicates: the vendor repeats the polling on each model's page.
func (r *report) finish() []finding {
	all := append([]finding{}, r.findings...)
	all = append(all, r.known.gone(r.findings, r.visits)...)
	rank := func(f finding) int {
		return slices.Index([]string{stateNew, stateGone, stateKnown}, f.State)*10 + slices.Index([]string{breaking, compatible, text}, f.Grade)
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.String(), b.String()))
	})
	return slices.CompactFunc(all, func(a, b finding) bool { return a.String() == b.String() })
}
