package main

import (
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/spec"
)

// A summary is what a list of commands shows of a model.
type summary struct{ slug, description string }

// summaries reads the heads of the specs of the models. To load the specs would take most of the time of a start.
func summaries() []summary {
	names, err := fs.Glob(spec.Files, "*.yaml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var all []summary
	for _, name := range names {
		text, err := fs.ReadFile(spec.Files, name)
		if err != nil {
			panic(err) // the files are part of the program
		}
		head, _, _ := strings.Cut(string(text), "\nservers:")
		var document struct{ Info struct{ Description string } }
		if strings.Contains(string(text), "operationId: submitGeneration") && yaml.Unmarshal([]byte(head), &document) == nil {
			all = append(all, summary{strings.TrimSuffix(name, ".yaml"), document.Info.Description})
		}
	}
	return all
}
