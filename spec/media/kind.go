package media

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// SniffLen is how many bytes at the start of a file Detect needs.
const SniffLen = 3072

// IsDataURI reports whether text is a data URI. The scheme has no case (RFC 3986).
func IsDataURI(text string) bool {
	const scheme = "data:"
	return len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme)
}

// An InputError says that a property of a request can't be sent as it is. Nothing has been sent.
type InputError struct {
	// Property is the name of the property in the document, such as "image_url"; empty where it isn't known.
	Property string
	// Err is what is wrong with it.
	Err error
}

func (e *InputError) Error() string {
	if e.Property == "" {
		return "wan: " + e.Err.Error()
	}
	return "wan: " + e.Property + ": " + e.Err.Error()
}

func (e *InputError) Unwrap() error { return e.Err }

// inspect looks at a local source before anything is sent. The property's name tells what it has to be: its words
// "video" and "image" are those of the documents. A limit of 0 is none.
func (s Source) inspect(property string, limit int64) (*content, error) {
	size, mediaType, err := s.sniff()
	if err == nil {
		err = check(property, size, limit, mediaType)
	}
	if err != nil {
		// The path stands in the message already.
		if pathError, ok := errors.AsType[*os.PathError](err); ok {
			err = pathError.Err
		}
		return nil, &InputError{property, fmt.Errorf("%s: %w", s, err)}
	}
	return &content{s, size, "data:" + mediaType + ";base64,"}, nil
}

// checkURL notices the path of a file that was given as a URL.
func (s Source) checkURL(property string) error {
	if s.IsZero() || IsDataURI(s.url) || strings.Contains(s.url, "://") {
		return nil
	}
	return &InputError{property, errors.New("it is no URL; a local file is given as a File")}
}

func check(property string, size, limit int64, mediaType string) error {
	want := "a video or a picture"
	ok := strings.HasPrefix(mediaType, "video/") || strings.HasPrefix(mediaType, "image/")
	switch {
	case strings.Contains(property, "video"):
		want, ok = "a video", strings.HasPrefix(mediaType, "video/")
	case strings.Contains(property, "image"):
		want, ok = "a picture", strings.HasPrefix(mediaType, "image/")
	}
	switch {
	case size <= 0:
		return errors.New("it is empty")
	case limit > 0 && size > limit:
		return fmt.Errorf("it has %d bytes, more than the limit of %d; put it where the API can fetch it and give its URL", size, limit)
	case !ok:
		return fmt.Errorf("it is %s, not %s", mediaType, want)
	}
	return nil
}

func (s Source) sniff() (size int64, mediaType string, err error) {
	r, size := s.reader, s.size
	if s.path != "" {
		info, err := os.Stat(s.path)
		switch {
		case err != nil:
			return 0, "", err
		case info.IsDir():
			return 0, "", errors.New("it is a directory")
		case !info.Mode().IsRegular():
			return 0, "", errors.New("it isn't a regular file, so its size can't be told in advance")
		}
		f, err := os.Open(s.path)
		if err != nil {
			return 0, "", err
		}
		defer f.Close()
		r, size = f, info.Size()
	}
	head := make([]byte, max(0, min(size, SniffLen)))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return 0, "", err
	}
	return size, Detect(head, s.path), nil
}

// Detect returns the media type of content by its first bytes, without parameters. Where they say nothing, it returns
// the type of the path's extension, or else application/octet-stream. The path may be empty.
func Detect(head []byte, path string) string {
	found := mimetype.Detect(head)
	mediaType, _, _ := strings.Cut(found.String(), ";")
	if mediaType == "audio/mp4" { // which some brands are taken for, whatever is in them
		return "video/mp4"
	}
	if mediaType != "application/octet-stream" {
		return mediaType
	}
	if byExtension, ok := extensions[strings.ToLower(filepath.Ext(path))]; ok {
		return byExtension
	}
	return mediaType
}

// extensions are those of formats that have no reliable signature. The table is ours since the one of package mime
// differs between machines.
var extensions = map[string]string{
	".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime",
	".ts": "video/mp2t", ".m2ts": "video/mp2t", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
}
