package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A file is written beside its place and moved there when it is complete.
type file struct {
	*os.File

	path  string // where it goes
	saved bool
}

// createFile creates a temporary file in the directory of path, so that the rename is atomic.
func createFile(path string) (*file, error) {
	path, mode, err := target(path)
	if err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(path), ".wan-"+strings.ToLower(rand.Text()[:12])+".part")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides, as for any new file
	if err != nil {
		return nil, fmt.Errorf("%s can't be created: %w", path, cause(err))
	}
	if mode != 0 {
		_ = f.Chmod(mode) // not every file system can
	}
	return &file{File: f, path: path}, nil
}

// target follows symbolic links, and tells the permissions of a file that is there already.
func target(path string) (string, fs.FileMode, error) {
	if path == "" {
		return "", 0, errors.New("it is empty")
	}
	const maxLinks = 40
	for range maxLinks {
		// A link leads on from where its directory really is.
		if directory, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(directory, filepath.Base(path))
		}
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, 0, nil
		case err != nil:
			return "", 0, fmt.Errorf("%.100q: %w", path, cause(err))
		case info.Mode()&fs.ModeSymlink != 0: // it may lead to a file that isn't there yet
			link, err := os.Readlink(path)
			if err != nil {
				return "", 0, fmt.Errorf("%s: %w", path, cause(err))
			}
			if !filepath.IsAbs(link) {
				link = filepath.Join(filepath.Dir(path), link)
			}
			path = link
		case info.IsDir():
			return "", 0, fmt.Errorf("%s is a directory", path)
		case !info.Mode().IsRegular():
			return "", 0, fmt.Errorf("%s isn't a regular file", path)
		case info.Mode().Perm()&0o200 == 0:
			return "", 0, fmt.Errorf("%s is read-only", path)
		default:
			return path, info.Mode().Perm(), nil
		}
	}
	return "", 0, fmt.Errorf("%s is a link that leads nowhere", path)
}

// cause drops the path that package os puts into its errors: it is the wrong one, or stands there already.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// restart empties the file.
func (f *file) restart() error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return f.Truncate(0)
}

// commit moves the file to its place.
func (f *file) commit() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), f.path); err != nil {
		return err
	}
	f.saved = true
	// So that the name outlives a power cut, too. Not every system can do this.
	if directory, err := os.Open(filepath.Dir(f.path)); err == nil {
		_ = directory.Sync()
		_ = directory.Close()
	}
	return nil
}

// discard removes what hasn't been committed.
func (f *file) discard() {
	if !f.saved {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}
