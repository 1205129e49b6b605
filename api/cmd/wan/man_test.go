package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra/doc"

	"github.com/aimlvideo/wan-go/spec"
)

// TestManPages generates the man pages, into WAN_MAN_DIR for the archives of a release.
func TestManPages(t *testing.T) {
	directory := os.Getenv("WAN_MAN_DIR")
	if directory == "" {
		directory = t.TempDir()
	}
	var models []string
	for _, document := range spec.Models() {
		models = append(models, document.Slug)
	}
	var unknown error
	root := newRoot(newConsole(t.Context(), os.Stdin, io.Discard, io.Discard), models, &unknown)
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "wan-go", Date: new(time.Time)}, directory); err != nil {
		t.Fatal(err)
	}
	for _, command := range append(root.Commands(), root) {
		if command.IsAdditionalHelpTopicCommand() || !command.IsAvailableCommand() && command != root {
			continue
		}
		name := "wan.1"
		if command != root {
			name = "wan-" + command.Name() + ".1"
		}
		if info, err := os.Stat(filepath.Join(directory, name)); err != nil || info.Size() < 200 {
			t.Errorf("no page %s: %v", name, err)
		}
	}
}
