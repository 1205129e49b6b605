package main

import (
	"encoding/binary"
	"io"
	"os"
	"strings"

	"github.com/aimlvideo/wan-go/spec/media"
)

// isWholeVideo reports whether a file is a video, and, if it is an MP4 file, whether its last box is complete.
func isWholeVideo(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	head := make([]byte, min(info.Size(), media.SniffLen))
	if _, err := f.ReadAt(head, 0); err != nil && err != io.EOF {
		return false
	}
	if !strings.HasPrefix(media.Detect(head, ""), "video/") {
		return false
	}
	return len(head) < 8 || string(head[4:8]) != "ftyp" || boxesEnd(f, info.Size())
}

// boxesEnd reports whether the top-level boxes of an MP4 file end where the file ends.
func boxesEnd(r io.ReaderAt, size int64) bool {
	header := make([]byte, 16)
	for at := int64(0); at < size; {
		if n, _ := r.ReadAt(header, at); n < 8 {
			return false
		}
		length := int64(binary.BigEndian.Uint32(header))
		switch length {
		case 0: // up to the end of the file
			return true
		case 1:
			length = int64(binary.BigEndian.Uint64(header[8:])) //nolint:gosec // a negative length is refused below
		}
		if length < 8 || length > size-at {
			return false
		}
		at += length
	}
	return true
}
