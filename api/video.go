package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Video is the result of a completed generation. It is safe for concurrent use.
type Video struct {
	GenerationID string
	// URL is where the bytes are, mostly on another host than the API. It needs no key, and it may expire; Save and
	// Download then ask the API for a fresh one.
	URL string
	// Usage is what the generation was charged.
	Usage Usage

	job *Job
}

// errForeignVideo is what a Video answers that was put together by hand.
var errForeignVideo = &InputError{Property: "video", Err: errors.New("it has no client; get it from a Job with the generation's id")}

// Save downloads the video into a file, which is replaced only when all of it has arrived: until then the bytes are in
// a temporary file beside it. A download that breaks off is resumed where it stopped. Nothing is left on failure.
//
// The error is an [*InputError] if the file can't be created, and else a [*DownloadError].
func (v *Video) Save(ctx context.Context, path string, opts ...DownloadOption) error {
	if v.job == nil {
		return errForeignVideo
	}
	path, mode, err := target(path)
	if err != nil {
		return &InputError{Property: "path", Err: err}
	}
	f, err := createBeside(path)
	if err != nil {
		return &InputError{Property: "path", Err: err}
	}
	if mode != 0 {
		_ = f.Chmod(mode) // not every file system can
	}
	err = v.saveTo(ctx, f, path, opts)
	if err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name())
		return &DownloadError{v.GenerationID, err}
	}
	return nil
}

func (v *Video) saveTo(ctx context.Context, f *os.File, path string, opts []DownloadOption) error {
	d := newDownload(v, f, opts)
	d.restart = func() error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		return f.Truncate(0)
	}
	if err := d.run(ctx); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	// So that the name outlives a power cut, too. Not every system can do this.
	if directory, err := os.Open(filepath.Dir(path)); err == nil {
		_ = directory.Sync()
		_ = directory.Close()
	}
	return nil
}

// target follows symbolic links, and tells the permissions of a file that is there already.
func target(path string) (string, os.FileMode, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil: // mostly because there is none
		return path, 0, nil //nolint:nilerr // what else is wrong shows when it is created
	case info.IsDir():
		return "", 0, fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return "", 0, fmt.Errorf("%s isn't a regular file", path)
	}
	path, err = filepath.EvalSymlinks(path)
	return path, info.Mode().Perm(), err
}

// createBeside creates a file in the same directory, so that a rename is atomic, with the permissions of a new file.
func createBeside(path string) (*os.File, error) {
	if path == "" {
		return nil, errors.New("it is empty")
	}
	temporary := filepath.Join(filepath.Dir(path), ".wan-"+strings.ToLower(rand.Text()[:12])+".part")
	return os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides, as for any new file
}

// Download writes the video to w and returns how many bytes it has written. A download that breaks off is resumed where
// it stopped. On an error, which is a [*DownloadError], w may have got a part of the video; it gets nothing of what
// isn't a video, such as an error page.
func (v *Video) Download(ctx context.Context, w io.Writer, opts ...DownloadOption) (int64, error) {
	if v.job == nil {
		return 0, errForeignVideo
	}
	d := newDownload(v, w, opts)
	if err := d.run(ctx); err != nil {
		return d.written, &DownloadError{v.GenerationID, err}
	}
	return d.written, nil
}
