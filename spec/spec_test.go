package spec_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

func ExampleBySlug() {
	d, _ := spec.BySlug("vace-fun-pose")
	fmt.Println(d.Method, d.Path, d.Model)
	for _, p := range d.Properties() {
		if p.Required {
			fmt.Println(p.Name)
		}
	}
	// Output:
	// POST /v2/video/generations alibaba/wan2.2-vace-fun-a14b-pose
	// model
	// video_url
	// prompt
}

func TestLookUp(t *testing.T) {
	for _, d := range spec.Models() {
		if byModel, ok := spec.ByModel(d.Model); !ok || byModel != d {
			t.Errorf("ByModel(%q) isn't the spec of %s", d.Model, d.Slug)
		}
		if bySlug, ok := spec.BySlug(d.Slug); !ok || bySlug != d {
			t.Errorf("BySlug(%q) isn't the spec of %s", d.Slug, d.Slug)
		}
	}
	if _, ok := spec.ByModel("alibaba/wan9"); ok {
		t.Error("found a model that doesn't exist")
	}
	if _, ok := spec.BySlug("generation"); ok {
		t.Error("the shared spec is listed as a model")
	}
}

// TestPropertiesKeepTheirOrder compares the order with that of the file.
func TestPropertiesKeepTheirOrder(t *testing.T) {
	for _, d := range spec.Models() {
		data, err := spec.Files.ReadFile(d.Slug + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		rest := string(data[bytes.Index(data, []byte("\n    Request:")):])
		for _, p := range d.Properties() {
			_, after, found := strings.Cut(rest, "\n        "+p.Name+":\n")
			if !found {
				t.Errorf("%s: %s is not where the spec lists it", d.Slug, p.Name)
				break
			}
			rest = after
		}
	}
}

// TestOnePath checks that all models are submitted to and polled at one path, as the client expects.
func TestOnePath(t *testing.T) {
	for _, d := range spec.Models() {
		if d.Path != spec.Generation().Path {
			t.Errorf("%s is submitted to %s but polled at %s", d.Slug, d.Path, spec.Generation().Path)
		}
		for _, status := range []string{"200", "201"} {
			if response := d.Operation.Responses.Value(status); response == nil || response.Value.Content["application/json"] == nil {
				t.Errorf("%s: no JSON response with status code %s", d.Slug, status)
			}
		}
		if d.OpenAPI.Security == nil {
			t.Errorf("%s: no security", d.Slug)
		}
	}
}
