package api

import (
	"context"
	"errors"
	"io"
)

// A Video is the result of a completed generation. It is safe for concurrent use.
type Video struct {
	GenerationID string
	// URL is where the bytes are, mostly on another host than the API. It needs no key, and it may expire; Save and
	// Download then ask the API for a fresh one.
	URL string
	// Usage is what the generation was charged.
	Usage Usage

	job *Job
}

// errForeignVideo is what a Video answers that was put together by hand.
var errForeignVideo = &InputError{Property: "video", Err: errors.New("it has no client; get it from a Job with the generation's id")}

// Save downloads the video into a file, which is replaced only when all of it has arrived: until then the bytes are in
// a temporary file beside it. A download that breaks off is resumed where it stopped. A file that is there keeps its
// permissions, and a symbolic link its place. Nothing is left on failure.
//
// The video comes over https, or over plain HTTP where the API itself does. The error is an [*InputError] if the file
// can't be created, and else a [*DownloadError].
func (v *Video) Save(ctx context.Context, path string, opts ...DownloadOption) error {
	if v.job == nil {
		return errForeignVideo
	}
	f, err := createFile(path)
	if err != nil {
		return &InputError{Property: "path", Err: err}
	}
	defer f.discard()
	d := newDownload(v, f, opts)
	d.restart = f.restart
	if err = d.run(ctx); err == nil {
		err = f.commit()
	}
	if err != nil {
		return &DownloadError{v.GenerationID, err}
	}
	return nil
}

// Download writes the video to w and returns how many bytes it has written. A download that breaks off is resumed where
// it stopped. On an error w may have got a part of the video; it gets nothing of what isn't a video, such as an error
// page. The error is a [*DownloadError], or an [*InputError] for a Video that was put together by hand.
func (v *Video) Download(ctx context.Context, w io.Writer, opts ...DownloadOption) (int64, error) {
	if v.job == nil {
		return 0, errForeignVideo
	}
	d := newDownload(v, w, opts)
	if err := d.run(ctx); err != nil {
		return d.written, &DownloadError{v.GenerationID, err}
	}
	return d.written, nil
}
