package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// Content is a local source that exists and isn't empty.
type Content struct {
	// Size is the number of bytes.
	Size int64
	// MediaType is the stated or detected type.
	MediaType string

	source Source
}

var mediaTypePattern = regexp.MustCompile(`^[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]*$`)

// Inspect reads the size and the media type of a local source. It returns an error if the source can't be read, is empty
// or has more than limit bytes; 0 means no limit. Errors don't name the source.
func (s Source) Inspect(limit int64) (*Content, error) {
	if s.mediaType != "" && !mediaTypePattern.MatchString(s.mediaType) {
		return nil, fmt.Errorf("%.40q isn't a media type", s.mediaType)
	}
	c := &Content{Size: s.size, MediaType: s.mediaType, source: s}
	if s.path != "" {
		info, err := os.Stat(s.path)
		switch {
		case err != nil:
			return nil, withoutPath(err)
		case info.IsDir():
			return nil, errors.New("a directory")
		case !info.Mode().IsRegular():
			return nil, errors.New("not a regular file, so its size isn't known in advance")
		}
		c.Size = info.Size()
	}
	switch {
	case c.Size <= 0:
		return nil, errors.New("empty")
	case limit > 0 && c.Size > limit:
		return nil, fmt.Errorf("%d bytes, more than the limit of %d; host the file and give its URL", c.Size, limit)
	}
	if c.MediaType != "" {
		return c, nil
	}
	head, err := s.head(c.Size)
	if err != nil {
		return nil, withoutPath(err)
	}
	c.MediaType = Detect(head, s.path)
	return c, nil
}

// head returns the first bytes of a local source of the given size.
func (s Source) head(size int64) ([]byte, error) {
	head := make([]byte, min(size, SniffLen))
	if s.stream != nil {
		return s.stream.peek(head)
	}
	r := s.reader
	if s.path != "" {
		f, err := os.Open(s.path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	n, err := r.ReadAt(head, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

var errUsed = errors.New("a stream that was sent already; it can be sent only once")

func (s *stream) peek(head []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return nil, errUsed
	}
	if s.head == nil {
		n, err := io.ReadFull(s.Reader, head)
		s.head = head[:n]
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
	}
	return s.head, nil
}

func (s *stream) open() (io.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return nil, errUsed
	}
	s.used = true
	return io.MultiReader(bytes.NewReader(s.head), s.Reader), nil
}

// withoutPath returns the reason of an error that repeats the path.
func withoutPath(err error) error {
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		return pathError.Err
	}
	return err
}

// CheckKind returns an error if a property can't hold this content. A name with "video", "image" or "audio" is a property
// for that kind of media. Other properties hold any of them.
func (c *Content) CheckKind(property string) error {
	kind, _, _ := strings.Cut(c.MediaType, "/")
	for _, want := range []string{"video", "image", "audio"} {
		if strings.Contains(property, want) {
			if kind != want {
				return fmt.Errorf("%s, not %s", c.MediaType, article[want])
			}
			return nil
		}
	}
	if article[kind] == "" {
		return fmt.Errorf("%s, not a video, an image or audio", c.MediaType)
	}
	return nil
}

var article = map[string]string{"video": "a video", "image": "an image", "audio": "audio"}

// Prefix is the data URI up to and including the comma.
func (c *Content) Prefix() string { return "data:" + c.MediaType + ";base64," }

// Open returns the bytes. Reading fails if there are no longer Size of them.
func (c *Content) Open() (io.ReadCloser, error) {
	switch {
	case c.source.reader != nil:
		return io.NopCloser(&exactReader{io.NewSectionReader(c.source.reader, 0, c.Size), c.source, c.Size}), nil
	case c.source.stream != nil:
		r, err := c.source.stream.open()
		if err != nil {
			return nil, err
		}
		return io.NopCloser(&exactReader{io.LimitReader(r, c.Size), c.source, c.Size}), nil
	}
	f, err := os.Open(c.source.path)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{&exactReader{f, c.source, c.Size}, f}, nil
}

// Spent reports whether the content can't be opened any more: it is a stream that was opened before.
func (c *Content) Spent() bool {
	s := c.source.stream
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// An exactReader fails unless the source has exactly the bytes that Content-Length promised.
type exactReader struct {
	r      io.Reader
	source Source
	left   int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if e.left < 0 || e.left > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return 0, fmt.Errorf("media: %s changed its size while it was sent", e.source)
	}
	return n, err
}
