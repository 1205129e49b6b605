package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/aimlvideo/wan-go/spec/media"
)

// read takes what a response has of the video.
func (d *download) read(response *http.Response, watch *watchdog) error {
	start, size, err := extent(response, d.written)
	if err != nil {
		d.whole = true
		return d.startOver(err.Error())
	}
	raw := bufio.NewReader(response.Body)
	var content io.Reader = raw
	if magic, _ := raw.Peek(2); strings.HasSuffix(strings.ToLower(response.Header.Get("Content-Encoding")), "gzip") && string(magic) == "\x1f\x8b" {
		size = -1 // that of the encoded bytes
		d.whole = true
		if content, err = gzip.NewReader(raw); err != nil {
			return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
		}
	}
	body := bufio.NewReaderSize(&watchedReader{content, watch}, media.SniffLen)
	now := versionOf(response, size)
	switch {
	case d.written == 0:
		d.version = now
		err = d.begin(body, response)
	case start > d.written || !d.version.same(now, d.restarts >= maxRestarts):
		err = d.startOver("the file server can't show that it is the same video")
	default:
		d.version.size = max(d.version.size, size)
		err = d.skip(body, d.written-start)
	}
	if err != nil {
		return err
	}
	return d.copy(body)
}

// begin checks the first bytes.
func (d *download) begin(body *bufio.Reader, response *http.Response) error {
	if err := d.checkLimit(d.version.size); err != nil {
		return err
	}
	head, err := body.Peek(media.SniffLen)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return err
	case len(head) == 0:
		return fmt.Errorf("%w: the file server returned nothing", errUnavailable)
	}
	if mediaType := media.Detect(head, ""); !strings.HasPrefix(mediaType, "video/") {
		return fmt.Errorf("%w: it is %s (Content-Type %.60q)", ErrNotVideo, mediaType, d.client.redact.String(response.Header.Get("Content-Type")))
	}
	d.head, d.container = bytes.Clone(head), media.NewContainer(head)
	return nil
}

// skip discards n bytes that were received before. A server may send the rest of a file as if it were all of it: then the
// bytes end too soon, or the first ones are others.
func (d *download) skip(body *bufio.Reader, n int64) (err error) {
	if n == d.written { // the body begins where the file does
		var head []byte
		if head, err = body.Peek(len(d.head)); err == nil && !bytes.Equal(head, d.head) {
			err = io.EOF
		}
	}
	if err == nil {
		_, err = io.CopyN(io.Discard, body, n)
	}
	if errors.Is(err, io.EOF) {
		d.whole = true
		return d.startOver("the file server sent a part as if it were the whole")
	}
	return err
}

// copy copies the rest of the video.
func (d *download) copy(body io.Reader) error {
	buffer := make([]byte, 32<<10)
	for end := false; !end; {
		n, err := body.Read(buffer)
		if err := d.write(buffer[:n]); err != nil {
			return err
		}
		if end = errors.Is(err, io.EOF); err != nil && !end {
			return err
		}
	}
	size, whole := d.version.size, d.container.Whole()
	switch {
	case size >= 0 && d.written > size:
		return fmt.Errorf("the file server sent %d bytes of a file of %d", d.written, size)
	case d.written < size:
		return fmt.Errorf("%w at %d of %d bytes", errBroken, d.written, size)
	case !whole && size < 0:
		return fmt.Errorf("%w: %w", errBroken, errCutShort)
	case !whole: // all that the server has: a player may still play it
		d.client.logger.Warn("the video looks incomplete", "generation", d.video.GenerationID, "bytes", d.written)
	}
	return nil
}

func (d *download) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if err := d.checkLimit(d.written + int64(len(p))); err != nil {
		return err
	}
	n, err := d.w.Write(p)
	d.written += int64(n)
	_, _ = d.container.Write(p[:n])
	if d.onDownload != nil {
		d.onDownload(d.written, d.version.size)
	}
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func (d *download) checkLimit(size int64) error {
	if limit := d.client.maxDownload; limit > 0 && size > limit {
		return &refusedError{fmt.Sprintf("the video has more than the limit of %d bytes; see WithMaxDownload", limit)}
	}
	return nil
}

// extent returns which part of the file a response has: the offset of its first byte, and the size of the file or -1.
// A server may send a part with status code 200.
func extent(response *http.Response, written int64) (start, size int64, err error) {
	value := response.Header.Get("Content-Range")
	if response.StatusCode == http.StatusOK && value == "" {
		return 0, response.ContentLength, nil
	}
	span, total, ok := strings.Cut(strings.TrimPrefix(value, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	if start, err = strconv.ParseInt(first, 10, 64); !ok || err != nil || start < 0 || start > 0 && written == 0 {
		return 0, 0, fmt.Errorf("the file server returned status code %d with Content-Range %.60q", response.StatusCode, value)
	}
	if size, err = strconv.ParseInt(total, 10, 64); err != nil || size < 0 { // "*"
		size = -1
	}
	return start, size, nil
}

// A version identifies the content behind a URL.
type version struct {
	size         int64 // -1 if unknown
	etag         string
	lastModified string
}

func versionOf(response *http.Response, size int64) version {
	return version{size, response.Header.Get("ETag"), response.Header.Get("Last-Modified")}
}

// validator returns the strongest validator that If-Range takes, or "".
func (v version) validator() string {
	if strings.HasPrefix(v.etag, `"`) {
		return v.etag
	}
	return v.lastModified
}

// same reports whether other is certainly the same content. Each validator that both have must agree, and there must be
// one that is strong or a time: a weak ETag alone is also that of another encoding (RFC 9110, 15.3.7.3). Nodes of a CDN may have ETags of their own: lenient accepts those if length and time agree.
func (v version) same(other version, lenient bool) bool {
	sizes := v.size < 0 || other.size < 0 || v.size == other.size
	times := v.lastModified == "" || other.lastModified == "" || v.lastModified == other.lastModified
	if !sizes || !times {
		return false
	}
	if v.etag == other.etag && strings.HasPrefix(v.etag, `"`) {
		return true
	}
	timed := v.lastModified != "" && other.lastModified != ""
	if lenient && timed && v.size >= 0 && v.size == other.size {
		return true
	}
	return timed && v.etag == other.etag
}

// A watchedReader watches each read, but not what the caller does in between. A read that fails may succeed later.
type watchedReader struct {
	io.Reader

	watch *watchdog
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.watch.reset()
	defer r.watch.pause()
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: %w", errBroken, r.watch.explain(err))
	}
	return n, err
}
