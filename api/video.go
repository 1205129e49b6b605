package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aimlvideo/wan-go/spec/redact"
)

// A Video is the result of a completed generation. Safe for concurrent use.
type Video struct {
	GenerationID string
	// URL is the address of the video, usually on another host than the API's. It needs no key and may expire; Save and
	// Download then ask the API for a fresh one.
	URL string
	// Usage is what the generation cost.
	Usage Usage

	job *Job
}

// String describes the video without the query of its URL, which may be a signature.
func (v Video) String() string {
	return "video of generation " + redact.Line(v.GenerationID) + " at " + URL(v.URL).String()
}

// LogValue returns the same text for log/slog.
func (v Video) LogValue() slog.Value { return slog.StringValue(v.String()) }

// errForeignVideo is the error of a Video that wasn't returned by a Job.
var errForeignVideo = &InputError{Property: "video", Err: errors.New("it has no client; get it from a Job with the generation's id")}

// Save downloads the video into a file and creates missing directories. It writes to a temporary file beside it, which
// takes its place when the video has arrived whole: an existing file is replaced (see [KeepExisting]) and keeps its
// permissions, and a symbolic link is followed. Nothing is left on failure. A download that breaks off is resumed, if the
// file server can show that the video is the same, and a video that isn't available yet is awaited for two minutes.
//
// The video must come over https, see [WithInsecureResults]. If its length isn't known, Save checks the structure of MP4,
// Matroska, WebM, MPEG-TS and AVI files and fetches what is missing; a file that ends between two fragments or clusters
// looks whole.
//
// Save returns an [*InputError] if the file can't be created, and otherwise a [*DownloadError].
func (v Video) Save(ctx context.Context, path string, opts ...DownloadOption) error {
	if v.job == nil {
		return errForeignVideo
	}
	d := newDownload(&v, nil, opts)
	f, err := createFile(path, d.keepExisting)
	if err != nil {
		return &InputError{Property: "path", Err: err}
	}
	defer f.discard()
	d.w, d.restart = f, f.restart
	if err = d.run(ctx); err == nil {
		err = f.commit()
	}
	if err != nil {
		return &DownloadError{v.GenerationID, err}
	}
	return nil
}

// SaveIn saves the video in a directory, in a file named by [FileName] with the extension .mp4, and returns its path. It
// is otherwise like [Video.Save].
func (v Video) SaveIn(ctx context.Context, directory string, opts ...DownloadOption) (string, error) {
	path := filepath.Join(directory, FileName(v.GenerationID)+".mp4")
	return path, v.Save(ctx, path, opts...)
}

// Download writes the video to w and returns the number of bytes written. A download that breaks off is resumed. After
// an error w may have received a part of the video, but nothing that isn't a video, such as an error page. Download
// returns a [*DownloadError], or an [*InputError] for a Video that wasn't returned by a [Job].
func (v Video) Download(ctx context.Context, w io.Writer, opts ...DownloadOption) (int64, error) {
	if v.job == nil {
		return 0, errForeignVideo
	}
	d := newDownload(&v, w, opts)
	if err := d.run(ctx); err != nil {
		return d.written, &DownloadError{v.GenerationID, err}
	}
	return d.written, nil
}

// documentedID is the documented form of an id with ":" and "/". Two such ids never get one name.
var documentedID = regexp.MustCompile(`^[0-9A-Fa-f-]{36}:[a-z0-9.-]+/[A-Za-z0-9.-]+$`)

// ambiguousName is the name of a documented id.
var ambiguousName = regexp.MustCompile(`^[0-9a-f-]{36}_[a-z0-9.-]+_`)

// FileName returns a name for files and path segments that belong to a generation. Different ids have different names,
// also on file systems that ignore case: an id that isn't made of lower-case letters, digits, ".", "-" and "_", or isn't
// of the form UUID:VENDOR/MODEL, has "id-" before it and part of a hash behind it.
func FileName(id string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_", r)) {
			return r
		}
		return '_'
	}, id)
	plain := !ambiguousName.MatchString(id) && name == id && id == strings.ToLower(id) && strings.Trim(id, ".-") == id && len(id) > 0 && len(id) <= 100
	if plain || documentedID.MatchString(id) && id == strings.ToLower(id) {
		return name
	}
	sum := sha256.Sum256([]byte(id))
	return "id-" + strings.TrimLeft(name[:min(len(name), 100)], ".-") + "-" + hex.EncodeToString(sum[:6])
}
