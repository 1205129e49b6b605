package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spf13/cobra/doc"
)

// TestManPages generates the man pages, into WAN_MAN_DIR for the archives of a release.
func TestManPages(t *testing.T) {
	directory := os.Getenv("WAN_MAN_DIR")
	if directory == "" {
		directory = t.TempDir()
	}
	root := newRoot(&console{stdin: os.Stdin, stdout: io.Discard, stderr: io.Discard})
	root.DisableAutoGenTag = true
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "wan-go", Date: new(time.Time)}, directory); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(directory, "wan-batch-run.1")); err != nil || info.Size() < 200 {
		t.Errorf("no page of run: %v", err)
	}
}
