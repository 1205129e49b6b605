package suite

import (
	"net/http"
	"sync"

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
	groupHTTP      = "http"      // methods, paths, queries, media types
	groupAuth      = "auth"      // the API key
	groupHeaders   = "headers"   // response headers
	groupLifecycle = "lifecycle" // from submission to result
)

var groups = []string{
	groupRequired, groupType, groupEnum, groupBounds, groupText, groupMedia, groupNames, groupPairs,
	groupJSON, groupHTTP, groupAuth, groupHeaders, groupLifecycle,
}

// A testCase is a request and the verdict of the specs.
type testCase struct {
	// Name is unique and stable across runs, such as "vace-fun-pose/num_frames/outside-maximum".
	Name string
	// Model is the slug of the model, or empty.
	Model string
	Group string
	// Source names the spec that gives the verdict. Why explains it in one line.
	Source, Why string
	// Derived marks cases made from the schemas rather than written by hand.
	Derived bool

	Request request
	// Accepted is the verdict.
	Accepted bool
	// Status is the status code of a rejection.
	Status int
	// Pointers are the JSON pointers that the message of a rejection names; "body" is the body as a whole.
	Pointers []string
}

// A request is sent to the target.
type request struct {
	Method string
	// Path is relative to the base URL.
	Path string
	// Query is sent verbatim.
	Query string
	// Header is sent in addition to the key and, with a body, the content type. A nil value removes one of those.
	Header map[string]*string
	Body   []byte
}

// mayCreateJob reports whether the request may create a job. A server that mishandles methods or paths may create one for
// anything but GET and HEAD.
func (r request) mayCreateJob() bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// plain reports whether the request differs from a submission in nothing but its body.
func (r request) plain() bool {
	return r.Method == http.MethodPost && r.Path == spec.Generation().Path && r.Query == "" && r.Header == nil
}

// cases returns all cases: first those written by hand, then the derived ones that send something new. It panics on a file
// that doesn't load: the files are embedded, and a test loads them all.
var cases = sync.OnceValue(func() []testCase {
	list, err := load(files)
	if err != nil {
		panic(err)
	}
	seen := map[string]bool{}
	for _, c := range list {
		if c.Request.plain() {
			seen[string(c.Request.Body)] = true
		}
	}
	for _, c := range derive() {
		if body := string(c.Request.Body); !seen[body] {
			seen[body] = true
			list = append(list, c)
		}
	}
	return list
})

// submission returns the request that submits a body.
func submission(body []byte) request {
	return request{Method: http.MethodPost, Path: spec.Generation().Path, Body: body}
}
