package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// The grades of a finding.
const (
	breaking   = "breaking"
	compatible = "compatible"
	text       = "text"
)

// The states of a finding.
const (
	stateNew   = "new"
	stateKnown = "known"
	stateGone  = "gone"
)

// A place is where our documents say what theirs say differently.
type place struct{ document, pointer string }

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// down returns the place below p.
func (p place) down(steps ...string) place {
	for _, step := range steps {
		p.pointer += "/" + escape.Replace(step)
	}
	return p
}

// follow returns the place that a $ref at p leads to; without one that is p.
func (p place) follow(ref string) place {
	document, pointer, ok := strings.Cut(ref, "#")
	switch {
	case !ok:
		return p
	case document == "":
		document = p.document
	}
	return place{document, pointer}
}

// A visit is a place that was compared, for one model.
type visit struct {
	place

	model string
}

// A finding is one difference.
type finding struct {
	State string `json:"state"`
	Grade string `json:"grade"`
	// Model is the slug of the document that was compared.
	Model string `json:"model"`
	// Document and Pointer lead to the place in ours.
	Document string `json:"document"`
	Pointer  string `json:"pointer"`
	// Ours and Theirs are nil where there is nothing.
	Ours   any `json:"ours"`
	Theirs any `json:"theirs"`
	// Means says what becomes of a caller.
	Means string `json:"means"`
	// Reason says why a known difference is kept.
	Reason string `json:"reason,omitempty"`
	// Source is the argument in which it was found.
	Source string `json:"source,omitempty"`
}

// String is one line, whatever the documents hold.
func (f finding) String() string {
	ours, theirs := excerpts(f.Ours, f.Theirs)
	line := fmt.Sprintf("%-5s  %-10s  %-16s  %s#%s: ours %s, theirs %s: %s", f.State, f.Grade, f.Model, f.Document,
		clean(f.Pointer), ours, theirs, f.Means)
	if f.Reason != "" {
		line += " (" + clean(f.Reason) + ")"
	}
	return line
}

// encode makes JSON of a value that came from JSON.
func encode(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	return strings.TrimSuffix(b.String(), "\n")
}

// clean keeps foreign texts from playing tricks on a terminal, and from filling it.
func clean(s string) string {
	n := 0
	return strings.Map(func(r rune) rune {
		n++
		switch {
		case n == maxShown:
			return '…'
		case n > maxShown:
			return -1
		case unicode.IsPrint(r):
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
