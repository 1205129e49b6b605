package api

import (
	"bytes"
	"encoding/json"
	"errors"
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

// limit is above the size of the test data.
const limit = 40000

func TestInputErrors(t *testing.T) {
	var (
		empty     = write(t, "empty.mp4", nil)
		text      = write(t, "text.png", []byte("this isn't an image"))
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
		{"empty", "video_url", media.File(empty), empty + ": empty"},
		{"directory", "image_url", media.File(directory), directory + ": a directory"},
		{"device", "image_url", media.File(os.DevNull), os.DevNull + ": not a regular file"},
		{"text for an image", "image_url", media.File(text), text + ": text/plain, not an image"},
		{"text for a video", "video_url", media.File(text), text + ": text/plain, not a video"},
		{"TypeScript for a video", "video_url", media.File(source), source + ": text/plain, not a video"},
		{"image for a video", "video_url", media.File(hero), hero + ": image/png, not a video"},
		{"image by another name", "video_url", media.File(renamed), renamed + ": image/png, not a video"},
		{"video for an image", "image_url", media.File(dance), dance + ": video/mp4, not an image"},
		{"video for the last image", "last_image_url", media.File(dance), dance + ": video/mp4, not an image"},
		{"video among images", "image_list", media.File(dance), dance + ": video/mp4, not an image"},
		{"unknown format", "video_url", media.File(nonsense), nonsense + ": application/octet-stream, not a video"},
		{"unknown property", "mask_url", media.File(pdf), pdf + ": application/pdf, not a video, an image or audio"},
		{"text in memory", "image_url", reader([]byte("hello")), "5 bytes: text/plain, not an image"},
		{"nothing in memory", "image_url", reader(nil), "0 bytes: empty"},
		{"less than nothing", "image_url", media.Reader(bytes.NewReader(noise), -1), "a reader: its size isn't known (-1)"},
		{"unreadable memory", "image_url", media.Reader(&failing{bytes.NewReader(noise), 0, broken}, 8), "8 bytes: "},
		{"too large", "image_url", testImage(limit + 1), "40001 bytes: 40001 bytes, more than the limit of 40000; host the file and give its URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var value any = test.source
			if test.property == "image_list" {
				value = []any{media.URL("https://example.com/a.png"), test.source}
			}
			body, err := newBody(t.Context(), map[string]any{test.property: value, "prompt": "p"}, limit)
			want := "wan: " + test.property + ": " + test.want
			var input *InputError
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

func TestLimit(t *testing.T) {
	large := write(t, "large.png", filled(pngHead, limit+1))
	request := map[string]any{"image_list": []media.Source{testImage(limit - 1), testImage(limit), media.URL("https://example.com/" + strings.Repeat("a", limit))}}
	if _, err := newBody(t.Context(), request, limit); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	for _, source := range []media.Source{testImage(limit + 1), media.File(large)} {
		_, err := newBody(t.Context(), map[string]any{"image_list": [2]media.Source{testImage(limit), source}}, limit)
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
		_, err := newBody(t.Context(), test.request, 0)
		if input := (*InputError)(nil); !errors.As(err, &input) || input.Property != test.want {
			t.Errorf("%T: got %v, want an InputError about %q", test.request, err, test.want)
		}
	}
	if got := (&InputError{Err: io.EOF}).Error(); got != "wan: EOF" {
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
	_, err := newBody(t.Context(), animatemove.Request{VideoURL: media.File(path)}, 0)
	input := (*InputError)(nil)
	if !errors.As(err, &input) || input.Property != "video_url" || !errors.Is(err, fs.ErrPermission) || strings.Count(err.Error(), path) != 1 {
		t.Errorf("got %v", err)
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
	}{inner{testImage(100)}, "m"}
	body, err := newBody(t.Context(), request, 100)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "body", read(t, body), want)
	if _, err = newBody(t.Context(), request, 99); err == nil || !strings.HasPrefix(err.Error(), "wan: image_url: ") {
		t.Errorf("beyond the limit: %v", err)
	}
}
