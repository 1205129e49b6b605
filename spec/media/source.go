// Package media has the Go type of the specs' media properties: a video, an image or audio, given as a URL or as bytes on
// this machine. Bytes are sent inside the request as a base64 data URI. Package api has constructors of the same names.
package media

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"
)

// A Source is the value of a media property: a URL, a data URI, a local file, or bytes in memory. The zero Source means
// that the property isn't set. Sources are small values. They are safe for concurrent use, except that a [Stream] can be
// sent only once.
type Source struct {
	url       string
	path      string
	reader    io.ReaderAt
	stream    *stream
	size      int64  // of reader or stream
	mediaType string // as stated by the caller
}

// URL returns a Source that the API fetches itself. It also takes a complete data URI, which is sent as it is.
func URL(url string) Source { return Source{url: url} }

// File returns a Source that sends a local file. The file is read while the request is sent.
func File(path string) Source { return Source{path: path} }

// Bytes returns a Source that sends data. Don't change data before it has been sent.
func Bytes(data []byte) Source { return Reader(bytes.NewReader(data), int64(len(data))) }

// Reader returns a Source that sends the first size bytes of r. It may read them more than once and concurrently.
func Reader(r io.ReaderAt, size int64) Source { return Source{reader: r, size: size} }

// Stream returns a Source that sends size bytes of r. It reads them once, so the request can be sent only once: the
// client doesn't retry it after it has begun to send it.
func Stream(r io.Reader, size int64) Source {
	return Source{stream: &stream{Reader: r}, size: size}
}

// A stream is a reader with the bytes that were read ahead to detect the media type.
type stream struct {
	io.Reader

	mu   sync.Mutex
	head []byte
	used bool
}

// WithMediaType returns the Source with a stated media type, such as "video/mp4". Without one, the type is detected from
// the content. It has no effect on a URL.
func (s Source) WithMediaType(mediaType string) Source {
	s.mediaType = mediaType
	return s
}

// IsZero reports whether the property isn't set.
func (s Source) IsZero() bool { return s.url == "" && !s.IsLocal() }

// IsLocal reports whether the bytes are on this machine and have yet to be encoded.
func (s Source) IsLocal() bool { return s.path != "" || s.reader != nil || s.stream != nil }

// String describes the Source for errors. It contains neither data nor the query of a URL, which may be a signature.
func (s Source) String() string {
	switch {
	case s.IsZero():
		return "nothing"
	case s.path != "":
		return s.path
	case s.IsLocal() && s.size < 0:
		return "a reader"
	case s.IsLocal():
		return fmt.Sprintf("%d bytes", s.size)
	default:
		return redactURL(s.url)
	}
}

// GoString describes the Source for %#v.
func (s Source) GoString() string { return "media.Source(" + s.String() + ")" }

// LogValue describes the Source for log/slog: its name, media type and size.
func (s Source) LogValue() slog.Value {
	if s.path == "" && s.reader == nil {
		return slog.StringValue(s.String())
	}
	content, err := s.Inspect(0)
	if err != nil {
		return slog.StringValue(s.String())
	}
	if s.path == "" {
		return slog.StringValue(fmt.Sprintf("%s (%s)", s, content.MediaType))
	}
	return slog.StringValue(fmt.Sprintf("%s (%s, %d bytes)", s, content.MediaType, content.Size))
}

func redactURL(raw string) string {
	if mediaType, data, ok := strings.Cut(raw, ","); ok && IsDataURI(raw) {
		return fmt.Sprintf("%.80s,... (%d characters)", mediaType, len(data))
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return fmt.Sprintf("an unreadable URL of %d characters", len(raw))
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// MarshalJSON encodes the Source as the specs define it: a URL, or a data URI with all bytes of a local source in memory.
// Package api streams them instead, and its MarshalRequest keeps paths.
func (s Source) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("media: the source isn't set")
	}
	if !s.IsLocal() {
		return json.Marshal(s.url)
	}
	content, err := s.Inspect(0)
	if err == nil {
		err = content.CheckKind("")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	r, err := content.Open(context.Background())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	encoded := make([]byte, 0, len(content.Prefix())+base64.StdEncoding.EncodedLen(len(data))+2)
	encoded = append(encoded, '"')
	encoded = append(encoded, content.Prefix()...)
	return append(base64.StdEncoding.AppendEncode(encoded, data), '"'), nil
}

// UnmarshalJSON decodes a URL or a data URI. It never makes a local file of a text that comes from elsewhere; see [Parse].
func (s *Source) UnmarshalJSON(data []byte) error {
	*s = Source{}
	return json.Unmarshal(data, &s.url)
}
