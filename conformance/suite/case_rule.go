package suite

import "strings"

// An inference is a rule that doesn't follow from the schemas alone.
type inference struct {
	from string
	// soft inferences are those that a reasonable server may break. Lenient runs report them without failing.
	soft bool
}

// inferences are the inferred rules by name. One entry of the deviations excuses each everywhere, such as
// "rule:unique-names". The other rules have the name of a keyword of the schema or of a group.
var inferences = map[string]inference{
	"unique-names":                  {"RFC 8259, section 4: names within an object should be unique", true},
	"utf-8":                         {"RFC 8259, section 8.1: JSON is UTF-8, though many parsers replace other bytes", true},
	"nul":                           {"JSON strings may contain NUL, and the schema has no pattern", true},
	"beyond-64-bits":                {"JSON integers have no size, and the schema has no bounds", true},
	"head":                          {"RFC 9110, section 9.3.2: HEAD responds as GET does", true},
	"video-only-when-completed":     {"the description of video", true},
	"error-only-when-failed":        {"the description of error", true},
	"error-has-reason":              {"the description of error", true},
	"large-requests":                {"no limit of size is documented", false},
	"long-urls":                     {"no limit of length is documented", false},
	"chunked":                       {"RFC 9112, section 7.1: a recipient must parse the chunked transfer coding", false},
	"content-type-on-get":           {"the vendor's samples send a content type with GET", false},
	"url-serves-ranges":             {"RFC 9110, section 14.2: a range is that part of the file", false},
	"url-honours-if-range":          {"RFC 9110, section 13.1.5: a part of another version isn't served", true},
	"client-request-id-in-the-logs": {"the vendor's pages: a row may come late", true},
	"failed-costs-nothing":          {"the vendor's pages: failed generations aren't charged", false},
	"cost-only-at-the-end":          {"the vendor's pages: the charge lands after completion", false},
	"cost-stays":                    {"the vendor's pages: a generation is charged once", false},
}

// inferred reports whether all rules are inferences, and whether all of them are soft.
func inferred(rules []string) (all, soft bool) {
	all, soft = len(rules) > 0, len(rules) > 0
	for _, rule := range rules {
		i, ok := inferences[rule]
		all, soft = all && ok, soft && i.soft
	}
	return all, soft
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
	case c.Group == groupJSON && name == "not-utf-8":
		c.Rule = "utf-8"
	case c.Accepted && (c.Request.Large > 0 || len(c.Request.Body) > 100_000):
		c.Rule = "large-requests"
	case c.Accepted && c.Group == groupMedia && strings.HasSuffix(name, "-characters"):
		c.Rule = "long-urls"
	default:
		c.Rule = c.Group
	}
}
