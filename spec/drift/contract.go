package main

import (
	"io/fs"
	"slices"

	"github.com/aimlvideo/wan-go/spec"
)

// A contract is what the vendor's documents are held against. It is ours, but in tests, whose facts mustn't move with it.
type contract struct {
	files      fs.FS
	models     []*spec.Document
	generation *spec.Document
}

func current() *contract {
	return &contract{files: spec.Files, models: spec.Models(), generation: spec.Generation()}
}

// byModel returns the document of the model with the id, or nil.
func (c *contract) byModel(id string) *spec.Document {
	i := slices.IndexFunc(c.models, func(d *spec.Document) bool { return d.Model == id })
	if i < 0 {
		return nil
	}
	return c.models[i]
}
