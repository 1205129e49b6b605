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

// path is where the video of a generation goes.
func (o *output) path(id, seed string) string {
	model := o.slug
	if model == "" {
		// The id of a generation has the model behind a colon, in one of its two shapes.
		if _, model, _ = strings.Cut(id, ":"); model != "" {
			if document, ok := spec.ByModel(model); ok {
				model = document.Slug
			}
		}
	}
	safe := strings.NewReplacer("/", "_", `\`, "_", ":", "_")
	return strings.NewReplacer("{id}", safe.Replace(id), "{model}", safe.Replace(model), "{seed}", safe.Replace(seed)).Replace(o.file)
}

// checkPlaces looks at the places as far as they are known: an id that isn't yet stands for no file that is there.
func (o *output) checkPlaces(seed string, ids []string) error {
	if err := o.checkName(seed, len(ids)); err != nil {
		return err
	}
	if ids == nil && strings.Contains(o.file, "{id}") {
		if strings.Contains(filepath.Dir(o.file), "{id}") {
			return nil
		}
		return creatable(o.path("id", seed))
	}
	if ids == nil {
		ids = []string{""}
	}
	for _, id := range ids {
		path := o.path(id, seed)
		if err := o.free(path); err != nil {
			return err
		}
		if err := creatable(path); err != nil {
			return err
		}
	}
	return nil
}

// placeholder is what looks like one in the name of a file.
var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

func (o *output) checkName(seed string, generations int) error {
	switch {
	case o.file == "":
		return errors.New("it is empty")
	case o.file == "-":
		return errors.New("- isn't a file, and videos aren't written to standard output")
	case generations > 1 && !strings.Contains(o.file, "{id}"):
		return fmt.Errorf("%s is one file for several generations; put {id} into its name", o.file)
	case strings.Contains(o.file, "{seed}") && seed == "":
		return errors.New("{seed} needs a --seed: the one that the API chooses isn't told")
	}
	for _, name := range placeholder.FindAllString(o.file, -1) {
		if name != "{id}" && name != "{model}" && name != "{seed}" {
			return fmt.Errorf("%s stands for nothing; there are {id}, {model} and {seed}", name)
		}
	}
	return nil
}

// free looks whether a video at the path would cost another file.
func (o *output) free(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // there is none
	}
	for _, input := range o.inputs {
		if other, err := os.Stat(input); err == nil && os.SameFile(info, other) {
			return fmt.Errorf("%s is an input of the request; choose another name", path)
		}
	}
	if !o.overwrite {
		return fmt.Errorf("%s exists; choose another name, put {id} into it, or add --overwrite", path)
	}
	return nil
}

// creatable tries whether a file can be created.
func creatable(path string) error {
	switch info, err := os.Stat(path); {
	case err != nil:
	case info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s isn't a regular file", path)
	}
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s can't be created: there is no directory %s", path, filepath.Dir(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".wan-*")
	if err != nil {
		return fmt.Errorf("%s can't be created: %w", path, errors.Unwrap(err))
	}
	f.Close()
	return os.Remove(f.Name())
}
