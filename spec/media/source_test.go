package media_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/gen/animatemove"
	"github.com/aimlvideo/wan-go/gen/vacefunpose"
	"github.com/aimlvideo/wan-go/spec/media"
)

const (
	hero    = "../../conformance/testdata/hero.png"
	pngHead = "\x89PNG\r\n\x1a\n"
)

func reader(data []byte) media.Source { return media.Reader(bytes.NewReader(data), int64(len(data))) }

func testImage(n int) media.Source { return media.Bytes(filled(n)) }

func filled(n int) []byte { return append([]byte(pngHead), make([]byte, n-len(pngHead))...) }

func write(t *testing.T, name string, data []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %.200q, want %.200q", what, got, want)
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
		{media.URL("DATA:image/png;base64," + secret), "DATA:image/png;base64,... (6 characters)"},
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

	grown := media.Reader(bytes.NewReader(filled(50)), 51)
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
	encoded, err := json.Marshal(testImage(100))
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

// A stream is read once, from its beginning, and no further than its size.
func TestStream(t *testing.T) {
	data := filled(5000)
	r := bytes.NewReader(append(data, "more"...))
	source := media.Stream(r, int64(len(data)))
	for range 2 { // inspecting it doesn't use it up
		content, err := source.Inspect(0)
		if err != nil || content.MediaType != "image/png" || content.Spent() {
			t.Fatalf("got %+v, %v", content, err)
		}
	}
	content, err := source.Inspect(0)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := content.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "stream", got, data)
	if r.Len() != len("more") {
		t.Errorf("%d bytes are left, want %d", r.Len(), len("more"))
	}
	if _, err := content.Open(t.Context()); err == nil || !content.Spent() {
		t.Errorf("it was opened twice: %v", err)
	}
	if _, err := source.Inspect(0); err == nil {
		t.Error("it was inspected after it was sent")
	}
	short, err := media.Stream(bytes.NewReader(data), int64(len(data))+1).WithMediaType("image/png").Inspect(0)
	if err != nil {
		t.Fatal(err)
	}
	if opened, err = short.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(opened); err == nil {
		t.Error("a short stream is no error")
	}
}

func TestLogValue(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	path := write(t, "hero.png", filled(5000))
	for _, test := range []struct {
		source media.Source
		want   string
	}{
		{media.File(path), path + " (image/png, 5000 bytes)"},
		{testImage(5000), "5000 bytes (image/png)"},
		{media.File("missing.png"), "missing.png"},
		{media.URL("https://example.com/a?secret"), "https://example.com/a"},
	} {
		log.Reset()
		logger.Info("m", "source", test.source)
		if want := `"source":"` + test.want + `"`; !strings.Contains(log.String(), want) {
			t.Errorf("got %s, want %s", log.String(), want)
		}
	}
}
