package media_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/aimlvideo/wan-go/spec/media"
)

// ftyp is the first box of an ISO base media file, followed by other bytes.
func ftyp(brands ...string) []byte {
	box := []byte("\x00\x00\x00\x00ftyp" + brands[0] + "\x00\x00\x00\x00")
	for _, brand := range brands {
		box = append(box, brand...)
	}
	binary.BigEndian.PutUint32(box, uint32(len(box)))
	return append(box, make([]byte, 100)...)
}

// packets are those of a transport stream, each with offset bytes before the sync byte.
func packets(offset, size, n int) []byte {
	packet := make([]byte, size)
	packet[offset] = 0x47
	return bytes.Repeat(packet, n)
}

func TestDetect(t *testing.T) {
	noise := []byte("\x00\x01\x02\x03\xfe\xff\x00\x00")
	for _, test := range []struct {
		path string
		head []byte
		want string
	}{
		{"a.mp4", ftyp("mp42", "isom"), "video/mp4"},
		{"a.bin", ftyp("isom"), "video/mp4"},
		{"", ftyp("MSNV"), "video/mp4"},
		{"", ftyp("isom", "mif1"), "video/mp4"}, // the major brand decides between a video and an image
		{"", ftyp("M4A "), "audio/x-m4a"},
		{"a.m4a", ftyp("isom"), "audio/mp4"},
		{"a.mp3", noise, "audio/mpeg"},
		{"a.mp3", ftyp("heic"), "image/heic"},
		{"a.mp3", []byte("\x89PNG\r\n\x1a\n"), "image/png"},
		{"a.mp4", ftyp("qt  "), "video/quicktime"},
		{"", ftyp("avif", "mif1", "miaf"), "image/avif"},
		{"", ftyp("mif1", "miaf", "avif"), "image/avif"},
		{"", ftyp("miaf", "avif"), "image/avif"},
		{"", ftyp("mif2", "heic"), "image/heic"},
		{"a.mp4", ftyp("miaf"), "image/heif"},
		{"", ftyp("msf1", "hevc"), "image/heic-sequence"},
		{"a.webm", []byte("\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"), "video/webm"},
		{"", []byte("\x00\x00\x00\x18styp123412341234"), "video/mp4"},
		{"", []byte("\x00\x00\x00\x18uuid123412341234"), "video/mp4"},
		{"", []byte("\x00\x00\x00\x18free123412341234"), "video/quicktime"},
		{"", packets(0, 188, 17), "video/mp2t"},
		{"", packets(0, 204, 16), "video/mp2t"},
		{"", packets(4, 192, 16), "video/mp2t"},
		{"", packets(0, 188, 2), "application/octet-stream"},
		{"", []byte("GGGGGGGGGGGGGGGGGGGGGGGGGGGGGGGG"), "text/plain"},
		{"a.ts", noise, "video/mp2t"},
		{"A.TS", noise, "video/mp2t"},
		{"a.mts", noise, "video/mp2t"},
		{"a.m2t", noise, "video/mp2t"},
		{"a.m2ts", noise, "video/mp2t"},
		{"a.ts", []byte("export const response = 42;\n"), "text/plain"},
		{"a.mov", noise, "video/quicktime"},
		{"a.m4v", noise, "video/mp4"},
		{"a.mpeg", noise, "video/mpeg"},
		{"a.mp4", filled(50), "image/png"}, // the content decides
		{"", []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), "image/jpeg"},
		{"", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L"), "image/webp"},
		{"", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "image/svg+xml"},
		{"", []byte("\x00\x00\xff\xffftyp"), "application/octet-stream"},
	} {
		if got := media.Detect(test.head, test.path); got != test.want {
			t.Errorf("Detect(%.40q, %q) = %q, want %q", test.head, test.path, got, test.want)
		}
	}
}

func TestCheckKind(t *testing.T) {
	for _, test := range []struct {
		property, mediaType string
		ok                  bool
	}{
		{"video_url", "video/mp4", true},
		{"video_url", "image/png", false},
		{"last_image_url", "image/png", true},
		{"image_list", "video/mp4", false},
		{"audio_url", "audio/mpeg", true},
		{"audio_url", "video/mp4", false},
		{"mask_url", "image/png", true},
		{"mask_url", "application/pdf", false},
	} {
		content, err := reader([]byte("x")).WithMediaType(test.mediaType).Inspect(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := content.CheckKind(test.property); (err == nil) != test.ok {
			t.Errorf("%s with %s: %v", test.property, test.mediaType, err)
		}
	}
	for _, wrong := range []string{"mp4", "video/", "video/mp4; codecs=x", "video/mp4,", "a b/c"} {
		if _, err := reader([]byte("x")).WithMediaType(wrong).Inspect(0); err == nil {
			t.Errorf("%q is accepted as a media type", wrong)
		}
	}
}
