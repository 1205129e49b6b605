package main

import (
	"cmp"
	"context"
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

// add compares all that one argument holds.
func (r *report) add(ctx context.Context, name string) error {
	data, err := read(ctx, name)
	if err != nil {
		return err
	}
	found := 0
	for _, block := range extract(data) {
		document, err := r.ours.load(block)
		if err != nil {
			return err
		}
		for _, o := range r.ours.operations(document) {
			found++
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
	}
	if found == 0 {
		return fmt.Errorf("none of our models is in it, nor the polling of a generation")
	}
	return nil
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
