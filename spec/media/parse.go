package media

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// IsDataURI reports whether text is a data URI. The scheme has no case (RFC 3986).
func IsDataURI(text string) bool {
	const scheme = "data:"
	return len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme)
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// Parse returns the Source of a text that a person or a job file gives: an http or https URL, a data URI, a file URL, or
// the path of a local file. Don't use it for text from strangers, who could name any file of this machine. Errors don't
// repeat the text.
func Parse(text string) (Source, error) {
	switch {
	case text == "" || IsDataURI(text):
		return URL(text), nil
	case len(text) >= 5 && strings.EqualFold(text[:5], "file:"):
		return parseFileURL(text)
	case scheme.MatchString(text):
		return URL(text), CheckURL(text)
	case isBase64(text):
		return Source{}, errBase64
	case len(text) > maxPath:
		return Source{}, fmt.Errorf("neither a URL nor a file: %d characters", len(text))
	}
	return File(text), nil
}

// maxPath is longer than any path that an operating system takes.
const maxPath = 32 << 10

var errBase64 = errors.New("base64 without a media type; give a data URI such as data:image/png;base64,..., or a file")

// isBase64 reports whether text is the base64 of media.
func isBase64(text string) bool {
	const n = 64
	if len(text) < n {
		return false
	}
	head, err := base64.StdEncoding.DecodeString(text[:n])
	if err != nil {
		return false
	}
	mediaType := Detect(head, "")
	return mediaType != "text/plain" && mediaType != "application/octet-stream"
}

// parseFileURL handles file:///path, file://localhost/path, file:/path and file:path.
func parseFileURL(text string) (Source, error) {
	u, err := url.Parse(text)
	if err != nil {
		return Source{}, errors.New("not a valid file URL; write % as %25, or give the path")
	}
	if u.Host != "" && !strings.EqualFold(u.Host, "localhost") {
		return Source{}, fmt.Errorf("a file URL that names the host %.60q; copy the file here, or give an https URL", u.Host)
	}
	path := u.Path
	if u.Opaque != "" {
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return Source{}, errors.New("not a valid file URL; write % as %25, or give the path")
		}
	}
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:] // file:///C:/video.mp4
	}
	if path == "" {
		return Source{}, errors.New("a file URL without a path")
	}
	return File(filepath.FromSlash(path)), nil
}

// CheckURL returns an error if the API can't fetch text: it is neither an http or https URL nor a data URI. Errors don't
// repeat the text.
func CheckURL(text string) error {
	if IsDataURI(text) {
		return nil
	}
	if isBase64(text) {
		return errBase64
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("not a valid URL")
	case strings.EqualFold(u.Scheme, "http"), strings.EqualFold(u.Scheme, "https"):
		if u.Host == "" {
			return errors.New("a URL without a host")
		}
		return nil
	case u.Scheme == "file", !scheme.MatchString(text):
		return errors.New("not an http or https URL; give a local file as a File")
	}
	return fmt.Errorf("%s:// isn't supported; give an https URL, such as a presigned one, or a file", u.Scheme)
}

// Text returns the text that [Parse] turns into the same Source: a URL, a data URI or a path. It returns an error for
// bytes that aren't in a file.
func (s Source) Text() (string, error) {
	switch {
	case s.path == "" && s.IsLocal():
		return "", errors.New("bytes in memory have no path; use a File")
	case s.path == "":
		return s.url, nil
	}
	if same, err := Parse(s.path); err == nil && same == File(s.path) {
		return s.path, nil
	}
	return "." + string(filepath.Separator) + s.path, nil // the path looks like a URL
}
