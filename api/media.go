package api

import (
	"io"

	"github.com/aimlvideo/wan-go/spec/media"
)

// URL is the value of a media property that the API fetches from an address. A complete data URI will do as well.
func URL(url string) media.Source { return media.URL(url) }

// File is the value of a media property whose bytes are in a local file. They travel inside the request, as a base64
// data URI, and are read when the request is sent. The file has to be a video for a video property and a picture for
// an image property.
func File(path string) media.Source { return media.File(path) }

// Reader is like [File] for bytes that aren't in a file: the first size bytes of r. They may be read more than once.
func Reader(r io.ReaderAt, size int64) media.Source { return media.Reader(r, size) }
