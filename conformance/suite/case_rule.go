package suite

import "strings"

// inferences are the rules that don't follow from the schemas alone, with what they are inferred from. A target that
// breaks one isn't necessarily wrong, so one entry of the deviations excuses it everywhere, such as "rule:unique-names".
// The other rules have the name of a keyword of the schema or of a group.
var inferences = map[string]string{
	"unique-names":              "RFC 8259, section 4: names within an object should be unique",
	"nul":                       "JSON strings may contain NUL, and the schema has no pattern",
	"beyond-64-bits":            "JSON integers have no size, and the schema has no bounds",
	"large-requests":            "no limit of size is documented",
	"long-urls":                 "no limit of length is documented",
	"chunked":                   "RFC 9112, section 7.1: a recipient must parse the chunked transfer coding",
	"head":                      "RFC 9110, section 9.3.2: HEAD responds as GET does",
	"content-type-on-get":       "the vendor's samples send a content type with GET",
	"video-only-when-completed": "the description of video",
	"error-only-when-failed":    "the description of error",
	"error-has-reason":          "the description of error",
	"failed-costs-nothing":      "the vendor's pages: failed generations aren't charged",
	"cost-only-at-the-end":      "the vendor's pages: the charge lands after completion",
	"cost-stays":                "the vendor's pages: a generation is charged once",
}

// setRule sets the rule that the case tests, unless it is set already.
func (c *testCase) setRule() {
	name := c.Name[strings.LastIndex(c.Name, "/")+1:]
	switch {
	case c.Rule != "":
	case c.Group == groupText && name == "nul":
		c.Rule = "nul"
	case c.Group == groupJSON && strings.HasPrefix(name, "duplicate"):
		c.Rule = "unique-names"
	case c.Accepted && (c.Request.Large > 0 || len(c.Request.Body) > 100_000):
		c.Rule = "large-requests"
	case c.Accepted && c.Group == groupMedia && strings.HasSuffix(name, "-characters"):
		c.Rule = "long-urls"
	default:
		c.Rule = c.Group
	}
}
