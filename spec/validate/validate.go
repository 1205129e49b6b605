// Package validate reports which properties of a request violate the schema of their spec. Generated Validate methods use
// it.
package validate

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An Error reports everything that is wrong with a request.
type Error struct {
	Findings []Finding
}

func (e *Error) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.String()
	}
	return "invalid request: " + strings.Join(texts, "; ")
}

// A Finding is one violated rule of one property.
type Finding struct {
	// Property is the name in the spec, such as "num_frames" or "shots[1].duration".
	Property string
	// Rule is the keyword of the schema, such as "required", "enum" or "maximum".
	Rule string
	// Allowed describes the values that the rule allows, such as "from 17 to 241". It is empty for a required property.
	Allowed string
}

// String returns a text such as "num_frames must be from 17 to 241".
func (f Finding) String() string {
	if f.Rule == "required" {
		return f.Property + " is required"
	}
	return f.Property + " must be " + f.Allowed
}

// Checks collects findings. The zero value is ready to use.
type Checks struct {
	findings []Finding
}

// Err returns an *[Error], or nil if there are no findings.
func (c *Checks) Err() error {
	if len(c.findings) == 0 {
		return nil
	}
	return &Error{c.findings}
}

func (c *Checks) add(property, rule, allowed string) {
	c.findings = append(c.findings, Finding{property, rule, allowed})
}

// Required reports a required property that isn't set.
func (c *Checks) Required(property string, isSet bool) {
	if !isSet {
		c.add(property, "required", "")
	}
}

// Enum reports a value that isn't one of those allowed.
func Enum[T comparable](c *Checks, property string, value T, allowed ...T) {
	texts := make([]string, len(allowed))
	for i, a := range allowed {
		if value == a {
			return
		}
		texts[i] = fmt.Sprint(a)
	}
	if len(texts) == 1 {
		c.add(property, "enum", texts[0])
		return
	}
	c.add(property, "enum", "one of "+strings.Join(texts, ", "))
}

// A Bound limits a number, the length of a string or the number of items of a list.
type Bound struct {
	rule, text string
	allows     func(float64) bool
}

func newBound(rule, text string, limit float64, allows func(float64) bool) Bound {
	return Bound{rule, text + strconv.FormatFloat(limit, 'f', -1, 64), allows}
}

// AtLeast allows the limit and more.
func AtLeast(limit float64) Bound {
	return newBound("minimum", "at least ", limit, func(f float64) bool { return f >= limit })
}

// MoreThan allows more than the limit.
func MoreThan(limit float64) Bound {
	return newBound("minimum", "more than ", limit, func(f float64) bool { return f > limit })
}

// AtMost allows the limit and less.
func AtMost(limit float64) Bound {
	return newBound("maximum", "at most ", limit, func(f float64) bool { return f <= limit })
}

// LessThan allows less than the limit.
func LessThan(limit float64) Bound {
	return newBound("maximum", "less than ", limit, func(f float64) bool { return f < limit })
}

// MultipleOf allows multiples of the unit, with the precision of a float64.
func MultipleOf(unit float64) Bound {
	return newBound("multipleOf", "a multiple of ", unit, func(f float64) bool {
		quotient := f / unit
		return math.Abs(quotient-math.Round(quotient)) < 1e-9
	})
}

// Number reports a number out of bounds.
func (c *Checks) Number(property string, value float64, bounds ...Bound) {
	c.bounded(property, value, "", bounds)
}

// Length reports a string with too few or too many characters.
func (c *Checks) Length(property, value string, bounds ...Bound) {
	c.bounded(property, float64(utf8.RuneCountInString(value)), "Length", bounds)
}

// Items reports a list with too few or too many items.
func (c *Checks) Items(property string, n int, bounds ...Bound) {
	c.bounded(property, float64(n), "Items", bounds)
}

// Nested adds the findings of an object inside a property.
func (c *Checks) Nested(property string, err error) {
	nested, ok := errors.AsType[*Error](err)
	if !ok {
		return
	}
	for _, f := range nested.Findings {
		f.Property = property + "." + f.Property
		c.findings = append(c.findings, f)
	}
}

// bounded names all bounds in a finding, so that a caller sees the whole range. Of counts, the rule is minLength or such.
func (c *Checks) bounded(property string, value float64, counted string, bounds []Bound) {
	texts := make([]string, len(bounds))
	for i, b := range bounds {
		texts[i] = b.text
	}
	allowed := strings.Join(texts, " and ")
	switch counted {
	case "Length":
		allowed += " characters long"
	case "Items":
		allowed += " items long"
	}
	for _, b := range bounds {
		if b.allows(value) {
			continue
		}
		rule := b.rule
		if counted != "" {
			rule = rule[:len("min")] + counted
		}
		c.add(property, rule, allowed)
		return
	}
}
