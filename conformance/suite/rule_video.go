package suite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aimlvideo/wan-go/spec/media"
)

// A download is a fetched video, or a part of it.
type download struct {
	*call

	problem string // what is wrong with the file
	size    int64
	head    []byte // the first bytes
}

// fetch downloads a video without the key and checks it whole, or a part of it if the header asks for one.
func (t *target) fetch(ctx context.Context, url string, header map[string]*string) *download {
	ctx, cancel := context.WithTimeout(ctx, 5*t.timeout) // a video takes longer than other responses
	defer cancel()
	d := &download{call: &call{request: request{Method: http.MethodGet, Path: url, Header: header}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		d.err = withoutURL(err)
		return d
	}
	for name, value := range header {
		request.Header.Set(name, *value)
	}
	response, err := t.download.Do(request)
	if err != nil {
		d.err = withoutURL(err)
		return d
	}
	defer response.Body.Close()
	d.status, d.header = response.StatusCode, response.Header
	body := bufio.NewReaderSize(response.Body, media.SniffLen)
	peeked, _ := body.Peek(media.SniffLen)
	d.head = bytes.Clone(peeked)
	mediaType, container := media.Detect(d.head, ""), media.NewContainer(d.head)
	d.size, err = io.Copy(container, body)
	switch {
	case err != nil:
		d.err = fmt.Errorf("the video broke off after %d bytes: %w", d.size, err)
	case d.status != http.StatusOK:
	case !strings.HasPrefix(mediaType, "video/"):
		d.problem = fmt.Sprintf("%d bytes of %s", d.size, mediaType)
	case !container.Whole():
		d.problem = fmt.Sprintf("%d bytes without its index, its frames or the end of a part", d.size)
	}
	d.body = fmt.Appendf(nil, "(%d bytes of %s)", d.size, mediaType)
	return d
}

// fetched selects the download of the video, or the last poll if it has no URL.
func fetched(ctx context.Context, o *observation) ([]*call, string) {
	calls, reason := ended("completed")(ctx, o)
	if calls != nil && o.video != nil {
		calls = []*call{o.video.call}
	}
	return calls, reason
}

func isVideo(o *observation, c *call) []problem {
	switch d := o.video; {
	case d == nil:
		return because("expected the URL of a video; received none")
	case d.err != nil || d.status != http.StatusOK:
		return because("expected the video; received %s", c.outcome())
	case d.problem != "":
		return because("expected a whole video; received %s", d.problem)
	}
	return nil
}

// The part of a video that the suite asks for once more.
const partFrom, partTo = 16, 1024

// ranged asks for a part of the video, of the version with the ETag if one is given.
func ranged(etag string) scope {
	return func(ctx context.Context, o *observation) ([]*call, string) {
		switch {
		case o.video == nil || o.video.status != http.StatusOK || o.video.size < partTo:
			return nil, "no video was served, or only a few bytes"
		case etag != "" && o.video.header.Get("ETag") == "":
			return nil, "the video has no ETag"
		}
		header := map[string]*string{"Range": new(fmt.Sprintf("bytes=%d-%d", partFrom, partTo-1))}
		if etag != "" {
			header["If-Range"] = &etag
		}
		o.part = o.target.fetch(ctx, o.video.request.Path, header)
		return []*call{o.part.call}, ""
	}
}

// isPart checks that a part, or the whole video once more, is of the same file.
func isPart(o *observation, c *call) []problem {
	before, after := o.video.header.Get("ETag"), c.header.Get("ETag")
	switch got, want := c.header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/%d", partFrom, partTo-1, o.video.size); {
	case c.err != nil || c.status != http.StatusOK && c.status != http.StatusPartialContent:
		return because("expected a range of the video; received %s", c.outcome())
	case before != "" && after != "" && before != after:
		return because("expected the ETag %s, as before; received %s", before, after)
	case c.status == http.StatusOK && o.part.size != o.video.size:
		return because("expected the whole video of %d bytes with the status code 200; received %d bytes", o.video.size, o.part.size)
	case c.status == http.StatusOK:
		return nil
	case got != want && got != strings.Replace(want, fmt.Sprintf("/%d", o.video.size), "/*", 1): // the length may be unknown
		return because("expected the Content-Range %q; received %q", want, got)
	case !bytes.Equal(o.part.head, o.video.head[partFrom:partTo]):
		return because("expected the bytes from %d to %d of the video; received others", partFrom, partTo-1)
	}
	return nil
}

// isOtherVersion checks that a part of another version isn't served.
func isOtherVersion(o *observation, c *call) []problem {
	if c.status == http.StatusPartialContent {
		return because("expected the whole video, since If-Range has another ETag; received 206 and a part")
	}
	return isPart(o, c)
}
