package media

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// SniffLen is how many bytes at the start of a file Detect needs.
const SniffLen = 3072

// Detect returns the media type of content by its first bytes, without parameters. If they don't decide, it returns
// the type of the path's extension, or else application/octet-stream. The path may be empty.
func Detect(head []byte, path string) string {
	if isTransportStream(head) {
		return "video/mp2t"
	}
	if image := imageOfBrands(head); image != "" {
		return image
	}
	if video, ok := firstBoxes[boxType(head)]; ok {
		return video
	}
	mediaType, _, _ := strings.Cut(mimetype.Detect(head).String(), ";")
	if mediaType == "audio/mp4" { // by brands that videos have too
		return "video/mp4"
	}
	byExtension, ok := extensions[strings.ToLower(filepath.Ext(path))]
	isContainer := slices.Contains([]string{"video/mp4", "video/webm", "application/ogg"}, mediaType)
	if ok && (mediaType == "application/octet-stream" || isContainer && strings.HasPrefix(byExtension, "audio/")) {
		return byExtension
	}
	return mediaType
}

// extensions are those of formats without a reliable signature, and of audio in containers of videos. Package mime's table differs between machines.
var extensions = map[string]string{
	".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg",
	".ts": "video/mp2t", ".mts": "video/mp2t", ".m2t": "video/mp2t", ".m2ts": "video/mp2t",
	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".weba": "audio/webm", ".oga": "audio/ogg", ".opus": "audio/ogg",
}

// isTransportStream reports whether head has the sync bytes of MPEG-TS or M2TS packets.
func isTransportStream(head []byte) bool {
	for _, packet := range []struct{ offset, size int }{{0, 188}, {4, 192}, {0, 204}} {
		n := 0
		for i := packet.offset; i < len(head) && head[i] == 0x47; i += packet.size {
			n++
		}
		if n >= 3 && packet.offset+n*packet.size >= len(head) {
			return true
		}
	}
	return false
}

// firstBoxes are boxes other than ftyp that a whole MP4 or QuickTime file may begin with. Package mimetype doesn't know
// them, or takes them for other formats.
var firstBoxes = map[string]string{
	"styp": "video/mp4", "uuid": "video/mp4", "sidx": "video/mp4", "moof": "video/mp4",
	"moov": "video/quicktime", "mdat": "video/quicktime", "free": "video/quicktime", "skip": "video/quicktime",
	"wide": "video/quicktime", "pnot": "video/quicktime",
}

// boxType returns the type of the box that head begins with, or "".
func boxType(head []byte) string {
	if len(head) < 8 {
		return ""
	}
	return string(head[4:8])
}

// imageBrands are the major brands of HEIF files. Package mimetype knows only some, and takes the others for MP4.
var imageBrands = []string{"avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "mif2", "miaf", "msf1", "MA1A", "MA1B"}

// imageOfBrands returns the type of an image in an ISO base media file, such as AVIF and HEIC, or "".
func imageOfBrands(head []byte) string {
	if len(head) < 16 || string(head[4:8]) != "ftyp" || !slices.Contains(imageBrands, string(head[8:12])) {
		return ""
	}
	end := min(int64(binary.BigEndian.Uint32(head)), int64(len(head)))
	var brands []string
	for i := int64(8); i+4 <= end; i += 4 {
		brands = append(brands, string(head[i:i+4]))
	}
	has := func(brand string) bool { return slices.Contains(brands, brand) }
	switch {
	case has("avif"), has("avis"), has("MA1A"), has("MA1B"):
		return "image/avif"
	case has("heic"), has("heix"):
		return "image/heic"
	case has("hevc"), has("hevx"):
		return "image/heic-sequence"
	}
	return "image/heif"
}
