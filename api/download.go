package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

const (
	// stallTimeout is how long a download may stand still before it is broken off and resumed.
	stallTimeout = 30 * time.Second
	// maxBreaks is how often in a row a download may break off without a new byte.
	maxBreaks = 5
	// maxFresh is how often in a row the API is asked for a fresh URL without a new byte.
	maxFresh = 3
	// maxRestarts is how often a download may begin anew.
	maxRestarts = 3
	// maxRedirects bounds how far a result's URL may lead on.
	maxRedirects = 5
)

// checkFileRedirect lets a download be redirected to any host, but not to plain HTTP. The Referer would show the signed
// URL to the next host.
func (c *Client) checkFileRedirect(next *http.Request, via []*http.Request) error {
	next.Header.Del("Referer")
	if len(via) > maxRedirects {
		return &refusedError{fmt.Sprintf("the video's URL leads to more than %d redirects", maxRedirects)}
	}
	return c.checkFileScheme(next)
}

func (c *Client) checkFileScheme(r *http.Request) error {
	if r.URL.Scheme == "https" || r.URL.Scheme == "http" && c.plainFiles {
		return nil
	}
	return &refusedError{fmt.Sprintf("the video's URL leads to %s://%s, not to https", r.URL.Scheme, r.URL.Host)}
}

// A refusedError says where a download doesn't go.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

// A download fetches one video, in as many pieces as it takes.
type download struct {
	video   *Video
	client  *Client
	w       io.Writer
	restart func() error // takes back what was written; nil where that can't be done

	url       string
	etag      string // of the first piece, if it is a strong one
	size      int64  // -1 as long as it isn't known
	written   int64
	container container // what was written, as far as it has been understood
	fresh     int       // how often a fresh URL was fetched since the last byte
	restarts  int

	onDownload func(received, total int64)
}

func newDownload(v *Video, w io.Writer, opts []DownloadOption) *download {
	d := &download{video: v, client: v.job.client, w: w, url: v.URL, size: -1}
	for _, opt := range opts {
		opt(d)
	}
	return d
}

// errBroken marks what another attempt may mend.
var errBroken = errors.New("the download broke off")

func (d *download) run(ctx context.Context) error {
	b := wire.Backoff{First: 500 * time.Millisecond, Longest: 8 * time.Second}
	for breaks := 0; ; {
		before := d.written
		err := d.piece(ctx)
		switch {
		case err == nil:
			return d.container.complete()
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, errBroken):
			return err
		}
		if breaks++; d.written > before {
			breaks, d.fresh, b = 1, 0, wire.Backoff{First: 500 * time.Millisecond, Longest: 8 * time.Second}
		}
		if breaks > maxBreaks {
			return fmt.Errorf("%d attempts in a row brought nothing, the last one: %w", maxBreaks, err)
		}
		d.client.logger.WarnContext(ctx, "download is resumed", "generation", d.video.GenerationID, "bytes", d.written, "error", err)
		if err := wire.Sleep(ctx, b.Next()); err != nil {
			return err
		}
	}
}

// piece fetches what is missing, with one request. It returns nil when nothing is missing any more.
func (d *download) piece(parent context.Context) error {
	ctx, watch := newWatchdog(parent, stallTimeout)
	defer watch.stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return errors.New("the video's URL isn't one")
	}
	if err := d.client.checkFileScheme(request); err != nil {
		return err
	}
	request.Header.Set("User-Agent", "wan-go")
	request.Header.Set("Accept-Encoding", "identity") // or the length is that of something else
	if d.written > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.written))
		if d.etag != "" {
			request.Header.Set("If-Range", d.etag)
		}
	}
	response, err := d.client.files.Do(request)
	if refused, ok := errors.AsType[*refusedError](err); ok {
		return refused
	} else if err != nil {
		return fmt.Errorf("%w: %w", errBroken, watch.explain(d.client.redact.Error(err)))
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusOK, response.StatusCode == http.StatusPartialContent:
		return d.read(response, watch)
	case response.StatusCode == http.StatusForbidden, response.StatusCode == http.StatusNotFound, response.StatusCode == http.StatusGone:
		return d.refresh(parent, response.StatusCode)
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.written > 0:
		if response.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", d.written) && d.container.complete() == nil {
			return nil // it broke off behind the last byte
		}
		return d.startOver("the server has no more of it")
	case response.StatusCode == http.StatusRequestTimeout, response.StatusCode == http.StatusTooManyRequests, response.StatusCode >= 500:
		return fmt.Errorf("%w: the file server answered %d", errBroken, response.StatusCode)
	}
	return fmt.Errorf("the file server answered %d", response.StatusCode)
}

// refresh asks the API for another URL of the same video.
func (d *download) refresh(ctx context.Context, status int) error {
	if d.fresh++; d.fresh > maxFresh {
		return fmt.Errorf("the file server answered %d, also for a fresh URL", status)
	}
	g, _, err := d.video.job.poll(ctx)
	switch {
	case err != nil && isRefusedPoll(err):
		return fmt.Errorf("the file server answered %d, and the API gave no fresh URL: %w", status, err)
	case err != nil:
		return fmt.Errorf("%w: the file server answered %d, and the API gave no fresh URL: %w", errBroken, status, err)
	case g.Video == nil:
		return fmt.Errorf("the file server answered %d, and the API no longer has a URL", status)
	}
	d.url = g.Video.URL
	return fmt.Errorf("%w: the file server answered %d", errBroken, status)
}

// read copies the body of a good answer.
func (d *download) read(response *http.Response, watch *watchdog) error {
	start, size, err := extent(response)
	if err != nil {
		return d.startOver(err.Error())
	}
	etag := response.Header.Get("ETag")
	changed := d.written > 0 && (d.size >= 0 && size >= 0 && size != d.size || d.etag != "" && etag != "" && etag != d.etag)
	if changed || start > d.written {
		return d.startOver("the video has changed meanwhile")
	}
	d.size = max(d.size, size)
	if d.written == 0 && strings.HasPrefix(etag, `"`) { // a weak one can't be asked for
		d.etag = etag
	}
	body := &watchedReader{response.Body, watch}
	if start < d.written { // a server that ignores ranges
		if _, err := io.CopyN(io.Discard, body, d.written-start); err != nil {
			return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
		}
	}
	if d.written == 0 {
		if err := d.checkBeginning(body, response, watch); err != nil {
			return err
		}
	}
	_, err = io.Copy(writer{d}, body)
	if failed, ok := errors.AsType[*writeError](err); ok {
		return failed.err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
	}
	switch {
	case d.size >= 0 && d.written > d.size:
		return fmt.Errorf("the file server sent %d bytes of a file that it says has %d", d.written, d.size)
	case d.written < d.size:
		return fmt.Errorf("%w at %d of %d bytes", errBroken, d.written, d.size)
	}
	return nil
}

// checkBeginning writes the first bytes once it is sure that they belong to a video.
func (d *download) checkBeginning(body io.Reader, response *http.Response, watch *watchdog) error {
	head := make([]byte, sniffLen)
	n, err := io.ReadFull(body, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF || d.size >= 0 && int64(n) < min(d.size, sniffLen) {
		return fmt.Errorf("%w: %w", errBroken, watch.explain(err))
	}
	if err := checkVideo(head[:n]); err != nil {
		return fmt.Errorf("%w (Content-Type %.60q)", err, d.client.redact.String(response.Header.Get("Content-Type")))
	}
	if _, err := (writer{d}).Write(head[:n]); err != nil {
		return errors.Unwrap(err)
	}
	return nil
}

// startOver begins from the first byte, where what was written can be taken back.
func (d *download) startOver(why string) error {
	if d.restart == nil {
		return fmt.Errorf("%s, after %d bytes", why, d.written)
	}
	if d.restarts++; d.restarts > maxRestarts {
		return fmt.Errorf("%s, again and again", why)
	}
	if err := d.restart(); err != nil {
		return err
	}
	d.written, d.size, d.etag, d.container = 0, -1, "", container{}
	return fmt.Errorf("%w: %s", errBroken, why)
}

// extent tells which part of the file an answer has: the offset of its first byte, and the size of the whole file or -1.
func extent(response *http.Response) (start, size int64, err error) {
	if response.StatusCode == http.StatusOK {
		return 0, response.ContentLength, nil
	}
	value := response.Header.Get("Content-Range")
	span, total, ok := strings.Cut(strings.TrimPrefix(value, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	if start, err = strconv.ParseInt(first, 10, 64); !ok || err != nil || start < 0 {
		return 0, 0, fmt.Errorf("the file server answered 206 with the Content-Range %.60q", value)
	}
	if size, err = strconv.ParseInt(total, 10, 64); err != nil || size < 0 { // "*"
		size = -1
	}
	return start, size, nil
}

// writer counts and looks at what is written, and tells its own errors from those of reading.
type writer struct{ d *download }

func (w writer) Write(p []byte) (int, error) {
	n, err := w.d.w.Write(p)
	w.d.written += int64(n)
	w.d.container.see(p[:n])
	if f := w.d.onDownload; f != nil && n > 0 {
		f(w.d.written, w.d.size)
	}
	if err != nil {
		return n, &writeError{err}
	}
	return n, nil
}

type writeError struct{ err error }

func (e *writeError) Error() string { return e.err.Error() }

func (e *writeError) Unwrap() error { return e.err }

// watchedReader has each read watched, but not what the caller does in between.
type watchedReader struct {
	io.Reader

	watch *watchdog
}

func (r *watchedReader) Read(p []byte) (int, error) {
	r.watch.reset()
	defer r.watch.pause()
	return r.Reader.Read(p)
}
