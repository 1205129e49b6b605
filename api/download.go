package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// stallTimeout is how long a download may make no progress before it is resumed.
	stallTimeout = 30 * time.Second
	// maxBreaks limits the attempts in a row that bring no byte.
	maxBreaks = 5
	// patience is how long a result may stay unavailable: its URL is known before every file server has it.
	patience = 2 * time.Minute
	// maxRestarts limits how often a download begins anew.
	maxRestarts = 3
	// maxRedirects limits the redirects of a result's URL.
	maxRedirects = 5
)

// checkFileRedirect allows redirects of a download to any host, but not from https to http.
func (c *Client) checkFileRedirect(next *http.Request, via []*http.Request) error {
	next.Header.Del("Referer") // it has the signed URL
	if len(via) > maxRedirects {
		return &refusedError{fmt.Sprintf("the video's URL has more than %d redirects", maxRedirects)}
	}
	return c.checkFileScheme(next)
}

func (c *Client) checkFileScheme(r *http.Request) error {
	if r.URL.Scheme == "https" || r.URL.Scheme == "http" && c.plainFiles {
		return nil
	}
	return &refusedError{fmt.Sprintf("the video's URL leads to %s://%s, not to https; WithInsecureResults allows http", r.URL.Scheme, r.URL.Host)}
}

// A refusedError is why a download isn't attempted.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// errCutShort means that a file ends too soon.
var errCutShort = fmt.Errorf("%w: the file is cut short", ErrNotVideo)

// A download fetches one video in as many pieces as it takes.
type download struct {
	video   *Video
	client  *Client
	w       io.Writer
	restart func() error // discards what was written; nil if that isn't possible

	url       string
	version   version // of the first piece
	head      []byte  // the first bytes written
	written   int64
	container *media.Container // nil before the first byte
	whole     bool             // ranges aren't to be had
	refused   bool             // the last range was refused with 403: the URL has expired, or the store refuses ranges
	since     time.Time        // when the result became unavailable
	restarts  int

	onDownload   func(received, total int64)
	keepExisting bool
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
// one. Nodes of a CDN may have ETags of their own: lenient accepts those if length and time agree.
func (v version) same(other version, lenient bool) bool {
	sizes := v.size < 0 || other.size < 0 || v.size == other.size
	times := v.lastModified == "" || other.lastModified == "" || v.lastModified == other.lastModified
	if !sizes || !times {
		return false
	}
	if v.etag == other.etag && v.etag != "" {
		return true
	}
	timed := v.lastModified != "" && other.lastModified != ""
	if lenient && timed && v.size >= 0 && v.size == other.size {
		return true
	}
	return timed && v.etag == "" && other.etag == ""
}

func newDownload(v *Video, w io.Writer, opts []DownloadOption) *download {
	d := &download{video: v, client: v.job.client, w: w, url: v.URL, version: version{size: -1}}
	for _, opt := range opts {
		opt(d)
	}
	return d
}

var (
	// errBroken marks what another attempt may mend.
	errBroken = errors.New("the download broke off")
	// errUnavailable marks a result that its file server doesn't have yet or any more.
	errUnavailable = errors.New("not available")
)

func (d *download) run(ctx context.Context) error {
	first := wire.Backoff{First: 500 * time.Millisecond, Longest: 8 * time.Second}
	backoff := first
	for breaks := 0; ; {
		before := d.written
		err := d.piece(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnavailable):
			if d.since.IsZero() {
				d.since = time.Now()
			}
			if time.Since(d.since) > patience {
				return err
			}
		case !errors.Is(err, errBroken):
			return err
		default:
			breaks++
		}
		if d.written > before {
			breaks, d.refused, d.since, backoff = 1, false, time.Time{}, first
		}
		if breaks > maxBreaks {
			return fmt.Errorf("%d attempts in a row brought nothing, the last one: %w", maxBreaks, err)
		}
		d.client.logger.WarnContext(ctx, "download resumed", "generation", d.video.GenerationID, "bytes", d.written, "error", err)
		if err := wire.Sleep(ctx, backoff.Next()); err != nil {
			return err
		}
	}
}

// piece fetches what is missing with one request. It returns nil when nothing is missing any more.
func (d *download) piece(parent context.Context) error {
	ctx, watch := newWatchdog(parent, stallTimeout)
	defer watch.stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return errors.New("the video's URL isn't valid")
	}
	if err := d.client.checkFileScheme(request); err != nil {
		return err
	}
	request.Header.Set("User-Agent", "wan-go")
	request.Header.Set("Accept-Encoding", "identity") // or the length is that of something else
	ranged := d.written > 0 && !d.whole
	if ranged {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.written))
		if validator := d.version.validator(); validator != "" {
			request.Header.Set("If-Range", validator)
		}
	}
	response, err := d.client.files.Do(request)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		return refused
	} else if err != nil {
		return fmt.Errorf("%w: %w", errBroken, watch.explain(d.client.redact.Error(err)))
	}
	d.client.bind(ctx, response)
	defer response.Body.Close()
	status := fmt.Errorf("the file server returned status code %d", response.StatusCode)
	switch code := response.StatusCode; {
	case code == http.StatusOK && response.ContentLength == 0, code == http.StatusAccepted, code == http.StatusNoContent, code == http.StatusTooEarly:
		return fmt.Errorf("%w: %w", errUnavailable, status)
	case code == http.StatusOK, code == http.StatusPartialContent:
		return d.read(response, watch)
	case ranged && (code == http.StatusBadRequest || code == http.StatusForbidden && d.refused):
		d.whole = true
		return fmt.Errorf("%w: %w to a range", errBroken, status)
	case code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusGone:
		d.refused = ranged && code == http.StatusForbidden
		return d.refresh(parent, status)
	case code == http.StatusRequestedRangeNotSatisfiable && ranged:
		if response.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", d.written) &&
			(d.version.size < 0 || d.version.size == d.written) && d.container.Whole() {
			return nil // it broke off behind the last byte
		}
		return d.startOver("the file server has nothing behind what was received")
	case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
		return fmt.Errorf("%w: %w", errBroken, status)
	}
	return status
}

// refresh asks the API for another URL of the same video.
func (d *download) refresh(ctx context.Context, status error) error {
	g, _, err := d.video.job.poll(ctx)
	switch {
	case err != nil && isRefusedPoll(err) && !(&wait{job: d.video.job}).mayPass(err):
		return fmt.Errorf("%w, and the API gave no fresh URL: %w", status, err)
	case err == nil && g.Video != nil:
		d.url = g.Video.URL
	}
	return fmt.Errorf("%w: %w", errUnavailable, status)
}

// read takes what a response has of the video.
func (d *download) read(response *http.Response, watch *watchdog) error {
	start, size, err := extent(response, d.written)
	if err != nil {
		d.whole = true
		return d.startOver(err.Error())
	}
	body := bufio.NewReaderSize(&watchedReader{response.Body, watch}, media.SniffLen)
	if magic, _ := body.Peek(2); strings.HasSuffix(strings.ToLower(response.Header.Get("Content-Encoding")), "gzip") && string(magic) == "\x1f\x8b" {
		size = -1 // that of the encoded bytes
		d.whole = true
		decoded, err := gzip.NewReader(body)
		if err != nil {
			return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
		}
		body = bufio.NewReaderSize(decoded, media.SniffLen)
	}
	now := versionOf(response, size)
	switch {
	case d.written == 0:
		d.version = now
		err = d.begin(body, response, watch)
	case start > d.written || !d.version.same(now, d.restarts >= maxRestarts):
		err = d.startOver("the file server can't show that it is the same video")
	default:
		d.version.size = max(d.version.size, size)
		err = d.skip(body, d.written-start, watch)
	}
	if err != nil {
		return err
	}
	return d.copy(body, watch)
}

// begin checks the first bytes.
func (d *download) begin(body *bufio.Reader, response *http.Response, watch *watchdog) error {
	if err := d.checkLimit(d.version.size); err != nil {
		return err
	}
	head, err := body.Peek(media.SniffLen)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
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
func (d *download) skip(body *bufio.Reader, n int64, watch *watchdog) error {
	same, err := true, error(nil)
	if n == d.written { // the body begins where the file does
		var head []byte
		head, err = body.Peek(len(d.head))
		same = bytes.Equal(head, d.head)
	}
	if err == nil && same {
		_, err = io.CopyN(io.Discard, body, n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
	}
	if err != nil || !same {
		d.whole = true
		return d.startOver("the file server sent a part as if it were the whole")
	}
	return nil
}

// copy copies the rest of the video.
func (d *download) copy(body io.Reader, watch *watchdog) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if err := d.write(buffer[:n]); err != nil {
			return err
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
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
		d.client.logger.Warn("the video looks incomplete", "generation", d.video.GenerationID, "bytes", d.written, "error", errCutShort)
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

// startOver discards what was written, if that is possible. After the last restart a download may still go on where
// length and time show that the video is the same.
func (d *download) startOver(why string) error {
	if d.restarts++; d.restart == nil || d.restarts > maxRestarts {
		err := fmt.Errorf("%s, after %d bytes and %d attempts", why, d.written, d.restarts)
		if d.version.size < 0 && d.container != nil {
			err = fmt.Errorf("%w: %w", errCutShort, err)
		}
		return err
	}
	if err := d.restart(); err != nil {
		return err
	}
	d.written, d.version, d.container = 0, version{size: -1}, nil
	return fmt.Errorf("%w: %s", errBroken, why)
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

// watchedReader watches each read, but not what the caller does in between.
type watchedReader struct {
	io.Reader

	watch *watchdog
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.watch.reset()
	defer r.watch.pause()
	return r.Reader.Read(p)
}
