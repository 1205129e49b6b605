package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aimlvideo/wan-go/spec/redact"
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

// A place is a location in our specs.
type place struct{ document, pointer string }

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// down returns the place below p.
func (p place) down(steps ...string) place {
	for _, step := range steps {
		p.pointer += "/" + escape.Replace(step)
	}
	return p
}

// follow returns the target of a $ref at p, or p if there is no $ref.
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
	// Model is the slug of the spec that was compared.
	Model string `json:"model"`
	// Document and Pointer lead to the place in our specs.
	Document string `json:"document"`
	Pointer  string `json:"pointer"`
	// Ours and Theirs are nil where there is nothing.
	Ours   any `json:"ours"`
	Theirs any `json:"theirs"`
	// Means says what the difference means for a caller.
	Means string `json:"means"`
	// Reason says why a known difference is kept.
	Reason string `json:"reason,omitempty"`
	// Source is the argument that the finding is about.
	Source string `json:"source,omitempty"`
}

// String returns the finding as one printable line.
func (f finding) String() string {
	ours, theirs := excerpts(f.Ours, f.Theirs)
	s := fmt.Sprintf("%-5s  %-10s  %-16s  %s#%s: ours %s, theirs %s: %s", f.State, f.Grade, f.Model, f.Document,
		clean(f.Pointer), ours, theirs, f.Means)
	if f.Reason != "" {
		s += " (" + clean(f.Reason) + ")"
	}
	return s
}

const (
	maxText = 160 // characters of the vendor's text in a line
	lead    = 30  // characters shown before the first difference
)

// excerpts shows two values. It omits a long common beginning, so that the line shows where they differ.
func excerpts(ours, theirs any) (string, string) {
	if ours == nil || theirs == nil {
		return show(ours), show(theirs)
	}
	a, b := []rune(encode(ours)), []rune(encode(theirs))
	same := 0
	for same < min(len(a), len(b)) && a[same] == b[same] {
		same++
	}
	if max(len(a), len(b)) < maxText || same <= lead {
		return show(ours), show(theirs)
	}
	skipped := same - lead
	return clean("…" + string(a[skipped:])), clean("…" + string(b[skipped:]))
}

func show(value any) string {
	if value == nil {
		return "nothing"
	}
	return clean(encode(value))
}

func encode(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value)
	return strings.TrimSuffix(b.String(), "\n")
}

// clean returns the beginning of s, with characters that are not printable escaped.
func clean(s string) string {
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText-1]) + "…"
	}
	return redact.Printable(s, "")
}

// line returns an error's text as one printable line.
func line(s string) string { return redact.Line(s) }

// oneLine replaces each run of white space by a space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
