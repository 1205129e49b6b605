package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A report gathers what the documents differ in.
type report struct {
	ours     *contract
	known    *known
	findings []finding
	visits   []visit
}

// maxDocuments is how many documents an argument may hold. The vendor's pages have two.
const maxDocuments = 100

// add compares all that one argument holds. What can't be compared is an error each; the rest is compared all the same.
func (r *report) add(ctx context.Context, name string) []error {
	data, err := read(ctx, name)
	if err != nil {
		return []error{err}
	}
	documents := extract(data)
	if len(documents) > maxDocuments {
		return []error{fmt.Errorf("it has more than %d documents", maxDocuments)}
	}
	var problems []error
	for i, document := range documents {
		if err := r.compare(document, name); err != nil {
			if len(documents) > 1 {
				err = fmt.Errorf("document %d of %d: %w", i+1, len(documents), err)
			}
			problems = append(problems, err)
		}
	}
	return problems
}

// compare holds one document against ours. Each is there for an operation of ours: without one it has changed so much
// that we don't recognise it, which must not look like no change.
func (r *report) compare(data []byte, name string) error {
	document, err := r.ours.load(data)
	if err != nil {
		return err
	}
	flat := &flattener{left: maxParts}
	operations, strangers := r.ours.operations(document, flat)
	for _, o := range operations {
		c := &comparison{operation: o, source: name}
		if !o.isCopy() {
			c.known = r.known
		}
		c.compare()
		r.findings = append(r.findings, c.findings...)
		if c.known != nil {
			r.visits = append(r.visits, c.visits...)
		}
	}
	switch {
	case flat.exhausted():
		return errors.New("its schemas refer to each other too often to be put together")
	case len(operations) == 0 && len(strangers) == 0:
		return errors.New("none of our models is in it, nor the polling of a generation: it has no operations")
	case len(operations) == 0:
		return fmt.Errorf("none of our models is in it, nor the polling of a generation: it has %s", enumerate(strangers))
	}
	if lost := r.ours.lost(operations, strangers); len(lost) > 0 {
		return fmt.Errorf("it has %s, which is neither a request for one of our models nor the polling of a generation", enumerate(lost))
	}
	return nil
}

// enumerate names operations, but not all paths of a large API.
func enumerate(operations []stranger) string {
	const most = 3
	var names []string
	for _, o := range operations[:min(most, len(operations))] {
		names = append(names, o.method+" "+o.path)
	}
	if more := len(operations) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// finish puts the findings in order, once each: the vendor repeats the document of the polling on each model's page.
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
