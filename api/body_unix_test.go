//go:build unix

package api

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/aimlvideo/wan-go/spec/media"
)

// To open a pipe that nobody writes to would hang.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.mp4")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	_, err := newBody(t.Context(), map[string]any{"video_url": media.File(path)}, 0)
	if input := (*InputError)(nil); !errors.As(err, &input) || input.Property != "video_url" || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("got %v", err)
	}
}
