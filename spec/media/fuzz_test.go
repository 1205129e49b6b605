package media

import (
	"strings"
	"testing"
)

// FuzzParse checks that a source can be written down and parsed again, and that neither an error nor a description
// repeats media data.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "dance.mp4", "./a b.mp4", "https://example.com/v.mp4?X-Amz-Signature=abc", "HTTP://EXAMPLE.COM", "file:///a%20b.mp4",
		"file:x.mp4", "file://host/x", "file:///C:/x", "s3://bucket/key", "data:video/mp4;base64,AAAA", "DATA:image/png,x",
		"data:,", "data:image/png;base64", "data:image/png;charset=utf-8;base64,QQ==", "://", "http://[::1", "\x00", "-", "%zz", "javascript:alert(1)",
		"data:image/png;base64," + strings.Repeat("QUJD", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		source, err := Parse(text)
		if err == nil {
			written, err := source.Text()
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			again, err := Parse(written)
			if err != nil || again != source {
				t.Errorf("%q is written as %q, which is %v, %v", text, written, again, err)
			}
		}
		_, data, ok := strings.Cut(text, ",")
		if !ok || len(data) < 100 || !IsDataURI(text) {
			return
		}
		if err != nil && strings.Contains(err.Error(), data) || err == nil && strings.Contains(source.String(), data) {
			t.Errorf("%q: %v, %s", text, err, source)
		}
	})
}
