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

// A file is written beside its path and moved there when it is complete.
type file struct {
	*os.File

	path  string
	keep  bool // what is there stays
	saved bool
}

// createFile creates a temporary file in the directory of path, so that the move is atomic. It creates the directory.
func createFile(path string, keep bool) (*file, error) {
	if path == "" {
		return nil, errors.New("it is empty")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil { //nolint:gosec // the umask decides, as for any new directory
		return nil, fmt.Errorf("%.100q can't be created: %w", filepath.Dir(path), cause(err))
	}
	path, mode, err := target(path)
	if err != nil {
		return nil, err
	}
	if keep {
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("%s: %w", path, fs.ErrExist)
		}
	}
	temporary := filepath.Join(filepath.Dir(path), ".wan-"+strings.ToLower(rand.Text()[:12])+".part")
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides, as for any new file
	if err != nil {
		return nil, fmt.Errorf("%s can't be created: %w", path, cause(err))
	}
	if mode != 0 {
		_ = f.Chmod(mode) // not every file system can
	}
	return &file{File: f, path: path, keep: keep}, nil
}

// target follows symbolic links and returns the permissions of an existing file.
func target(path string) (string, fs.FileMode, error) {
	const maxLinks = 40
	for range maxLinks {
		// A link is relative to the real directory.
		if directory, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(directory, filepath.Base(path))
		}
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, 0, nil
		case err != nil: // such as a name that is too long
			return "", 0, fmt.Errorf("%.100q: %w", path, cause(err))
		case info.Mode()&fs.ModeSymlink != 0: // possibly to a file that doesn't exist yet
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
	return "", 0, fmt.Errorf("%s is a symbolic link in a loop", path)
}

// cause drops the path from errors of package os: it is the temporary one, or stands there already.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	if linkError, ok := errors.AsType[*os.LinkError](err); ok {
		return linkError.Err
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

// commit moves the file to its path.
func (f *file) commit() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := f.move(); err != nil {
		return fmt.Errorf("%s: %w", f.path, cause(err))
	}
	f.saved = true
	// So that the name survives a power failure. Not every system can do this.
	if directory, err := os.Open(filepath.Dir(f.path)); err == nil {
		_ = directory.Sync()
		_ = directory.Close()
	}
	return nil
}

func (f *file) move() error {
	if !f.keep {
		return os.Rename(f.Name(), f.path)
	}
	// A link never replaces a file, also one that has just appeared.
	err := os.Link(f.Name(), f.path)
	if err == nil {
		return os.Remove(f.Name())
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without links: reserve the name, then replace our own empty file.
	reserved, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) //nolint:gosec // the umask decides
	if err != nil {
		return err
	}
	_ = reserved.Close()
	return os.Rename(f.Name(), f.path)
}

// discard removes the temporary file unless it was committed.
func (f *file) discard() {
	if !f.saved {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}
