package api_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// A path where no file can be is bad input, and reported before anything is fetched.
func TestSaveInput(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	if err := errors.Join(os.Symlink(at("loop"), at("loop")), os.Symlink(directory, at("folder")), os.WriteFile(at("read-only"), nil, 0o444)); err != nil {
		t.Fatal(err)
	}
	before := names(t, directory)
	for _, path := range []string{
		"", directory, at("read-only/out.mp4"), at("loop"), at("folder"), at("read-only"),
		at(strings.Repeat("x", 300)), at("a\x00b"), os.DevNull,
	} {
		err := video.Save(t.Context(), path)
		if input := (*api.InputError)(nil); !errors.As(err, &input) {
			t.Errorf("%q: %v", path, err)
		}
	}
	byHand := &api.Video{GenerationID: video.GenerationID, URL: video.URL}
	err := byHand.Save(t.Context(), at("out.mp4"))
	_, err2 := byHand.Download(t.Context(), &bytes.Buffer{})
	for _, err := range []error{err, err2} {
		if input := (*api.InputError)(nil); !errors.As(err, &input) {
			t.Errorf("a Video that was put together by hand: %v", err)
		}
	}
	if n := srv.Ledger().Downloads; n != 0 {
		t.Errorf("%d downloads", n)
	}
	if after := names(t, directory); after != before {
		t.Errorf("there are %s, before there were %s", after, before)
	}
}

// Links and permissions stay what they were.
func TestSaveTarget(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	tests := []struct {
		name string
		// prepare makes what is there before, and returns where the video is then.
		prepare func(directory, path string) (string, error)
		mode    os.FileMode // 0 for that of a new file
	}{
		{"nothing", func(_, path string) (string, error) { return path, nil }, 0},
		{"a file of its own kind", func(_, path string) (string, error) {
			return path, os.WriteFile(path, []byte("old"), 0o640)
		}, 0o640},
		{"a link to a file", func(directory, path string) (string, error) {
			at := filepath.Join(directory, "elsewhere.mp4")
			return at, errors.Join(os.WriteFile(at, []byte("old"), 0o604), os.Symlink(at, path))
		}, 0o604},
		{"a link to nothing yet", func(directory, path string) (string, error) {
			return filepath.Join(directory, "elsewhere.mp4"), os.Symlink("elsewhere.mp4", path)
		}, 0},
		{"a link to a link", func(directory, path string) (string, error) {
			return filepath.Join(directory, "elsewhere.mp4"),
				errors.Join(os.Symlink("middle", path), os.Symlink("elsewhere.mp4", filepath.Join(directory, "middle")))
		}, 0},
		{"a link in a linked folder", func(directory, path string) (string, error) {
			deep := filepath.Join(directory, "real", "deep")
			return filepath.Join(directory, "real", "out.mp4"), errors.Join(os.MkdirAll(deep, 0o700), os.Symlink(filepath.Join("real", "deep"), filepath.Join(directory, "link")),
				os.Symlink(filepath.Join("..", "out.mp4"), filepath.Join(deep, "out.mp4")), os.Symlink(filepath.Join("link", "out.mp4"), path))
		}, 0},
		{"a link to a link in a folder", func(directory, path string) (string, error) {
			folder := filepath.Join(directory, "folder")
			return filepath.Join(directory, "elsewhere.mp4"),
				errors.Join(os.Mkdir(folder, 0o700), os.Symlink("folder/middle", path), os.Symlink("../elsewhere.mp4", filepath.Join(folder, "middle")))
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			directory := t.TempDir()
			path := filepath.Join(directory, "out.mp4")
			at, err := test.prepare(directory, path)
			if err != nil {
				t.Fatal(err)
			}
			before, _ := os.Lstat(path)
			if err := video.Save(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			after, err := os.Lstat(path)
			if err != nil || before != nil && before.Mode().Type() != after.Mode().Type() {
				t.Errorf("it was %v and is %v %v", before, after, err)
			}
			info, err := os.Lstat(at)
			if err != nil || !info.Mode().IsRegular() || info.Size() < 10_000 || test.mode != 0 && info.Mode().Perm() != test.mode {
				t.Errorf("the video is %v %v", info, err)
			}
			if all := names(t, directory); strings.Contains(all, ".part") {
				t.Errorf("left are %s", all)
			}
		})
	}
}

// However a download ends, its temporary file goes.
func TestSaveLeavesNothing(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	video := completed(t, newClient(t, srv))
	directory := t.TempDir()
	for _, end := range []func(){func() { panic("a callback's own fault") }, runtime.Goexit} {
		over := make(chan struct{})
		go func() {
			defer close(over)
			defer func() { _ = recover() }()
			_ = video.Save(t.Context(), filepath.Join(directory, "out.mp4"), api.OnDownload(func(int64, int64) { end() }))
		}()
		<-over
	}
	if left := names(t, directory); left != "" {
		t.Errorf("left are %s", left)
	}
}

func names(t *testing.T, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}
