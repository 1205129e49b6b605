package suite

import (
	"net/http"
	"sync"

	"github.com/aimlvideo/wan-go/spec"
)

// A Group is a kind of rule: a column of the report's matrix.
type Group string

// The groups, in the order of the columns.
const (
	Required  Group = "required"  // what may be left out
	Type      Group = "type"      // JSON types, null, integers and fractions
	Enum      Group = "enum"      // listed values
	Bounds    Group = "bounds"    // of numbers, and what has none
	Text      Group = "text"      // free texts
	Media     Group = "media"     // URLs, data URIs and lists of them
	Names     Group = "names"     // members that the documents don't list
	Pairs     Group = "pairs"     // members together
	JSON      Group = "json"      // the syntax of the body
	HTTP      Group = "http"      // methods, paths, queries, media types
	Auth      Group = "auth"      // the API key
	Headers   Group = "headers"   // of answers
	Lifecycle Group = "lifecycle" // from submission to result
)

var groups = []Group{Required, Type, Enum, Bounds, Text, Media, Names, Pairs, JSON, HTTP, Auth, Headers, Lifecycle}

// A testCase is a request and the verdict that the documents give of it.
type testCase struct {
	// Name is unique, and stays the same from run to run: "vace-fun-pose/num_frames/outside-maximum".
	Name string
	// Model is the slug of the model that it is about, or empty.
	Model string
	Group Group
	// Source names the document that the verdict follows from, and Why says how, in a line.
	Source, Why string
	// Derived tells the cases that are made from the documents from those that were written by hand.
	Derived bool

	Request request
	// Accepted is the verdict.
	Accepted bool
	// Status is what a rejection is answered with.
	Status int
	// Pointers are the JSON pointers that the message of a rejection names; "body" is the body as a whole.
	Pointers []string
}

// A request is what is sent to the target.
type request struct {
	Method string
	// Path is below the base URL.
	Path string
	// Query is sent as it is.
	Query string
	// Header is sent beside the key and, with a body, the content type. A nil value takes one of those away.
	Header map[string]*string
	Body   []byte
}

// submits reports whether the request may create a job, which costs money. On a server that is wrong about methods or
// paths, that is any request but one that only asks.
func (r request) submits() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// plain reports whether the body is all that there is to the request.
func (r request) plain() bool {
	return r.Method == http.MethodPost && r.Path == spec.Generation().Path && r.Query == "" && r.Header == nil
}

// cases are all cases that are data: first those written by hand, then those derived from the documents. The rules in Go
// code aren't among them. It panics on a file that doesn't load: they are part of the program, and a test loads them all.
var cases = sync.OnceValue(func() []testCase {
	list, err := load(files)
	if err != nil {
		panic(err)
	}
	// A default is often the example, too, and what was written by hand is said better than by rule.
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

// submission makes the request that submits a body.
func submission(body []byte) request {
	return request{Method: http.MethodPost, Path: spec.Generation().Path, Body: body}
}
