package spec_test

import (
	"fmt"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

func ExampleBySlug() {
	d, _ := spec.BySlug("vace-fun-pose")
	fmt.Println(d.Method, d.Path, d.Model)
	for _, p := range d.Properties() {
		if p.Name == "num_frames" {
			fmt.Println(p.Name, *p.Schema.Min, *p.Schema.Max, p.Schema.Default)
		}
	}
	// Output:
	// POST /v2/video/generations alibaba/wan2.2-vace-fun-a14b-pose
	// num_frames 81 241 81
}

func TestModels(t *testing.T) {
	want := []struct {
		slug, model       string
		first, last       string
		properties, needs int
	}{
		{"animate-move", "alibaba/wan2.2-14b-animate-move", "model", "video_write_mode", 9, 3},
		{"animate-replace", "alibaba/wan2.2-14b-animate-replace", "model", "video_write_mode", 10, 3},
		{"vace-fun-pose", "alibaba/wan2.2-vace-fun-a14b-pose", "model", "sync_mode", 29, 3},
		{"vace-fun-reframe", "alibaba/wan2.2-vace-fun-a14b-reframe", "model", "trim_borders", 27, 2},
	}
	models := spec.Models()
	if len(models) != len(want) {
		t.Fatalf("%d models, want %d", len(models), len(want))
	}
	for i, w := range want {
		d := models[i]
		if d.Slug != w.slug || d.Model != w.model {
			t.Errorf("model %d is %s %s, want %s %s", i, d.Slug, d.Model, w.slug, w.model)
		}
		properties := d.Properties()
		if len(properties) != w.properties || properties[0].Name != w.first || properties[len(properties)-1].Name != w.last {
			t.Errorf("%s: %d properties from %s to %s, want %d from %s to %s", d.Slug, len(properties),
				properties[0].Name, properties[len(properties)-1].Name, w.properties, w.first, w.last)
		}
		if n := len(d.Request().Required); n != w.needs {
			t.Errorf("%s: %d required properties, want %d", d.Slug, n, w.needs)
		}
		if byModel, ok := spec.ByModel(w.model); !ok || byModel != d {
			t.Errorf("ByModel(%q) isn't the document of %s", w.model, w.slug)
		}
		if bySlug, ok := spec.BySlug(w.slug); !ok || bySlug != d {
			t.Errorf("BySlug(%q) isn't the document of %s", w.slug, w.slug)
		}
	}
	if _, ok := spec.ByModel("alibaba/wan9"); ok {
		t.Error("found a model that doesn't exist")
	}
}

// The client sends every submission to the same place, and asks there for it too.
func TestOnePath(t *testing.T) {
	for _, d := range spec.Models() {
		if d.Path != spec.Generation().Path {
			t.Errorf("%s is submitted to %s but polled at %s", d.Slug, d.Path, spec.Generation().Path)
		}
		for _, status := range []string{"200", "201"} {
			if response := d.Operation.Responses.Value(status); response == nil || response.Value.Content["application/json"] == nil {
				t.Errorf("%s: no JSON answer with status %s", d.Slug, status)
			}
		}
		if d.OpenAPI.Security == nil {
			t.Errorf("%s: no security", d.Slug)
		}
	}
}
