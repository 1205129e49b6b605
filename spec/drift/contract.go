package main

import (
	"io/fs"
	"slices"

	"github.com/aimlvideo/wan-go/spec"
)

// A contract is the set of specs that the vendor's are compared with. Tests have one of their own, so that they do not
// depend on the current facts.
type contract struct {
	files      fs.FS
	models     []*spec.Document
	generation *spec.Document
}

func current() *contract {
	return &contract{files: spec.Files, models: spec.Models(), generation: spec.Generation()}
}

// byModel returns the spec of a model, or nil.
func (c *contract) byModel(id string) *spec.Document {
	i := slices.IndexFunc(c.models, func(d *spec.Document) bool { return d.Model == id })
	if i < 0 {
		return nil
	}
	return c.models[i]
}
