package api

import (
	"io"

	"github.com/aimlvideo/wan-go/spec/media"
)

// A Source is the value of a media property: where the bytes of a video or a picture come from. The zero Source means
// that the property isn't set.
type Source = media.Source

// URL returns a Source that the API fetches from an address. A complete data URI will do as well, and is sent as it is.
func URL(url string) Source { return media.URL(url) }

// File returns a Source that sends the bytes of a local file. They travel inside the request, as a base64 data URI: the
// file is looked at before anything is sent, and read while it is sent. It has to be a video for a video property and a
// picture for an image property.
func File(path string) Source { return media.File(path) }

// Reader is like [File] for bytes that aren't in a file: the first size bytes of r. They may be read more than once, and
// should come soon, since no context ends a read.
func Reader(r io.ReaderAt, size int64) Source { return media.Reader(r, size) }
