package media

import (
	"os"
	"strings"
	"testing"
)

// However the bytes of a file come in, the verdict is the same.
func FuzzContainer(f *testing.F) {
	sample := "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00mp42" + "\x00\x00\x00\x0cmoov1234" + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x1412345678"
	f.Add([]byte(sample), 7)
	f.Add([]byte(sample[:len(sample)-1]), 1000)
	f.Add([]byte(sample[:25]), 1)
	f.Add([]byte("\x00\x00\x00\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff"), 3)
	f.Add([]byte("\x00\x00\x00\x08ftyp\x00\x00\x00\x00moov"), 3)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n <= 0 {
			return
		}
		whole, pieces := NewContainer(data[:min(len(data), 3072)]), NewContainer(data[:min(len(data), 3072)])
		whole.Write(data)
		for rest := data; len(rest) > 0; {
			piece := rest[:min(n, len(rest))]
			pieces.Write(piece)
			rest = rest[len(piece):]
		}
		if a, b := whole.Whole(), pieces.Whole(); a != b {
			t.Errorf("whole: %t, in pieces of %d: %t", a, n, b)
		}
	})
}

// A file is complete, and no part of it is.
func TestContainer(t *testing.T) {
	sample, err := os.ReadFile("../../conformance/simulator/videos/480x480.mp4")
	if err != nil {
		t.Fatal(err)
	}
	const cluster = "\x1f\x43\xb6\x75\x86\xa3\x84abcd" // with one block of four bytes
	for name, file := range map[string]string{
		"MP4":                           string(sample),
		"Matroska":                      "\x1a\x45\xdf\xa3\x84webm" + "\x18\x53\x80\x67\x01\x00\x00\x00\x00\x00\x00\x16" + cluster + cluster,
		"AVI":                           "RIFF\x18\x00\x00\x00AVI LIST1234567812345678",
		"Matroska live, a cut block":    "\x1a\x45\xdf\xa3\x84webm" + "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + "\x1f\x43\xb6\x75\xff" + "\xa3\x84abc",
		"MP4 with fragments, a cut box": "\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + "\x00\x00\x00\x08moof" + "\x00\x00\x00\x0cmdat123",
	} {
		n := 24
		if strings.Contains(name, "cut") {
			n = len(file)
		}
		for ; n <= len(file); n++ {
			c := NewContainer([]byte(file[:min(n, 3072)]))
			c.Write([]byte(file[:n]))
			if complete := c.Whole(); complete != (n == len(file) && !strings.Contains(name, "cut")) {
				t.Errorf("%s: of %d bytes, the first %d are complete: %t", name, len(file), n, complete)
			}
		}
	}
}

func TestContainerFormats(t *testing.T) {
	const (
		head = "\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom"
		moov = "\x00\x00\x00\x08moov"
		mdat = "\x00\x00\x00\x0cmdatdata"
	)
	for file, want := range map[string]bool{
		head + moov + mdat: true,
		head + mdat + moov: true,
		"\x00\x00\x00\x14ftypqt  \x20\x05\x03\x00qt  " + moov + mdat:                   true,
		"\x00\x00\x00\x14ftypdash\x00\x00\x00\x00iso6" + "\x00\x00\x00\x08moof" + mdat: true,
		head + moov + "\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x12xy":         true,
		head + moov + "\x00\x00\x00\x00mdatto the end":                                 true,
		head + moov + mdat + "trailing bytes":                                          true,
		head:                                                                           false,
		head + mdat:                                                                    false,
		head + moov:                                                                    false,
		head + moov + "\x00\x00\x10\x00mdatdata":                                       false,
		head + moov + mdat + "\x00\x00\x00\x10free":                                    false,
		"\x1aE\xdf\xa3\x87B\x82\x84webm\x18S\x80g\x88":                                 false,
		"\x1aE\xdf\xa3\x87B\x82\x84webm\x18S\x80g\x82\xec\x80":                         true,
	} {
		c := NewContainer([]byte(file))
		c.Write([]byte(file))
		if got := c.Whole(); got != want {
			t.Errorf("%q: %t, want %t", file, got, want)
		}
	}
}
