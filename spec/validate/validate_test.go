package validate_test

import (
	"errors"
	"math"
	"testing"

	"github.com/aimlvideo/wan-go/spec/validate"
)

func TestChecks(t *testing.T) {
	nested := &validate.Error{Findings: []validate.Finding{{Property: "zoom", Rule: "required"}}}
	for _, test := range []struct {
		name  string
		check func(c *validate.Checks)
		want  string // of the error
		rule  string
	}{
		{"set", func(c *validate.Checks) { c.Required("prompt", true) }, "", ""},
		{"not set", func(c *validate.Checks) { c.Required("prompt", false) }, "prompt is required", "required"},
		{"a listed value", func(c *validate.Checks) { validate.Enum(c, "d", 5, 5, 10) }, "", ""},
		{"another value", func(c *validate.Checks) { validate.Enum(c, "d", 6, 5, 10) }, "d must be one of 5, 10", "enum"},
		{"the only value", func(c *validate.Checks) { validate.Enum(c, "model", "b", "a") }, "model must be a", "enum"},
		{"the minimum", func(c *validate.Checks) { c.Number("n", 17, validate.AtLeast(17), validate.AtMost(241)) }, "", ""},
		{"below it", func(c *validate.Checks) { c.Number("n", 16, validate.AtLeast(17), validate.AtMost(241)) },
			"n must be at least 17 and at most 241", "minimum"},
		{"above the maximum", func(c *validate.Checks) { c.Number("n", 241.5, validate.AtLeast(17), validate.AtMost(241)) },
			"n must be at least 17 and at most 241", "maximum"},
		{"an exclusive minimum", func(c *validate.Checks) { c.Number("n", 0, validate.MoreThan(0)) }, "n must be more than 0", "minimum"},
		{"an exclusive maximum", func(c *validate.Checks) { c.Number("n", 1, validate.LessThan(1)) }, "n must be less than 1", "maximum"},
		{"not a number", func(c *validate.Checks) { c.Number("n", math.NaN(), validate.AtMost(1)) }, "n must be at most 1", "maximum"},
		{"a multiple", func(c *validate.Checks) { c.Number("n", 0.3, validate.MultipleOf(0.1)) }, "", ""},
		{"no multiple", func(c *validate.Checks) { c.Number("n", 0.35, validate.MultipleOf(0.1)) }, "n must be a multiple of 0.1", "multipleOf"},
		{"too long", func(c *validate.Checks) { c.Length("p", "äöü", validate.AtMost(2)) }, "p must be at most 2 characters long", "maxLength"},
		{"characters, not bytes", func(c *validate.Checks) { c.Length("p", "äöü", validate.AtMost(3)) }, "", ""},
		{"too few", func(c *validate.Checks) { c.Items("list", 1, validate.AtLeast(2)) }, "list must be at least 2 items long", "minItems"},
		{"nested", func(c *validate.Checks) { c.Nested("shots[1]", nested) }, "shots[1].zoom is required", "required"},
		{"nothing nested", func(c *validate.Checks) { c.Nested("shots[1]", nil) }, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c validate.Checks
			test.check(&c)
			err := c.Err()
			if test.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			findings, ok := errors.AsType[*validate.Error](err)
			if !ok || err.Error() != "invalid request: "+test.want || findings.Findings[0].Rule != test.rule {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestAllFindings(t *testing.T) {
	var c validate.Checks
	c.Required("prompt", false)
	c.Number("num_frames", 5, validate.AtLeast(17), validate.AtMost(241))
	if err, want := c.Err(), "invalid request: prompt is required; num_frames must be at least 17 and at most 241"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
