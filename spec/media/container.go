package media

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// A Container follows the structure of a video file while its bytes pass. It notices a file that ends inside an MP4 box,
// a Matroska or WebM element, a transport stream packet or a RIFF file, and an MP4 file without an index or without
// frames. A file that ends between two fragments or clusters looks whole. Of other formats a Container knows nothing.
type Container struct {
	elements elements // nil if the format is unknown
	size     int64    // of what has passed
	header   []byte   // the beginning of an element
	left     int64    // content of the element that is to come; -1 if it has no known end
}

// elements is a format made of elements that have a header and content.
type elements interface {
	// open takes the header of an element. It returns the length of its content, -1 if that has no known end, and false
	// if the header isn't complete.
	open(header []byte, position int64) (content int64, ok bool)
	// whole reports whether a file of this size may end at the end of an element, or with a part of a header behind it.
	whole(size int64, header []byte) bool
}

// NewContainer returns a Container for a file that begins with head, of which it looks at [SniffLen] bytes.
func NewContainer(head []byte) *Container {
	c := &Container{}
	switch mediaType := Detect(head, ""); {
	case bytes.HasPrefix(head, []byte("\x1aE\xdf\xa3")):
		c.elements = &matroska{}
	case bytes.HasPrefix(head, []byte("RIFF")):
		c.elements = &riff{}
	case mediaType == "video/mp2t":
		c.elements = packets(188)
		if head[0] != 0x47 {
			c.elements = packets(192)
		} else if len(head) > 204 && head[188] != 0x47 {
			c.elements = packets(204) // with error correction
		}
	case mediaType == "video/mp4" || mediaType == "video/quicktime" || len(head) >= 8 && string(head[4:8]) == "ftyp":
		c.elements = &mp4{}
	}
	return c
}

// Write follows the next bytes of the file. It returns no error.
func (c *Container) Write(p []byte) (int, error) {
	length := len(p)
	position := c.size
	c.size += int64(length)
	for len(p) > 0 && c.elements != nil && c.left >= 0 {
		if c.left > 0 {
			n := min(c.left, int64(len(p)))
			p, c.left, position = p[n:], c.left-n, position+n
			continue
		}
		c.header, p, position = append(c.header, p[0]), p[1:], position+1
		if content, ok := c.elements.open(c.header, position); ok {
			c.left, c.header = content, c.header[:0]
		}
	}
	return length, nil
}

// Whole reports whether the file may end here.
func (c *Container) Whole() bool {
	return c.elements == nil || c.left <= 0 && c.elements.whole(c.size, c.header)
}

// mp4 follows the top-level boxes of an MP4 or QuickTime file (ISO/IEC 14496-12).
type mp4 struct {
	movie, media bool // the index and the frames have begun
	fragments    bool
}

// boxes are the top-level boxes that may follow others.
var boxes = []string{
	"moov", "mdat", "moof", "styp", "sidx", "ssix", "emsg", "prft", "mfra", "meta", "udta", "uuid", "free", "skip", "wide", "pdin",
}

func (m *mp4) open(header []byte, _ int64) (int64, bool) {
	if len(header) < 8 {
		return 0, false
	}
	size, length := uint64(binary.BigEndian.Uint32(header)), uint64(8)
	if size == 1 { // the size follows in 64 bits
		if len(header) < 16 {
			return 0, false
		}
		size, length = binary.BigEndian.Uint64(header[8:]), 16
	}
	kind := header[4:8]
	m.fragments = m.fragments || string(kind) == "moof"
	m.movie = m.movie || m.fragments || string(kind) == "moov"
	m.media = m.media || string(kind) == "mdat"
	// A size of 0 reaches to the end of the file. Behind a whole file, what isn't a box are trailing bytes.
	trailing := m.movie && m.media && !slices.Contains(boxes, string(kind))
	if size == 0 || size < length || size-length > 1<<62 || trailing {
		return -1, true
	}
	return int64(size - length), true //nolint:gosec // at most 1 << 62
}

func (m *mp4) whole(_ int64, header []byte) bool {
	return m.movie && m.media && (len(header) == 0 || !m.fragments)
}

// matroska follows the elements of a Matroska or WebM file (RFC 8794, RFC 9559), inside segments and clusters too.
type matroska struct {
	segment bool
	end     int64 // of the segment and cluster with the farthest known end
}

const (
	segmentID = 0x18538067
	clusterID = 0x1f43b675
)

func (m *matroska) open(header []byte, position int64) (int64, bool) {
	idLength := bits.LeadingZeros8(header[0]) + 1
	if idLength > 4 { // not an element
		return -1, true
	}
	if len(header) <= idLength {
		return 0, false
	}
	sizeLength := bits.LeadingZeros8(header[idLength]) + 1
	if sizeLength > 8 {
		return -1, true
	}
	if len(header) < idLength+sizeLength {
		return 0, false
	}
	id, size := uint64(0), uint64(header[idLength])&(1<<(8-sizeLength)-1)
	for _, b := range header[:idLength] {
		id = id<<8 | uint64(b)
	}
	for _, b := range header[idLength+1 : idLength+sizeLength] {
		size = size<<8 | uint64(b)
	}
	unknown := size == 1<<(7*sizeLength)-1
	m.segment = m.segment || id == segmentID
	switch {
	case id == segmentID || id == clusterID:
		if !unknown {
			m.end = max(m.end, position+int64(min(size, 1<<62)))
		}
		return 0, true
	case unknown:
		return -1, true
	}
	return int64(size), true //nolint:gosec // at most 56 bits
}

func (m *matroska) whole(size int64, header []byte) bool {
	return m.segment && size >= m.end && len(header) == 0
}

// riff knows the size of a RIFF file, such as AVI.
type riff struct{ end int64 }

func (r *riff) open(header []byte, _ int64) (int64, bool) {
	if len(header) < 8 {
		return 0, false
	}
	r.end = 8 + int64(binary.LittleEndian.Uint32(header[4:]))
	return -1, true
}

func (r *riff) whole(size int64, _ []byte) bool { return size >= r.end }

// packets is the packet size of an MPEG transport stream.
type packets int64

func (packets) open([]byte, int64) (int64, bool) { return -1, true }

func (p packets) whole(size int64, _ []byte) bool { return size%int64(p) == 0 }
