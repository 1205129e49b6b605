package api

import (
	"io"

	"github.com/aimlvideo/wan-go/spec/media"
)

// A Source is the value of a media property, such as VideoURL: a URL, a data URI, a local file, or bytes in memory. Make
// one with [URL], [File], [Bytes], [Reader] or [Stream]; its type is media.Source. The zero Source means that the property
// isn't set.
//
// Local bytes are inspected before anything is sent and are sent inside the request, as a base64 data URI in constant
// memory. A video property takes a video and an image property an image. Their media type is detected; WithMediaType
// states it instead.
//
// json.Marshal encodes a local file as a data URI with all of its bytes, since that is what the API takes. Use
// [MarshalRequest] for a queue; log/slog shows the name, the media type and the size.
type Source = media.Source

// URL returns a Source that the API fetches itself: https is what the API documents. It also takes a complete data URI,
// which is sent as it is.
func URL(url string) Source { return media.URL(url) }

// File returns a Source that sends a local file. The file is read while the request is sent.
func File(path string) Source { return media.File(path) }

// Bytes returns a Source that sends data. Don't change data before it has been sent.
func Bytes(data []byte) Source { return media.Bytes(data) }

// Reader returns a Source that sends the first size bytes of r. It may read them more than once, and it waits for a slow
// r, since no context can interrupt a read.
func Reader(r io.ReaderAt, size int64) Source { return media.Reader(r, size) }

// Stream returns a Source that sends the first size bytes of r, such as the body of an HTTP request with a
// Content-Length, which isn't known if it is -1. It reads r once, so the request can be sent only once: the client doesn't
// retry it after it has begun to send it. If the context ends while r is being sent, the submission ends at once, and r is
// closed if it is an io.Closer; otherwise a read that blocks is left behind.
func Stream(r io.Reader, size int64) Source { return media.Stream(r, size) }
