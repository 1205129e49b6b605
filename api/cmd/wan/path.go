package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aimlvideo/wan-go/spec"
)

// expand is where the video of a generation goes; empty without -o.
func (o *output) expand(id, seed string) string {
	model := o.slug
	if model == "" {
		// One form of generation ids ends with the model behind a colon.
		if _, model, _ = strings.Cut(id, ":"); model != "" {
			if document, ok := spec.ByModel(model); ok {
				model = document.Slug
			}
		}
	}
	safe := strings.NewReplacer("/", "_", `\`, "_", ":", "_")
	return strings.NewReplacer("{id}", safe.Replace(id), "{model}", safe.Replace(model), "{seed}", safe.Replace(seed)).Replace(o.path)
}

// checkPaths checks the paths as far as they are known: before a submission there is no id.
func (o *output) checkPaths(seed string, ids []string) error {
	if err := o.checkTemplate(seed, len(ids)); err != nil {
		return err
	}
	if ids == nil && strings.Contains(o.path, "{id}") {
		if strings.Contains(filepath.Dir(o.path), "{id}") {
			return nil
		}
		return creatable(o.expand("id", seed))
	}
	if ids == nil {
		ids = []string{""}
	}
	for _, id := range ids {
		path := o.expand(id, seed)
		if err := o.checkFree(path); err != nil {
			return err
		}
		if err := creatable(path); err != nil {
			return err
		}
	}
	return nil
}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func (o *output) checkTemplate(seed string, generations int) error {
	switch {
	case o.path == "":
		return errors.New("the name is empty")
	case o.path == "-":
		return errors.New("- isn't a file; videos aren't written to standard output")
	case generations > 1 && !strings.Contains(o.path, "{id}"):
		return fmt.Errorf("%s is one file for several generations; add {id} to its name", o.path)
	case strings.Contains(o.path, "{seed}") && seed == "":
		return errors.New("{seed} needs --seed; the API doesn't report the seed it chooses")
	}
	for _, name := range placeholder.FindAllString(o.path, -1) {
		if name != "{id}" && name != "{model}" && name != "{seed}" {
			return fmt.Errorf("unknown placeholder %s; there are {id}, {model} and {seed}", name)
		}
	}
	return nil
}

// checkFree returns an error if a video at the path would overwrite another file.
func (o *output) checkFree(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // no such file
	}
	for _, input := range o.inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%s is an input of the request; choose another name", path)
		}
	}
	if !o.overwrite {
		return fmt.Errorf("%s exists; choose another name, add {id} to it, or use --overwrite", path)
	}
	return nil
}

// creatable creates a temporary file beside the path and removes it.
func creatable(path string) error {
	switch info, err := os.Stat(path); {
	case err != nil:
	case info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s isn't a regular file", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create %s: no directory %s", path, filepath.Dir(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wan-*")
	if err != nil {
		return fmt.Errorf("create %s: %w", path, errors.Unwrap(err))
	}
	f.Close()
	return os.Remove(f.Name())
}
