package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/animatereplace"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/gen/vacefunreframe"
	"github.com/aimlvideo/wan-go/spec/media"
)

const (
	dance = "../conformance/testdata/dance.mp4"
	hero  = "../conformance/testdata/hero.png"

	pngHead = "\x89PNG\r\n\x1a\n"
	mp4Head = "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"

	// block is how much of a source is encoded at once.
	block = 24 << 10
)

// filled returns n bytes that begin with head and hold all values after it.
func filled(head string, n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	copy(data, head)
	return data
}

func testImage(n int) media.Source { return reader(filled(pngHead, n)) }

func testVideo(n int) media.Source { return reader(filled(mp4Head, n)) }

func reader(data []byte) media.Source { return media.Reader(bytes.NewReader(data), int64(len(data))) }

func write(t *testing.T, name string, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustBody(t *testing.T, request any) *requestBody {
	t.Helper()
	body, err := newBody(t.Context(), request, 0)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func open(t *testing.T, body *requestBody) io.ReadCloser {
	t.Helper()
	r := body.open(t.Context(), func(int) {})
	t.Cleanup(func() { r.Close() })
	return r
}

func read(t *testing.T, body *requestBody) []byte {
	t.Helper()
	data, err := io.ReadAll(open(t, body))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// same fails without printing megabytes.
func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	from := max(0, at-40)
	t.Errorf("%s: %d bytes, want %d; they differ at %d:\n got %.80q\nwant %.80q", what, len(got), len(want), at, got[from:], want[from:])
}

// checkBody compares the body of a request with what encoding/json makes of it.
func checkBody(t *testing.T, request any) {
	t.Helper()
	want, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	body := mustBody(t, request)
	if body.size != int64(len(want)) {
		t.Errorf("Len is %d, want %d", body.size, len(want))
	}
	same(t, "first reading", read(t, body), want)
	same(t, "second reading", read(t, body), want)
}

func TestBody(t *testing.T) {
	type untagged struct {
		VideoURL media.Source
		Hidden   media.Source `json:"-"`
		private  media.Source
	}
	type embedding struct {
		animatemove.Request
		Extra media.Source `json:"extra"`
	}
	var (
		video      = media.File(dance)
		image      = media.File(hero)
		url        = media.URL(`https://example.com/a.png?a=1&b=<2>"` + "\u2028")
		dataURI    = media.URL("data:image/png;base64,iVBORw0KGgo=")
		asPointers = &vacefunpose.Request{
			Model: vacefunpose.ModelID, VideoURL: video, Prompt: "p", NumFrames: new(0), Shift: new(2.5), SyncMode: new(false),
		}
	)
	tests := []struct {
		name    string
		request any
	}{
		{"move", animatemove.Request{Model: animatemove.ModelID, VideoURL: video, ImageURL: url, Resolution: animatemove.Resolution720p}},
		{"move, both in memory", animatemove.Request{Model: animatemove.ModelID, VideoURL: testVideo(5000), ImageURL: testImage(70000)}},
		{"replace", animatereplace.Request{Model: animatereplace.ModelID, VideoURL: testVideo(100), ImageURL: dataURI, Seed: new(7)}},
		{"pose", vacefunpose.Request{
			Model: vacefunpose.ModelID, VideoURL: video, Prompt: "<p> & \u2029", ImageURL: image, LastImageURL: testImage(99),
			ImageList: []media.Source{url, image, dataURI, testImage(10)},
		}},
		{"pose, empty list", vacefunpose.Request{VideoURL: url, ImageList: []media.Source{}}},
		{"reframe", vacefunreframe.Request{Model: vacefunreframe.ModelID, VideoURL: video, TrimBorders: new(true)}},
		{"no local source", vacefunreframe.Request{VideoURL: url}},
		{"pointer", asPointers},
		{"pointer to a pointer", &asPointers},

		{"map", map[string]any{
			"video_url": video, "image_url": &image, "image_list": []any{url, testImage(11), &image}, "prompt": "p",
			"n": 1.5, "nothing": nil, "nil": (*media.Source)(nil), "raw": json.RawMessage(`{"a": [1]}`), "bytes": []byte("abc"),
			"nil list": []any(nil), "nil map": map[string]any(nil), "pointer": &asPointers,
		}},
		{"list of sources in a map", map[string]any{"image_list": []media.Source{image, testImage(12), url}}},
		{"array", map[string]any{"image_list": [2]media.Source{image, testImage(13)}, "bytes": [3]byte{1, 2, 3}}},
		{"map of sources", map[string]media.Source{"image_url": image, "video_url": video}},
		{"other keys", map[int]any{7: image, 8: "x"}},
		{"deep", map[string]any{"a": map[string]any{"b": []any{map[string]any{"image_url": testImage(14)}}}}},
		{"the same source twice", map[string]any{"image_url": image, "last_image_url": image}},
		{"many", map[string]any{"image_list": manyImages()}},
		{"struct without tags", untagged{VideoURL: video, Hidden: media.File("never/looked/at"), private: media.File("nor/this")}},
		{"embedded", embedding{animatemove.Request{VideoURL: video, ImageURL: url}, testImage(15)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkBody(t, test.request) })
	}
}

// manyImages has numbers of more than one digit, so that one is the beginning of another.
func manyImages() (list []any) {
	for i := range 12 {
		list = append(list, testImage(20+i))
	}
	return list
}

func TestBodySizes(t *testing.T) {
	var sizes []int
	for n := len(pngHead); n <= len(pngHead)+3*16; n++ {
		sizes = append(sizes, n)
	}
	for _, around := range []int{3072, block / 4 * 3, block, 2 * block, 3 * block} {
		for n := around - 4; n <= around+4; n++ {
			sizes = append(sizes, n)
		}
	}
	for _, n := range sizes {
		checkBody(t, animatemove.Request{VideoURL: media.URL("https://example.com/v.mp4"), ImageURL: testImage(n)})
		if t.Failed() {
			t.Fatalf("with %d bytes", n)
		}
	}
	// Fewer bytes than the head of an image.
	for n := 1; n < len(pngHead); n++ {
		checkBody(t, map[string]any{"video_url": media.File(write(t, "v.mp4", make([]byte, n)))})
		if t.Failed() {
			t.Fatalf("with %d bytes", n)
		}
	}
}

// However little is asked for at once, the same comes.
func TestBodyReadSizes(t *testing.T) {
	body := mustBody(t, map[string]any{"image_url": testImage(2*block + 5), "video_url": testVideo(1000)})
	want := read(t, body)
	for _, n := range []int{1, 2, 3, 4, 5, 511, block / 3 * 4, block/3*4 + 1, 1 << 20} {
		var got []byte
		r := open(t, body)
		for buffer, err := make([]byte, n), error(nil); err == nil; {
			if k, err := r.Read(nil); k != 0 || err != nil && err != io.EOF {
				t.Fatalf("Read(nil) returned %d, %v", k, err)
			}
			var k int
			k, err = r.Read(buffer)
			got = append(got, buffer[:k]...)
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
		same(t, fmt.Sprintf("in pieces of %d", n), got, want)
		if k, err := r.Read(make([]byte, 1)); k != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", k, err)
		}
	}
}

func TestBodyConcurrent(t *testing.T) {
	body := mustBody(t, map[string]any{"image_url": testImage(3 * block), "video_url": media.File(dance)})
	want := read(t, body)
	var wg sync.WaitGroup
	for i := range 4 {
		r := open(t, body)
		if i%2 == 1 {
			r = io.NopCloser(iotest.HalfReader(r))
		}
		wg.Go(func() {
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("reader %d: %d bytes, %v; want %d", i, len(got), err, len(want))
			}
		})
	}
	wg.Wait()
}

// gate is data whose reading stops after the first block until it is let through.
type gate struct {
	io.ReaderAt
	once          sync.Once
	reached, pass chan struct{}
}

func (g *gate) ReadAt(p []byte, off int64) (int, error) {
	if off >= block {
		g.once.Do(func() { close(g.reached) })
		<-g.pass
	}
	return g.ReaderAt.ReadAt(p, off)
}

// net/http closes a body while it reads it when a request is cancelled.
func TestBodyCloseWhileReading(t *testing.T) {
	data := filled(pngHead, 3*block)
	g := &gate{ReaderAt: bytes.NewReader(data), reached: make(chan struct{}), pass: make(chan struct{})}
	body := mustBody(t, map[string]any{"image_url": media.Reader(g, int64(len(data)))})
	r := open(t, body)
	var (
		wg  sync.WaitGroup
		got []byte
		err error
	)
	wg.Go(func() { got, err = io.ReadAll(r) })
	<-g.reached
	wg.Go(func() { r.Close() })
	close(g.pass)
	wg.Wait()
	// Either was faster. What is cut off must not look like the end.
	if whole := int64(len(got)) == body.size; err == nil && !whole || err != nil && !errors.Is(err, os.ErrClosed) {
		t.Errorf("%d of %d bytes, %v", len(got), body.size, err)
	}
}

func TestBodyClose(t *testing.T) {
	path := write(t, "v.mp4", filled(mp4Head, 2*block))
	r := open(t, mustBody(t, map[string]any{"video_url": media.File(path)}))
	if _, err := io.ReadFull(r, make([]byte, block)); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" && descriptors(t, path) != 1 {
		t.Errorf("the file is open %d times, want 1", descriptors(t, path))
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close: %d, %v; want %v", n, err, os.ErrClosed)
	}
	if runtime.GOOS == "linux" && descriptors(t, path) != 0 {
		t.Error("the file is still open")
	}
}

// A file is closed as soon as it has been read, not only when the body is closed.
func TestBodyClosesFiles(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	path := write(t, "v.mp4", filled(mp4Head, block))
	body := mustBody(t, map[string]any{"video_url": media.File(path)})
	if n := descriptors(t, path); n != 0 {
		t.Errorf("NewBody leaves the file open %d times", n)
	}
	if _, err := json.Marshal(media.File(path)); err != nil {
		t.Fatal(err)
	}
	if n := descriptors(t, path); n != 0 {
		t.Errorf("MarshalJSON leaves the file open %d times", n)
	}
	if _, err := io.Copy(io.Discard, open(t, body)); err != nil {
		t.Fatal(err)
	}
	if n := descriptors(t, path); n != 0 {
		t.Errorf("the file is still open %d times", n)
	}
}

func descriptors(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && target == path {
			n++
		}
	}
	return n
}

func TestBodyFileChanges(t *testing.T) {
	const size = 3 * block
	resize := func(n int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.Truncate(path, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(t *testing.T, path string) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	const changed = "changed its size while it was sent"
	tests := []struct {
		name   string
		before int // bytes of the body that are read before the change
		change func(t *testing.T, path string)
		want   string // in the error; empty for none
	}{
		{"grows by a byte", 0, resize(size + 1), changed},
		{"grows by a block", 0, resize(size + block), changed},
		{"shrinks by a byte", 0, resize(size - 1), changed},
		{"shrinks by a block", 0, resize(size - block), changed},
		{"is emptied", 0, resize(0), changed},
		{"vanishes", 0, remove, "no such file"},
		{"grows while it is read", block, resize(size + 1), changed},
		{"shrinks while it is read", block, resize(size - 1), changed},
		{"vanishes while it is read", block, remove, ""}, // the open file is still there
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if runtime.GOOS == "windows" && test.before > 0 {
				t.Skip("an open file can't be changed")
			}
			path := write(t, "v.mp4", filled(mp4Head, size))
			body := mustBody(t, map[string]any{"video_url": media.File(path)})
			want := read(t, body)
			r := open(t, body)
			got := make([]byte, test.before)
			if _, err := io.ReadFull(r, got); err != nil {
				t.Fatal(err)
			}
			test.change(t, path)
			rest, err := io.ReadAll(r)
			if test.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				same(t, "body", slices.Concat(got, rest), want)
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got error %v, want one with %q and the path", err, test.want)
			}
			if test.want != changed && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%v isn't fs.ErrNotExist", err)
			}
			if n := int64(len(got) + len(rest)); n >= body.size {
				t.Errorf("%d bytes were read in spite of the error, of %d", n, body.size)
			}
			if _, again := r.Read(make([]byte, 10)); again == nil || again == io.EOF {
				t.Errorf("after the error comes %v", again)
			}
		})
	}
}

// failing is data that can be read up to a byte.
type failing struct {
	io.ReaderAt
	from int64
	err  error
}

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= f.from {
		return f.ReaderAt.ReadAt(p, off)
	}
	n, err := f.ReaderAt.ReadAt(p[:max(0, f.from-off)], off)
	return n, errors.Join(err, f.err)
}

func TestBodyReaderFails(t *testing.T) {
	const size = 2 * block
	broken := errors.New("the disk is on fire")
	tests := []struct {
		name string
		r    io.ReaderAt
		want string
	}{
		{"error", &failing{bytes.NewReader(filled(pngHead, size)), block + 7, broken}, "on fire"},
		{"fewer bytes", bytes.NewReader(filled(pngHead, size-1)), "changed its size"},
		{"fewer bytes by a block", bytes.NewReader(filled(pngHead, size-block)), "changed its size"},
		{"unexpected EOF", unexpectedEOF{bytes.NewReader(filled(pngHead, size-7))}, "changed its size"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := mustBody(t, map[string]any{"image_url": media.Reader(test.r, size)})
			data, err := io.ReadAll(open(t, body))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %d of %d bytes and the error %v, want one with %q", len(data), body.size, err, test.want)
			}
		})
	}
	t.Run("more bytes", func(t *testing.T) { // the rest isn't ours
		data := filled(pngHead, size)
		checkBody(t, map[string]any{"image_url": media.Reader(bytes.NewReader(data), 100)})
		request := map[string]any{"image_url": media.Reader(bytes.NewReader(data), 100)}
		same(t, "body", read(t, mustBody(t, request)),
			[]byte(`{"image_url":"data:image/png;base64,`+base64.StdEncoding.EncodeToString(data[:100])+`"}`))
	})
}

// unexpectedEOF ends as decompressors do whose input is cut off.
type unexpectedEOF struct{ io.ReaderAt }

func (u unexpectedEOF) ReadAt(p []byte, off int64) (int, error) {
	n, err := u.ReaderAt.ReadAt(p, off)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// synthetic is a head and then zeros without end.
type synthetic string

func (s synthetic) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(s)) {
		copy(p, s[off:])
	}
	return len(p), nil
}

func TestBodyMemory(t *testing.T) {
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	body := mustBody(t, animatemove.Request{
		VideoURL: media.Reader(synthetic(mp4Head), size),
		ImageURL: media.Reader(synthetic(pngHead), 1<<20),
	})
	n, err := io.Copy(io.Discard, open(t, body))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if n != body.size || n < size/3*4 {
		t.Errorf("%d bytes were read, Len is %d", n, body.size)
	}
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%d bytes allocated for a body of %d", allocated, n)
	if allocated >= 1<<20 {
		t.Errorf("%d bytes were allocated, want less than 1 MiB", allocated)
	}
}

func TestRequestIsLeftAlone(t *testing.T) {
	image, shift := media.File(hero), 5.0
	newRequests := func() (any, any) {
		list := []media.Source{image, media.URL("https://example.com/a")}
		return &vacefunpose.Request{VideoURL: media.File(dance), ImageURL: image, ImageList: list, Shift: &shift},
			map[string]any{"video_url": media.File(dance), "image_url": &image, "image_list": list, "more": []any{image}, "array": [1]media.Source{image}}
	}
	typed, untyped := newRequests()
	sameTyped, sameUntyped := newRequests()
	mustBody(t, typed)
	mustBody(t, untyped)
	if !reflect.DeepEqual(typed, sameTyped) {
		t.Errorf("the request has become %+v", typed)
	}
	if !reflect.DeepEqual(untyped, sameUntyped) {
		t.Errorf("the map has become %+v", untyped)
	}
	if image != media.File(hero) {
		t.Errorf("the source has become %v", image)
	}
}

func TestNewBodyFails(t *testing.T) {
	cycle := map[string]any{}
	cycle["self"] = cycle
	for name, request := range map[string]any{
		"nothing":           nil,
		"a channel":         map[string]any{"a": make(chan int)},
		"an unset source":   map[string]any{"video_url": media.Source{}},
		"an unset required": animatemove.Request{ImageURL: media.File(hero)},
		"itself":            cycle,
	} {
		t.Run(name, func(t *testing.T) {
			body, err := newBody(t.Context(), request, 0)
			if input := (*InputError)(nil); body != nil || !errors.As(err, &input) {
				t.Errorf("got %v, %v; want an InputError", body, err)
			}
		})
	}
}

func FuzzBody(f *testing.F) {
	const head = len(pngHead)
	f.Add([]byte(nil), uint16(0), uint16(1))
	f.Add([]byte("a"), uint16(0), uint16(4))
	f.Add([]byte(`"},{"`), uint16(1), uint16(3))
	f.Add([]byte("media:AAAAAAAAAAAAAAAAAAAAAAAAAA-0\""), uint16(3072), uint16(512))
	f.Add([]byte("\xff\xfe\u2028<&>"), uint16(block-head-11), uint16(block/3*4))
	f.Add([]byte{0}, uint16(block-head), uint16(1000))
	f.Add([]byte{1, 2}, uint16(2*block-head-1), uint16(65535))
	// The middle is zeros, so that inputs remain small enough to be minimized.
	f.Fuzz(func(t *testing.T, tail []byte, middle, step uint16) {
		data := slices.Concat([]byte(pngHead), make([]byte, middle), tail)
		request := map[string]any{"image_url": reader(data), "prompt": string(tail)}
		want, err := json.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		body := mustBody(t, request)
		if body.size != int64(len(want)) {
			t.Errorf("Len is %d, want %d", body.size, len(want))
		}
		var got bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, open(t, body), make([]byte, int(step)+1)); err != nil {
			t.Fatal(err)
		}
		same(t, "body", got.Bytes(), want)
	})
}
