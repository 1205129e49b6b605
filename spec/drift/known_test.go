package main

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

func TestKnownButGone(t *testing.T) {
	list := write(t, "known.yaml", []byte(`
differences:
  - {pointer: /components/schemas/Request/properties/num_frames/maximum, ours: 241, theirs: 161, reason: "because"}
  - {pointer: /components/schemas/Request/properties/shift/maximum, models: [waltz], ours: 10, reason: "not looked at"}
`))
	lines, _, code := drift(t, "--known", list, "testdata/vendor.json")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "new ") })
	equal(t, lines, []string{"gone compatible dance dance.yaml#/components/schemas/Request/properties/num_frames/maximum: " +
		"ours 241, theirs 161: listed as known but no longer there: check the vendor's spec, then edit known.yaml (because)"})
	if code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
}

// --accept records the texts of the sources in place of those recorded before, and nothing else.
func TestAccept(t *testing.T) {
	d := newVendor(t)
	d.property("prompt")["description"], d.property("num_frames")["maximum"] = "Costs double.", 161
	delete(d.property("video_url"), "description")
	file := write(t, "page.md", []byte(d.page()))
	list := write(t, "texts.yaml", []byte("{}"))
	changes := func(args ...string) []string {
		lines, stderr, _ := drift(t, append([]string{"--texts", list}, args...)...)
		if stderr != "" {
			t.Fatal(stderr)
		}
		return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "known ") })
	}
	if lines := changes(file); !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "Costs double.") }) {
		t.Errorf("nothing was recorded, and yet the texts are not reported: %q", lines)
	}
	const bound = "new breaking dance dance.yaml#/components/schemas/Request/properties/num_frames/maximum: ours 241, theirs 161: the API may reject requests that our spec allows"
	equal(t, changes("--accept", file), []string{bound})
	equal(t, changes(file), []string{bound})

	d.property("prompt")["description"], d.property("video_url")["description"] = "Costs triple.", "A video."
	changed := write(t, "vendor.json", []byte(encode(d.doc)))
	if lines := changes(changed); len(lines) != 3 {
		t.Errorf("got %q, want the bound and two texts", lines)
	}
	equal(t, changes("--accept", changed), []string{bound})
	if lines := changes(file); len(lines) != 3 {
		t.Errorf("got %q, want the bound, a text that changed back and one that is gone", lines)
	}
	if _, stderr, code := drift(t, "--accept", "--texts", filepath.Join(t.TempDir(), "none.yaml"), file); code != 2 || stderr == "" {
		t.Errorf("without a file: exit status %d, stderr %q", code, stderr)
	}
}

// Each known difference names a place and a value of our specs.
func TestBuiltInKnown(t *testing.T) {
	list, err := readKnown("", "")
	if err != nil {
		t.Fatal(err)
	}
	documents := map[string]any{}
	for _, d := range append(spec.Models(), spec.Generation()) {
		data, _ := d.OpenAPI.MarshalJSON()
		var decoded any
		if err := json.Unmarshal(data, &decoded); err != nil {
			t.Fatal(err)
		}
		documents[d.Slug] = decoded
	}
	for _, d := range list.Differences {
		var misfits []string
		for slug := range documents {
			if !d.concerns(slug) {
				continue
			}
			if misfit := d.misfit(slug, documents); misfit != "" {
				misfits = append(misfits, misfit)
			} else if d.Models == nil {
				misfits = nil // one is enough
				break
			}
		}
		if misfits != nil {
			t.Error(strings.Join(misfits, "; "))
		}
	}
}

// The texts of every model have been read.
func TestTextsRecorded(t *testing.T) {
	list, err := readKnown("", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(spec.Models(), spec.Generation()) {
		recorded := false
		for _, wordings := range list.texts {
			for _, slugs := range wordings {
				recorded = recorded || slices.Contains(slugs, d.Slug)
			}
		}
		if !recorded {
			t.Errorf("no text of %s has been read: check the vendor's spec for facts, then go run ./spec/drift --accept SPEC_OR_PAGE", d.Slug)
		}
	}
}

// misfit returns why an entry matches neither the model's spec nor the shared one.
func (d difference) misfit(model string, documents map[string]any) string {
	var reason string
	for _, document := range []string{"generation", model} { // the model's own counts last
		parent := valueAt(documents[document], d.Pointer[:strings.LastIndex(d.Pointer, "/")])
		value := valueAt(documents[document], d.Pointer)
		ok := value != nil
		switch {
		case d.Ours == nil && parent != nil, ok && says(value, d.Ours):
			return ""
		case d.Ours == nil:
			reason = model + ".yaml has no place for " + d.Pointer
		case !ok:
			reason = model + ".yaml has nothing at " + d.Pointer
		default:
			reason = model + ".yaml does not have " + encode(d.Ours) + " at " + d.Pointer
		}
	}
	return reason
}

// says reports whether a value is what a finding calls ours: the value itself, a value of an enum, the keywords of a
// property, or a name of something larger.
func says(value, ours any) bool {
	switch value := value.(type) {
	case []any:
		return slices.ContainsFunc(value, func(v any) bool { return reflect.DeepEqual(v, ours) || says(v, ours) })
	case object:
		keywords, ok := ours.(object)
		for keyword := range keywords {
			if !reflect.DeepEqual(value[keyword], keywords[keyword]) {
				return false
			}
		}
		_, named := ours.(string)
		return ok || named
	}
	return reflect.DeepEqual(value, ours)
}
