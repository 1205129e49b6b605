package api

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// sniffLen is how many bytes at the start tell what a file is.
const sniffLen = 3072

// checkVideo looks at the beginning of a file.
func checkVideo(head []byte) error {
	found := mimetype.Detect(head)
	if !strings.HasPrefix(found.String(), "video/") && !found.Is("audio/mp4") { // MP4 of some brands
		return fmt.Errorf("%w: it is %s", ErrNotVideo, found)
	}
	return nil
}

// A container follows the top-level boxes of an MP4 file (ISO/IEC 14496-12) while its bytes pass, since a file that is
// cut short where its length isn't known looks complete otherwise. Of other formats it knows nothing.
type container struct {
	head    []byte // the beginning of the box that is being read
	left    uint64 // how many bytes of the box's content are still to come
	boxes   int
	movie   bool // the index of the film has begun
	media   bool // its frames have begun
	unknown bool // not MP4, or a box that ends where the file ends
}

func (c *container) see(p []byte) {
	for len(p) > 0 && !c.unknown {
		if c.left > 0 {
			n := min(c.left, uint64(len(p)))
			p, c.left = p[n:], c.left-n
			continue
		}
		c.head, p = append(c.head, p[0]), p[1:]
		if len(c.head) < 8 {
			continue
		}
		size, header := uint64(binary.BigEndian.Uint32(c.head)), uint64(8)
		if size == 1 { // the size follows, in 64 bits
			if len(c.head) < 16 {
				continue
			}
			size, header = binary.BigEndian.Uint64(c.head[8:]), 16
		}
		kind := string(c.head[4:8])
		c.movie = c.movie || kind == "moov"
		c.media = c.media || kind == "mdat"
		c.unknown = size < header || c.boxes == 0 && kind != "ftyp"
		c.boxes++
		c.left, c.head = size-header, c.head[:0]
	}
}

// complete reports whether the file may end here.
func (c *container) complete() error {
	if !c.unknown && (c.left > 0 || !c.movie || !c.media) {
		return fmt.Errorf("%w: the MP4 file ends too soon", ErrNotVideo)
	}
	return nil
}
