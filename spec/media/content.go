package media

import (
	"bytes"
	"context"
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
	case c.Size < 0: // such as the Content-Length of a chunked request
		return nil, fmt.Errorf("its size isn't known (%d); save it to a file first", c.Size)
	case c.Size == 0:
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

// InspectContext does the same, but returns the error of ctx as soon as it ends, although a stream blocks. It then closes
// the stream's reader if that is an io.Closer, and the stream can't be used any more.
func (s Source) InspectContext(ctx context.Context, limit int64) (*Content, error) {
	if s.stream == nil {
		return s.Inspect(limit)
	}
	var content *Content
	done := make(chan error, 1)
	go func() {
		inspected, err := s.Inspect(limit)
		content = inspected
		done <- err
	}()
	select {
	case err := <-done:
		return content, err
	case <-ctx.Done():
		s.stream.close()
		return nil, ctx.Err()
	}
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

// open returns size bytes. Close, and the end of ctx, end a read that blocks.
func (s *stream) open(ctx context.Context, size int64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used {
		return nil, errUsed
	}
	s.used = true
	r, w := io.Pipe()
	rest := io.LimitReader(io.MultiReader(bytes.NewReader(s.head), s.Reader), size)
	go func() {
		_, err := io.Copy(w, rest)
		_ = w.CloseWithError(err)
	}()
	stop := context.AfterFunc(ctx, func() {
		_ = w.CloseWithError(context.Cause(ctx))
		s.close()
	})
	return &openStream{r, stop}, nil
}

type openStream struct {
	*io.PipeReader

	stop func() bool
}

func (o *openStream) Close() error {
	o.stop()
	return o.PipeReader.Close()
}

// close closes the reader, which may block too, if that is possible.
func (s *stream) close() {
	if closer, ok := s.Reader.(io.Closer); ok {
		go func() { _ = closer.Close() }()
	}
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

// Open returns the bytes. Reading fails if there are no longer Size of them. The end of ctx ends the reading of a stream,
// as in [Source.InspectContext].
func (c *Content) Open(ctx context.Context) (io.ReadCloser, error) {
	switch {
	case c.source.reader != nil:
		return c.exact(io.NopCloser(io.NewSectionReader(c.source.reader, 0, c.Size))), nil
	case c.source.stream != nil:
		r, err := c.source.stream.open(ctx, c.Size)
		return c.exact(r), err
	}
	f, err := os.Open(c.source.path)
	return c.exact(f), err
}

func (c *Content) exact(r io.ReadCloser) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{&exactReader{r, c.source, c.Size}, r}
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
