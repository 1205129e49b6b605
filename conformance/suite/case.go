package suite

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/aimlvideo/wan-go/spec"
)

// The groups of cases and rules, in the order of the report's columns.
const (
	groupRequired  = "required"  // properties that must be present
	groupType      = "type"      // JSON types, null, integers and fractions
	groupEnum      = "enum"      // listed values
	groupBounds    = "bounds"    // of numbers and lists
	groupText      = "text"      // free text
	groupMedia     = "media"     // URLs and data URIs
	groupNames     = "names"     // members that the specs don't list
	groupPairs     = "pairs"     // several members together
	groupJSON      = "json"      // the syntax of the body
	groupHTTP      = "http"      // methods, paths, queries, media types, sizes
	groupAuth      = "auth"      // the API key
	groupHeaders   = "headers"   // response headers
	groupLifecycle = "lifecycle" // from submission to result
	groupAccount   = "account"   // logs, balance, transactions and models
)

var groups = []string{
	groupRequired, groupType, groupEnum, groupBounds, groupText, groupMedia, groupNames, groupPairs,
	groupJSON, groupHTTP, groupAuth, groupHeaders, groupLifecycle, groupAccount,
}

// A testCase is a request and the verdict of the specs.
type testCase struct {
	// Name is unique and stable across runs, such as "vace-fun-pose/num_frames/outside-maximum".
	Name string
	// Model is the slug of the model, or empty.
	Model string
	Group string
	// Rule is what the case tests; see inferences.
	Rule string
	// Source names the spec, with the line, that gives the verdict. Why explains it in one line.
	Source, Why string
	// Known cases are sent for each observed generation, with its id.
	Known bool
	// Derived marks cases made from the schemas rather than written by hand.
	Derived bool

	Request request
	// Accepted is the verdict.
	Accepted bool
	// Open marks a verdict that only the text of the spec gives, not the schema. It counts with Exact only.
	Open bool
	// Status is the status code of a rejection.
	Status int
	// Pointers are the JSON pointers that the message of a rejection names; "body" is the body as a whole.
	Pointers []string
}

// A request is sent to the target. Its query and header values may contain {key} and its variants: see expandKey.
type request struct {
	Method string
	// Path is relative to the base URL.
	Path string
	// Query is sent verbatim.
	Query string
	// Header is sent in addition to the key and, with a body, the content type. A nil value removes one of those.
	Header map[string]*string
	Body   []byte
	// Large is how many bytes of base64 replace largeMark in the body, which keeps large bodies out of memory.
	Large int
	// Chunked sends the body without a Content-Length.
	Chunked bool
}

const largeMark = "{large}"

// body returns the body as it is sent.
func (r request) body() []byte {
	if r.Large == 0 {
		return r.Body
	}
	return bytes.Replace(r.Body, []byte(largeMark), bytes.Repeat([]byte("iVBORw0K"), r.Large/8), 1)
}

// mayCreateJob reports whether the request may create a job. A server that mishandles methods or paths may create one for
// anything but GET and HEAD.
func (r request) mayCreateJob() bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// plain reports whether the request differs from a submission in nothing but its body.
func (r request) plain() bool {
	return r.Method == http.MethodPost && r.Path == spec.Generation().Path && r.Query == "" && r.Header == nil && !r.Chunked
}

// about returns the request about a generation: it replaces the markers for the id.
func (r request) about(id string) request {
	escaped := &strings.Builder{}
	for i := range len(id) {
		fmt.Fprintf(escaped, "%%%02X", id[i])
	}
	r.Query = strings.NewReplacer(
		"{id}", url.QueryEscape(id),
		"{id-as-it-is}", strings.NewReplacer("%3A", ":", "%2F", "/").Replace(url.QueryEscape(id)),
		"{id-escaped}", escaped.String(),
		"{id-escaped-in-lower-case}", strings.ToLower(escaped.String()),
		"{id-escaped-twice}", url.QueryEscape(escaped.String()),
		"{id-cut}", url.QueryEscape(id[:(len(id)+1)/2]),
	).Replace(r.Query)
	return r
}

// expandKey replaces the markers for the API key and for near misses of it. It reports false if a near miss is the key
// itself, such as other case of a key without letters.
func expandKey(text, key string) (string, bool) {
	reversed := []byte(key)
	slices.Reverse(reversed)
	for marker, value := range map[string]string{
		"{key}": key, "{key-cut}": key[:len(key)-1], "{key-longer}": key + "x", "{key-reversed}": string(reversed), "{key-in-other-case}": swapCase(key),
	} {
		if strings.Contains(text, marker) {
			return strings.ReplaceAll(text, marker, value), marker == "{key}" || value != key
		}
	}
	return text, true
}

// sameKey is why a case about a near miss of the key isn't applicable.
const sameKey = "the near miss of the key would be the key itself"

// sendsKey reports whether a near miss of the key in the header is the key itself.
func (r request) sendsKey(key string) bool {
	for _, value := range r.Header {
		if value != nil {
			if _, ok := expandKey(*value, key); !ok {
				return true
			}
		}
	}
	return false
}

func swapCase(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, text)
}

// byHand returns the cases written by hand. It panics on a file that doesn't load: the files are embedded, and a test loads
// them all.
var byHand = sync.OnceValue(func() []testCase {
	list, err := load(files)
	if err != nil {
		panic(err)
	}
	return list
})

// knownCases returns the cases about each observed generation.
func knownCases() []testCase {
	return slices.DeleteFunc(slices.Clone(byHand()), func(c testCase) bool { return !c.Known })
}

// cases returns all other cases: first those written by hand, then the derived ones that send something new.
var cases = sync.OnceValue(func() []testCase {
	list := slices.DeleteFunc(slices.Clone(byHand()), func(c testCase) bool { return c.Known })
	seen := map[string]bool{}
	key := func(r request) string { return string(r.Body) + "\x00" + strconv.Itoa(r.Large) }
	for _, c := range list {
		if c.Request.plain() {
			seen[key(c.Request)] = true
		}
	}
	for _, c := range derive() {
		if k := key(c.Request); !seen[k] || !c.Request.plain() {
			seen[k] = true
			list = append(list, c)
		}
	}
	return list
})

// submission returns the request that submits a body.
func submission(body []byte) request {
	return request{Method: http.MethodPost, Path: spec.Generation().Path, Body: body}
}

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
