// Package media holds the Go type of the documents' media properties: a video or a picture, given as a URL or as bytes
// on this machine. Bytes travel inside the request as a base64 data URI.
//
// Programs make sources with the functions of package api, which have the same names.
package media

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
)

// A Source says where the bytes of a media property come from. The zero Source means that the property isn't set.
// A Source is a small immutable value and safe for concurrent use.
type Source struct {
	url    string
	path   string
	reader io.ReaderAt
	size   int64
}

// URL makes a Source of a URL that the API fetches, or of a complete data URI, which is sent as it is.
func URL(url string) Source { return Source{url: url} }

// File makes a Source of a local file. It is looked at when the request is made, and read while that is sent.
func File(path string) Source { return Source{path: path} }

// Reader makes a Source of the first size bytes of r, for bytes that aren't in a file. They may be read more than once
// and concurrently, which is why it takes an io.ReaderAt, such as a *bytes.Reader.
func Reader(r io.ReaderAt, size int64) Source { return Source{reader: r, size: size} }

// IsZero reports whether the property isn't set.
func (s Source) IsZero() bool { return s.url == "" && s.path == "" && s.reader == nil }

// IsLocal reports whether the bytes come from this machine and have yet to be encoded.
func (s Source) IsLocal() bool { return s.path != "" || s.reader != nil }

// String describes the Source for logs and errors. It shows neither data nor the query of a URL, which may hold a
// signature.
func (s Source) String() string {
	switch {
	case s.IsZero():
		return "nothing"
	case s.path != "":
		return s.path
	case s.reader != nil:
		return fmt.Sprintf("%d bytes", s.size)
	default:
		return redactURL(s.url)
	}
}

// LogValue does the same for log/slog.
func (s Source) LogValue() slog.Value { return slog.StringValue(s.String()) }

// GoString does the same for %#v.
func (s Source) GoString() string { return "media.Source(" + s.String() + ")" }

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

// MarshalJSON encodes the Source as the documents want it: as a URL, or as a data URI that holds all of the bytes.
// Package api doesn't use it for local bytes but streams them.
func (s Source) MarshalJSON() ([]byte, error) {
	if s.IsZero() {
		return nil, errors.New("media: the source isn't set")
	}
	if !s.IsLocal() {
		return json.Marshal(s.url)
	}
	content, err := s.inspect("", 0)
	if err != nil {
		return nil, err
	}
	r, err := content.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	encoded := make([]byte, 0, int64(len(content.prefix))+content.encodedLen()+2)
	encoded = append(encoded, '"')
	encoded = append(encoded, content.prefix...)
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return append(base64.StdEncoding.AppendEncode(encoded, data), '"'), nil
}

// UnmarshalJSON decodes a URL or a data URI.
func (s *Source) UnmarshalJSON(data []byte) error {
	*s = Source{}
	return json.Unmarshal(data, &s.url)
}

// content is a local source that has been looked at: it exists, isn't empty and holds a video or a picture.
type content struct {
	source Source
	size   int64
	prefix string // of the data URI, up to and including the comma
}

func (c *content) encodedLen() int64 { return int64(base64.StdEncoding.EncodedLen(int(c.size))) }

// open opens the bytes anew. Reading them fails when they are no longer as many as they were.
func (c *content) open() (io.ReadCloser, error) {
	if c.source.reader != nil {
		return io.NopCloser(&exact{io.NewSectionReader(c.source.reader, 0, c.size), c, c.size}), nil
	}
	f, err := os.Open(c.source.path)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{&exact{f, c, c.size}, f}, nil
}

// exact reads what the Content-Length has promised, no more and no less.
type exact struct {
	r       io.Reader
	content *content
	left    int64
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if e.left < 0 || e.left > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
		return 0, fmt.Errorf("media: %s changed its size while it was sent", e.content.source)
	}
	return n, err
}
