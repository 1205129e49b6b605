package media_test

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
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/spec/media"
)

// noise is of no known format.
var noise = []byte("\x00\x01\x02\x03\xfe\xff\x00\x00")

func TestInputErrors(t *testing.T) {
	var (
		empty     = write(t, "empty.mp4", nil)
		text      = write(t, "text.png", []byte("this is no picture"))
		source    = write(t, "source.ts", []byte("export const answer = 42;\n"))
		renamed   = write(t, "renamed.mp4", filled(pngHead, 100))
		nonsense  = write(t, "noise.bin", noise)
		pdf       = write(t, "paper.pdf", []byte("%PDF-1.7\n"))
		missing   = filepath.Join(t.TempDir(), "missing.mp4")
		directory = t.TempDir()
		broken    = errors.New("the disk is on fire")
	)
	tests := []struct {
		name     string
		property string
		source   media.Source
		want     string // what the error says after the property
	}{
		{"missing", "video_url", media.File(missing), missing + ": no such file or directory"},
		{"empty", "video_url", media.File(empty), empty + ": it is empty"},
		{"directory", "image_url", media.File(directory), directory + ": it is a directory"},
		{"device", "image_url", media.File(os.DevNull), os.DevNull + ": it isn't a regular file"},
		{"text for a picture", "image_url", media.File(text), text + ": it is text/plain, not a picture"},
		{"text for a video", "video_url", media.File(text), text + ": it is text/plain, not a video"},
		{"TypeScript for a video", "video_url", media.File(source), source + ": it is text/plain, not a video"},
		{"picture for a video", "video_url", media.File(hero), hero + ": it is image/png, not a video"},
		{"picture by another name", "video_url", media.File(renamed), renamed + ": it is image/png, not a video"},
		{"video for a picture", "image_url", media.File(dance), dance + ": it is video/mp4, not a picture"},
		{"video for the last picture", "last_image_url", media.File(dance), dance + ": it is video/mp4, not a picture"},
		{"video among pictures", "image_list", media.File(dance), dance + ": it is video/mp4, not a picture"},
		{"unknown format", "video_url", media.File(nonsense), nonsense + ": it is application/octet-stream, not a video"},
		{"unknown property", "mask_url", media.File(pdf), pdf + ": it is application/pdf, not a video or a picture"},
		{"text in memory", "image_url", reader([]byte("hello")), "5 bytes: it is text/plain, not a picture"},
		{"nothing in memory", "image_url", reader(nil), "0 bytes: it is empty"},
		{"less than nothing", "image_url", media.Reader(bytes.NewReader(noise), -1), "-1 bytes: it is empty"},
		{"unreadable memory", "image_url", media.Reader(&failing{bytes.NewReader(noise), 0, broken}, 8), "8 bytes: "},
		{"too large", "image_url", picture(limit + 1), "40001 bytes: it has 40001 bytes, more than the limit of 40000; put it where the API can fetch it and give its URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var value any = test.source
			if test.property == "image_list" {
				value = []any{media.URL("https://example.com/a.png"), test.source}
			}
			body, err := media.NewBody(map[string]any{test.property: value, "prompt": "p"}, limit)
			want := "wan: " + test.property + ": " + test.want
			var input *media.InputError
			switch {
			case body != nil || !errors.As(err, &input):
				t.Fatalf("got %v, %v; want an InputError", body, err)
			case input.Property != test.property:
				t.Errorf("the property is %q, want %q", input.Property, test.property)
			case !strings.HasPrefix(err.Error(), want):
				t.Errorf("got %q\nwant %q", err, want)
			}
			if test.name == "missing" && !errors.Is(err, fs.ErrNotExist) || test.name == "unreadable memory" && !errors.Is(err, broken) {
				t.Errorf("%v doesn't wrap its reason", err)
			}
		})
	}
}

// limit is above the size of the test data.
const limit = 40000

func TestLimit(t *testing.T) {
	large := write(t, "large.png", filled(pngHead, limit+1))
	request := map[string]any{"image_list": []media.Source{picture(limit - 1), picture(limit), media.URL("https://example.com/" + strings.Repeat("a", limit))}}
	if _, err := media.NewBody(request, limit); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	for _, source := range []media.Source{picture(limit + 1), media.File(large)} {
		_, err := media.NewBody(map[string]any{"image_list": [2]media.Source{picture(limit), source}}, limit)
		if err == nil || !strings.Contains(err.Error(), "more than the limit of 40000") {
			t.Errorf("%v above the limit: %v", source, err)
		}
	}
}

// A generated request has to name the property as the document does.
func TestInputErrorOfRequest(t *testing.T) {
	video, image := media.File(dance), media.File(hero)
	bad := media.File("missing")
	tests := []struct {
		request any
		want    string
	}{
		{animatemove.Request{VideoURL: bad, ImageURL: image}, "video_url"},
		{&animatemove.Request{VideoURL: video, ImageURL: bad}, "image_url"},
		{vacefunpose.Request{VideoURL: video, ImageList: []media.Source{image, bad}}, "image_list"},
		{vacefunpose.Request{VideoURL: video, LastImageURL: bad}, "last_image_url"},
		{struct{ ImageURL media.Source }{bad}, "ImageURL"},
		{map[string]any{"a": []any{map[string]any{"b": &bad}}}, "b"},
		{bad, ""},
	}
	for _, test := range tests {
		_, err := media.NewBody(test.request, 0)
		if input := (*media.InputError)(nil); !errors.As(err, &input) || input.Property != test.want {
			t.Errorf("%T: got %v, want an InputError about %q", test.request, err, test.want)
		}
	}
	if got := (&media.InputError{Err: io.EOF}).Error(); got != "wan: EOF" {
		t.Errorf("without a property the error is %q", got)
	}
}

func TestUnreadable(t *testing.T) {
	path := write(t, "v.mp4", filled(mp4Head, 100))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(path); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	_, err := media.NewBody(animatemove.Request{VideoURL: media.File(path)}, 0)
	input := (*media.InputError)(nil)
	if !errors.As(err, &input) || input.Property != "video_url" || !errors.Is(err, fs.ErrPermission) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestMediaType(t *testing.T) {
	tests := []struct {
		name string // of the file; without one the data is in memory
		data []byte
		want string
	}{
		{"a.mp4", filled(mp4Head, 50), "video/mp4"},
		{"a.bin", filled(mp4Head, 50), "video/mp4"},
		{"a.mp4", []byte("\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  "), "video/quicktime"},
		{"a.webm", []byte("\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"), "video/webm"},
		{"a.ts", noise, "video/mp2t"},
		{"A.TS", noise, "video/mp2t"},
		{"a.m2ts", noise, "video/mp2t"},
		{"a.mov", noise, "video/quicktime"},
		{"a.m4v", noise, "video/mp4"},
		{"a.mpeg", noise, "video/mpeg"},
		{"", filled(mp4Head, 50), "video/mp4"},
		{"", []byte(pngHead), "image/png"},
		{"a.mp4", filled(pngHead, 50), "image/png"}, // the content decides
		{"", []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), "image/jpeg"},
		{"", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L"), "image/webp"},
		{"", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "image/svg+xml"},
	}
	for _, test := range tests {
		source := reader(test.data)
		if test.name != "" {
			source = media.File(write(t, test.name, test.data))
		}
		want := `{"input":"data:` + test.want + `;base64,` + base64.StdEncoding.EncodeToString(test.data) + `"}`
		same(t, test.name+" as "+test.want, read(t, newBody(t, map[string]any{"input": source})), []byte(want))
	}
}

func TestIs(t *testing.T) {
	for _, test := range []struct {
		source        media.Source
		isZero, local bool
	}{
		{media.Source{}, true, false},
		{media.URL(""), true, false},
		{media.File(""), true, false},
		{media.Reader(nil, 0), true, false},
		{media.URL("https://example.com/"), false, false},
		{media.File("a"), false, true},
		{reader(nil), false, true},
	} {
		if test.source.IsZero() != test.isZero || test.source.IsLocal() != test.local {
			t.Errorf("%#v: IsZero is %t, IsLocal is %t", test.source, test.source.IsZero(), test.source.IsLocal())
		}
	}
}

func TestString(t *testing.T) {
	const secret = "SECRET"
	tests := []struct {
		source media.Source
		want   string
	}{
		{media.File("dir/hero.png"), "dir/hero.png"},
		{reader([]byte(secret)), "6 bytes"},
		{media.URL("https://example.com/a/b.mp4?X-Amz-Signature=" + secret), "https://example.com/a/b.mp4"},
		{media.URL("https://user:" + secret + "@example.com/b.mp4#" + secret), "https://example.com/b.mp4"},
		{media.URL("data:image/png;base64," + secret), "data:image/png;base64,... (6 characters)"},
		{media.URL("data:" + strings.Repeat("x", 200) + "," + secret), "data:" + strings.Repeat("x", 75) + ",... (6 characters)"},
		{media.URL("DATA:image/png;base64," + secret), "an unreadable URL of 28 characters"},
		{media.URL("data:" + secret), "an unreadable URL of 11 characters"},
		{media.URL("hero.png?" + secret), "an unreadable URL of 15 characters"},
		{media.URL("https://example.com/%zz?" + secret), "an unreadable URL of 30 characters"},
		{media.Source{}, "nothing"},
	}
	for _, test := range tests {
		if got := test.source.String(); got != test.want {
			t.Errorf("String returned %q, want %q", got, test.want)
		}
		if got, want := test.source.GoString(), "media.Source("+test.want+")"; got != want {
			t.Errorf("GoString returned %q, want %q", got, want)
		}
		request := vacefunpose.Request{VideoURL: test.source, ImageList: []media.Source{test.source}}
		for _, value := range []any{
			test.source, &test.source, request, &request, []media.Source{test.source},
			map[string]any{"video_url": test.source, "image_list": []any{test.source}},
		} {
			for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
				text := fmt.Sprintf(format, value)
				if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
					t.Errorf("%s of a %T shows the secret: %s", format, value, text)
				}
			}
		}
		if _, err := media.NewBody(map[string]any{"a": make(chan int), "b": test.source}, 0); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("an error shows the secret: %v", err)
		}
	}
}

func TestMarshalJSON(t *testing.T) {
	data, err := os.ReadFile(hero)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(animatemove.Request{Model: animatemove.ModelID, VideoURL: media.URL("https://example.com/v?a&b"), ImageURL: media.File(hero)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "request", encoded, []byte(`{"image_url":"data:image/png;base64,`+base64.StdEncoding.EncodeToString(data)+
		`","model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v?a\u0026b"}`))

	grown := media.Reader(bytes.NewReader(filled(pngHead, 50)), 51)
	for _, source := range []media.Source{{}, media.File("missing"), reader([]byte("text")), grown} {
		if encoded, err := json.Marshal(source); err == nil {
			t.Errorf("%#v was encoded as %s", source, encoded)
		}
	}
}

func TestUnmarshalJSON(t *testing.T) {
	for _, url := range []string{"https://example.com/v.mp4?a=1&b=<2>", "data:image/png;base64,iVBORw0KGgo="} {
		before := vacefunpose.Request{VideoURL: media.URL(url), ImageList: []media.Source{media.URL(url)}}
		encoded, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		after := vacefunpose.Request{ImageURL: media.File("stays"), VideoURL: media.File("goes")}
		if err := json.Unmarshal(encoded, &after); err != nil {
			t.Fatal(err)
		}
		if after.VideoURL != before.VideoURL || len(after.ImageList) != 1 || after.ImageList[0] != media.URL(url) {
			t.Errorf("%s has become %s", encoded, after.VideoURL)
		}
		if after.ImageURL != media.File("stays") || !after.LastImageURL.IsZero() {
			t.Error("what isn't in the JSON was changed")
		}
	}
	// What was local comes back as a data URI, which encodes to the same again.
	encoded, err := json.Marshal(picture(100))
	if err != nil {
		t.Fatal(err)
	}
	var source media.Source
	if err := json.Unmarshal(encoded, &source); err != nil || source.IsLocal() || source.IsZero() {
		t.Fatalf("got %#v, %v", source, err)
	}
	again, err := json.Marshal(source)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "again", again, encoded)

	source = media.File("goes")
	if err := json.Unmarshal([]byte("null"), &source); err != nil || !source.IsZero() {
		t.Errorf("null has become %#v, %v", source, err)
	}
	for _, wrong := range []string{"7", "{}", `["https://example.com/"]`, "true"} {
		if err := json.Unmarshal([]byte(wrong), &source); err == nil {
			t.Errorf("%s was decoded as %#v", wrong, source)
		}
	}
}

// What says that it is MP4 passes for a video, whatever its brand; sound does not.
func TestBrands(t *testing.T) {
	for brand, want := range map[string]string{"isom": "video/mp4", "MSNV": "video/mp4", "M4A ": ""} {
		file := append([]byte("\x00\x00\x00\x18ftyp"+brand+"\x00\x00\x00\x00"+brand+"mp42"), make([]byte, 100)...)
		body, err := media.NewBody(map[string]any{"video_url": reader(file)}, 0)
		if want == "" {
			if err == nil {
				t.Errorf("%s is taken", brand)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", brand, err)
			continue
		}
		if got := string(read(t, body)); !strings.HasPrefix(got, `{"video_url":"data:`+want+`;base64,`) {
			t.Errorf("%s: %.60s", brand, got)
		}
	}
}

type inner struct {
	ImageURL media.Source `json:"image_url"`
}

// The sources of an embedded struct are looked at and streamed like others, also where its type isn't exported.
func TestEmbedded(t *testing.T) {
	request := struct {
		inner

		Model string `json:"model"`
	}{inner{picture(100)}, "m"}
	body, err := media.NewBody(request, 100)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "body", read(t, body), want)
	if _, err = media.NewBody(request, 99); err == nil || !strings.HasPrefix(err.Error(), "wan: image_url: ") {
		t.Errorf("beyond the limit: %v", err)
	}
}
