package suite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/aimlvideo/wan-go/spec/media"
)

// A download is a fetched video: the call, and what is wrong with the file.
type download struct {
	*call

	problem string
}

// fetch downloads a video without the key and checks it whole.
func (t *target) fetch(ctx context.Context, url string) *download {
	ctx, cancel := context.WithTimeout(ctx, 5*t.timeout) // a video takes longer than other responses
	defer cancel()
	d := &download{call: &call{request: request{Method: http.MethodGet, Path: url}}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		d.err = withoutURL(err)
		return d
	}
	response, err := t.download.Do(request)
	if err != nil {
		d.err = withoutURL(err)
		return d
	}
	defer response.Body.Close()
	d.status, d.header = response.StatusCode, response.Header
	if d.status != http.StatusOK {
		return d
	}
	body := bufio.NewReaderSize(response.Body, media.SniffLen)
	head, _ := body.Peek(media.SniffLen)
	mediaType, container := media.Detect(head, ""), media.NewContainer(head)
	n, err := io.Copy(container, body)
	switch {
	case err != nil:
		d.err = fmt.Errorf("the video broke off after %d bytes: %w", n, err)
	case !strings.HasPrefix(mediaType, "video/"):
		d.problem = "the URL serves " + mediaType
	case !container.Whole():
		d.problem = fmt.Sprintf("the video is cut short: %d bytes without its index, its frames or the end of a part", n)
	}
	d.body = fmt.Appendf(nil, "(%d bytes of %s)", n, mediaType)
	return d
}
