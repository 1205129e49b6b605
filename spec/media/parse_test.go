package media_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec/media"
)

func TestParse(t *testing.T) {
	data, err := os.ReadFile(hero)
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.StdEncoding.EncodeToString(data)
	tests := []struct {
		text string
		want media.Source
		err  string // a part of the error
	}{
		{"", media.Source{}, ""},
		{"https://example.com/a.mp4?sig=1", media.URL("https://example.com/a.mp4?sig=1"), ""},
		{"HTTP://example.com/a.mp4", media.URL("HTTP://example.com/a.mp4"), ""},
		{"DATA:image/png;base64,AAAA", media.URL("DATA:image/png;base64,AAAA"), ""},
		{"dir/a.mp4", media.File("dir/a.mp4"), ""},
		{`C:\clips\a.mp4`, media.File(`C:\clips\a.mp4`), ""},
		{"100%.mp4", media.File("100%.mp4"), ""},
		{strings.Repeat("long/", 100), media.File(strings.Repeat("long/", 100)), ""},
		{"file:a.mp4", media.File("a.mp4"), ""},
		{"file:/clips/a%20b.mp4", media.File("/clips/a b.mp4"), ""},
		{"file:///clips/a%20b.mp4", media.File("/clips/a b.mp4"), ""},
		{"FILE://localhost/a.mp4", media.File("/a.mp4"), ""},
		{"file://host/a.mp4", media.Source{}, `names the host "host"`},
		{"file:///100%.mp4", media.Source{}, "write % as %25"},
		{"file:", media.Source{}, "without a path"},
		{"s3://bucket/a.mp4", media.Source{}, "s3:// isn't supported; give an https URL, such as a presigned one"},
		{"https:///a.mp4", media.Source{}, "without a host"},
		{"https://exa mple.com/", media.Source{}, "not a valid URL"},
		{encoded, media.Source{}, "base64 without a media type"},
		{strings.Repeat("a", 1<<20), media.Source{}, "neither a URL nor a file: 1048576 characters"},
	}
	for _, test := range tests {
		if filepath.Separator == '\\' && test.want.IsLocal() && strings.Contains(test.text, "/") {
			continue // its path has backslashes
		}
		got, err := media.Parse(test.text)
		switch {
		case test.err == "" && (err != nil || got != test.want):
			t.Errorf("Parse(%.60q) = %v, %v; want %v", test.text, got, err, test.want)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || len(err.Error()) > 200):
			t.Errorf("Parse(%.60q) returned %v, want an error with %q", test.text, err, test.err)
		}
	}
	got, err := media.Parse("file:///C:/clips/a.mp4")
	want := "/C:/clips/a.mp4"
	if runtime.GOOS == "windows" {
		want = `C:\clips\a.mp4`
	}
	if err != nil || got != media.File(want) {
		t.Errorf("a drive: %v, %v", got, err)
	}
}

// Text and Parse are inverse, also for paths that look like URLs.
func TestText(t *testing.T) {
	for _, source := range []media.Source{
		media.File("a.mp4"), media.File("data:a.mp4"), media.File("file:a.mp4"), media.File("https://a.mp4"),
		media.URL("https://example.com/a?b"), media.URL("data:image/png;base64,AAAA"),
	} {
		text, err := source.Text()
		if err != nil {
			t.Fatal(err)
		}
		got, err := media.Parse(text)
		if path := filepath.Clean(got.String()); err != nil || got.IsLocal() != source.IsLocal() || source.IsLocal() && path != filepath.Clean(source.String()) {
			t.Errorf("%v: Text returned %q, which parses to %v, %v", source, text, got, err)
		}
	}
	if _, err := testImage(10).Text(); err == nil {
		t.Error("bytes in memory have a text")
	}
}

func TestCheckURL(t *testing.T) {
	for text, ok := range map[string]bool{
		"https://example.com/a": true, "http://example.com/a": true, "data:image/png;base64,AAAA": true,
		"hero.png": false, "file:///hero.png": false, "gs://bucket/a": false, "": false, "C:/hero.png": false,
	} {
		if err := media.CheckURL(text); (err == nil) != ok {
			t.Errorf("CheckURL(%q) = %v", text, err)
		}
	}
}
