package suite

import (
	"bufio"
	"context"
	"encoding/binary"
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
	counted := &countingReader{r: response.Body}
	mediaType, problem := checkVideo(counted)
	d.problem, d.err = problem, counted.err
	d.body = fmt.Appendf(nil, "(%d bytes of %s)", counted.n, mediaType)
	return d
}

// A countingReader counts what it reads and keeps the first error but io.EOF.
type countingReader struct {
	r   io.Reader
	n   int64
	err error
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF && c.err == nil {
		c.err = fmt.Errorf("the video broke off after %d bytes: %w", c.n, err)
	}
	return n, err
}

// checkVideo reads a video to its end. It returns its media type and what is wrong with it, or "".
func checkVideo(file io.Reader) (mediaType, problem string) {
	r := bufio.NewReaderSize(file, media.SniffLen)
	head, _ := r.Peek(media.SniffLen)
	mediaType = media.Detect(head, "")
	switch {
	case !strings.HasPrefix(mediaType, "video/"):
		return mediaType, "the URL serves " + mediaType
	case len(head) >= 8 && string(head[4:8]) == "ftyp":
		return mediaType, checkBoxes(r)
	}
	_, _ = io.Copy(io.Discard, r)
	return mediaType, ""
}

// checkBoxes reads the top-level boxes of an MP4 or QuickTime file (ISO/IEC 14496-12, section 4.2).
func checkBoxes(r io.Reader) (problem string) {
	seen := map[string]bool{}
	for {
		var header [16]byte
		if n, err := io.ReadFull(r, header[:8]); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Sprintf("the video is truncated: %d bytes after its last box", n)
		}
		name := string(header[4:8])
		seen[name] = true
		size, read := int64(binary.BigEndian.Uint32(header[:4])), int64(8)
		switch size {
		case 0: // up to the end
			_, _ = io.Copy(io.Discard, r)
			continue
		case 1:
			if _, err := io.ReadFull(r, header[8:]); err != nil {
				return fmt.Sprintf("the video is truncated in its box %q", name)
			}
			size, read = int64(binary.BigEndian.Uint64(header[8:])), 16 //nolint:gosec // a negative size is caught below
		}
		if size < read {
			return fmt.Sprintf("the box %q of the video has the size %d", name, size)
		}
		if n, err := io.CopyN(io.Discard, r, size-read); err != nil {
			return fmt.Sprintf("the video is truncated: %d of %d bytes of its box %q", n+read, size, name)
		}
	}
	switch {
	case !seen["moov"]:
		return "the video has no box moov, so it can't be played"
	case !seen["mdat"] && !seen["moof"]:
		return "the video has no box mdat, so it has no frames"
	}
	return ""
}
