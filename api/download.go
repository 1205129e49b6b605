package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
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
	if r.URL.Scheme == "https" || r.URL.Scheme == "http" && c.insecureResults {
		return nil
	}
	return &refusedError{fmt.Sprintf("the video's URL leads to %s://%s, not to https; WithInsecureResults allows http", r.URL.Scheme, r.URL.Host)}
}

// A refusedError is why a download isn't attempted.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }

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
	errCutShort    = fmt.Errorf("%w: the file is cut short", ErrNotVideo)
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
	case isRefusedPoll(err) && !d.video.job.mayPass(err, time.Time{}):
		return fmt.Errorf("%w, and the API gave no fresh URL: %w", status, err)
	case err == nil && g.Video != nil:
		d.url = g.Video.URL
	}
	return fmt.Errorf("%w: %w", errUnavailable, status)
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
