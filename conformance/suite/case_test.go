package suite

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
)

func TestCases(t *testing.T) {
	names, requests := map[string]bool{}, map[string]string{}
	derived, byHand := 0, map[string]bool{}
	for _, c := range append(knownCases(), cases()...) {
		if names[c.Name] {
			t.Errorf("%s is there twice", c.Name)
		}
		names[c.Name] = true
		request := fmt.Sprint(c.Request.Method, c.Request.Path, c.Request.Query, headerText(c.Request), c.Request.Large, c.Request.Chunked, string(c.Request.Body))
		if other := requests[request]; other != "" {
			t.Errorf("%s and %s send the same", c.Name, other)
		}
		requests[request] = c.Name
		if c.Derived {
			derived++
		} else {
			name := c.Name
			for _, group := range []string{"/json/", "/http/", "/auth/"} { // one entry for each model
				if _, rest, ok := strings.Cut(name, group); ok {
					name = group + rest
				}
			}
			byHand[name] = true
		}
		if c.Accepted == (c.Status != 0) || strings.HasSuffix(c.Name, "/") || c.Source == "" || c.Why == "" || strings.Contains(c.Why, "\n") {
			t.Errorf("%s is incomplete: %+v", c.Name, c)
		}
	}
	if want := entries(t); len(byHand) != want {
		t.Errorf("%d cases by hand, but the files have %d", len(byHand), want)
	}
	least := 0
	for _, d := range spec.Models() {
		least += leastCases(d)
	}
	if derived < least {
		t.Errorf("%d derived cases, want at least %d", derived, least)
	}
	t.Logf("%d derived (at least %d), %d by hand", derived, least, len(byHand))
}

// entries counts the entries of the case files.
func entries(t *testing.T) (n int) {
	t.Helper()
	paths, err := filepath.Glob("cases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		n += len(regexp.MustCompile(`(?m)^  - `).FindAll(data, -1))
	}
	return n
}

// leastCases returns how many cases a spec yields at least: for each property by its type, and for each pair of optional
// properties.
func leastCases(d *spec.Document) int {
	n, optional := 0, 0
	for _, p := range d.Properties() {
		n += 9 // wrong types, null
		if p.Required {
			n += 2 // missing, misspelt
		} else {
			n += 2 // misspelt
			optional++
		}
		switch s := p.Schema; {
		case len(s.Enum) > 0:
			n += 4*len(s.Enum) + 2
		case s.Type.Is(openapi3.TypeInteger), s.Type.Is(openapi3.TypeNumber):
			n += 11
		case s.Type.Is(openapi3.TypeBoolean):
			n++
		case s.Type.Is(openapi3.TypeArray):
			n += 12
		case s.Format == "uri":
			n += 53
		default:
			n += 15
		}
	}
	return n + optional*(optional-1)/2 + optional
}

// ruleNames returns the names of all rules that a problem may have.
func ruleNames() []string {
	names := append(slices.Collect(maps.Keys(inferences)), errorBody)
	for _, c := range append(knownCases(), cases()...) {
		names = append(names, c.Rule)
	}
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}

func headerText(r request) string {
	var b strings.Builder
	for name, value := range r.Header {
		if value != nil {
			fmt.Fprint(&b, name, *value)
		} else {
			b.WriteString(name)
		}
	}
	return b.String()
}

// Package conformance, which is independent of the cases, returns the same verdicts.
func TestCasesAgainstConformance(t *testing.T) {
	for _, c := range cases() {
		if !c.Request.plain() {
			continue
		}
		_, findings := conformance.CheckSubmission(c.Request.body())
		var pointers []string
		for _, f := range findings {
			pointer := f.Pointer
			if pointer == "" {
				pointer = "body"
			}
			pointers = append(pointers, pointer)
		}
		slices.Sort(pointers)
		if want := slices.Sorted(slices.Values(c.Pointers)); !slices.Equal(pointers, want) {
			t.Errorf("%s: found %v, want %v", c.Name, findings, want)
		}
	}
}

// Every constraint of every property has its cases.
func TestDerived(t *testing.T) {
	accepted := map[string]bool{} // by name
	for _, c := range derive() {
		accepted[c.Name] = c.Accepted
	}
	want := func(verdict bool, format string, args ...any) {
		t.Helper()
		name := fmt.Sprintf(format, args...)
		if got, ok := accepted[name]; !ok || got != verdict {
			t.Errorf("%s: exists %t, accepted %t, want %t", name, ok, got, verdict)
		}
	}
	for _, d := range spec.Models() {
		optional := 0
		for _, p := range d.Properties() {
			at := d.Slug + "/" + p.Name
			want(false, "%s/null", at)
			if p.Required {
				want(false, "%s/missing", at)
			} else {
				optional++
			}
			for _, value := range p.Schema.Enum {
				want(true, "%s/%v", at, value)
			}
			if p.Schema.Enum != nil && p.Schema.Type.Is(openapi3.TypeString) {
				want(false, "%s/foreign", at)
			}
			if p.Schema.Min != nil {
				want(true, "%s/at-minimum", at)
				want(true, "%s/inside-minimum", at)
				want(false, "%s/outside-minimum", at)
			}
			if p.Schema.Max != nil {
				want(true, "%s/at-maximum", at)
				want(true, "%s/inside-maximum", at)
				want(false, "%s/outside-maximum", at)
			}
			for name, types := range map[string][]string{
				"a-string": {openapi3.TypeString}, "an-integer": {openapi3.TypeInteger, openapi3.TypeNumber}, "true": {openapi3.TypeBoolean},
				"an-empty-object": {openapi3.TypeObject}, "an-empty-array": {openapi3.TypeArray},
			} {
				if !slices.ContainsFunc(types, p.Schema.Type.Is) {
					want(false, "%s/%s", at, name)
				}
			}
			switch {
			case p.Schema.Format == "uri":
				want(true, "%s/https", at)
				want(true, "%s/data-png", at)
				want(false, "%s/data-rubbish", at)
			case p.Schema.MaxItems != nil:
				want(true, "%s/%d", at, *p.Schema.MaxItems)
				want(false, "%s/%d", at, *p.Schema.MaxItems+1)
			case p.Schema.Type.Is(openapi3.TypeInteger) && p.Schema.Enum == nil:
				want(true, "%s/with-a-zero-fraction", at)
				want(false, "%s/with-a-fraction", at)
			case p.Schema.Type.Is(openapi3.TypeString) && p.Schema.Enum == nil:
				want(true, "%s/empty", at)
				want(true, "%s/emoji", at)
				want(true, "%s/200000-characters", at)
			}
		}
		pairs := 0
		for name := range accepted {
			if rest, ok := strings.CutPrefix(name, d.Slug+"/pairs/"); ok && !strings.HasPrefix(rest, "wrong-") {
				pairs++
			}
		}
		if pairs != optional*(optional-1)/2 {
			t.Errorf("%s: %d pairs of %d optional properties", d.Slug, pairs, optional)
		}
	}
}

// The cases follow the schema.
func TestValuesFollowTheSchema(t *testing.T) {
	schema := openapi3.NewIntegerSchema().WithMin(5).WithMax(7)
	schema.Example, schema.Nullable = 6, true
	got := map[string]bool{}
	for _, v := range values(schema) {
		got[v.json] = v.accepted
	}
	for json, want := range map[string]bool{"4": false, "5": true, "6": true, "7": true, "8": false, "null": true, `"text"`: false, "6.0": true, "6.5": false} {
		if accepted, ok := got[json]; !ok || accepted != want {
			t.Errorf("%s: exists %t, accepted %t, want %t", json, ok, accepted, want)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	const good = "{name: n, group: type, source: s, why: w, expect: accepted, model: animate-move}"
	for _, test := range []struct{ name, text, want string }{
		{"good", "cases: [" + good + "]", ""},
		{"not YAML", "cases: [", "did not find expected node content"},
		{"unknown field", "cases: [{nam: n}]", "field nam not found"},
		{"unknown group", "cases: [{name: n, group: types, source: s, why: w, expect: accepted}]", `unknown group "types"`},
		{"no verdict", "cases: [{name: n, group: type, source: s, why: w}]", `expect is "", not accepted or rejected`},
		{"accepted with a status", "cases: [{name: n, group: type, source: s, why: w, expect: accepted, status: 400}]", "an accepted case has no status"},
		{"unknown model", "cases: [{name: n, group: type, source: s, why: w, expect: accepted, model: sora}]", `unknown model "sora"`},
		{"nothing to unset", "cases: [{name: n, group: type, source: s, why: w, expect: accepted, model: animate-move, unset: [prompt]}]", "unset: the request has no prompt"},
		{"body and changes", "cases: [{name: n, group: type, source: s, why: w, expect: accepted, body: '{}', set: {a: 1}}]", "body excludes unset, set and json"},
		{"set is a list", "cases: [{name: n, group: type, source: s, why: w, expect: accepted, model: animate-move, set: [a]}]", "not a mapping"},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, err := load(fstest.MapFS{"cases/f.yaml": {Data: []byte(test.text)}})
			if test.want == "" {
				if err != nil || len(list) != 1 || list[0].Name != "f/n" || list[0].Model != "" {
					t.Errorf("%v, %v", list, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "cases/f.yaml") {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	accepted, rejected, noKey, unknown := testCase{Accepted: true}, testCase{Status: 400}, testCase{Status: 401}, testCase{Status: 404}
	for _, test := range []struct {
		name   string
		c      testCase
		status int
		exact  bool
		other  bool
	}{
		{"200", accepted, 200, true, true},
		{"201", accepted, 201, true, true},
		{"302", accepted, 302, false, false},
		{"400", accepted, 400, false, false},
		{"rejected 400", rejected, 400, true, true},
		{"rejected 422", rejected, 422, false, true},
		{"rejected 404", rejected, 404, false, true},
		{"rejected 200", rejected, 200, false, false},
		{"rejected 301", rejected, 301, false, false},
		{"rejected 401", rejected, 401, false, false},
		{"rejected 403", rejected, 403, false, false},
		{"rejected 408", rejected, 408, false, false},
		{"rejected 429", rejected, 429, false, false},
		{"rejected 500", rejected, 500, false, false},
		{"no key 401", noKey, 401, true, true},
		{"no key 403", noKey, 403, false, true},
		{"no key 400", noKey, 400, false, false},
		{"unknown 404", unknown, 404, true, true},
		{"unknown 400", unknown, 400, false, true},
	} {
		if got := test.c.allows(Exact, test.status); got != test.exact {
			t.Errorf("%s: exact %t, want %t", test.name, got, test.exact)
		}
		if got := test.c.allows(Lenient, test.status); got != test.other {
			t.Errorf("%s: other %t, want %t", test.name, got, test.other)
		}
	}
}

func TestNamedPointers(t *testing.T) {
	const message = "Body validation error: /a/0: expected one of x, received 1; body: expected y, received z; /b: expected a path such as /c, received nothing"
	if got := strings.Join(namedPointers(message), " "); got != "/a/0 /b body" {
		t.Errorf("got %s", got)
	}
	if got := namedPointers("Bad request"); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestDeviations(t *testing.T) {
	d, err := ParseDeviations([]byte("http/put: it has no 405\n'*/ftp': any URI will do\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"http/put": 1, "http/put2": 0, "x/http/put": 0, "animate-move/image_url/ftp": 1, "ftp": 0} {
		if got := d.compile().matching(name, false); len(got) != want {
			t.Errorf("%s: %v, want %d", name, got, want)
		}
	}
	for _, wrong := range []string{"a", "- a", "a: ''", "'': b", "a: {b: c}", "a: {flaky: ''}", "a: [b]", "a: b\na: c"} {
		if d, err := ParseDeviations([]byte(wrong)); err == nil {
			t.Errorf("%q gives %v", wrong, d)
		}
	}
	if d, err := ParseDeviations(nil); err != nil || len(d) != 0 {
		t.Errorf("nothing gives %v, %v", d, err)
	}
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "acb", false}, {"*", "", true}, {"a*b*c", "a1b2b3c", true}, {"a", "ab", false}, {"**", "x", true},
		{"a*b*b", "ab", false}, {"*b*", "abc", true}, {"*bc", "abcbc", true}, {"a*a", "a", false},
		{strings.Repeat("*a", 50) + "*b", strings.Repeat("a", 100), false}, // would never end with backtracking
	} {
		if got := (Deviations{test.pattern: {}}).compile().matching(test.name, false) != nil; got != test.want {
			t.Errorf("%s with %s: %t", test.pattern, test.name, got)
		}
	}
}

// Each entry of the deviation files matches a case.
func TestDeviationFiles(t *testing.T) {
	r := newRun(Config{}, &target{})
	paths, err := filepath.Glob("deviations/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v %v", paths, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		d, err := ParseDeviations(data)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		used := map[string]bool{}
		for _, result := range r.order {
			for _, one := range d.compile().matching(result.Name, false) {
				used[one.entry] = true
			}
		}
		for _, rule := range ruleNames() {
			for _, one := range d.compile().matching(rule, true) {
				used[one.entry] = true
			}
		}
		for entry := range d {
			if !used[entry] {
				t.Errorf("%s: no case matches %s", path, entry)
			}
		}
	}
}
