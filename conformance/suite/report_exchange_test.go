package suite

import (
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec/redact"
)

func TestLine(t *testing.T) {
	r := redactor{redact.New("0123456789abcdef")}
	for _, test := range []struct{ name, text, want string }{
		{"plain", "a message", "a message"},
		{"signed URL", `{"url":"https://a.example/v.mp4?sig=x&exp=1","b":1}`, `{"url":"https://a.example/v.mp4?...","b":1}`},
		{"terminal", "a\x1b[2Jb\r\nc", `a\x1b[2Jb\r\nc`},
		{"key at the cut", strings.Repeat(". ", 497) + "0123456789abcdef", strings.Repeat(". ", 497) + "[API k... (1003 bytes)"},
		{"long", strings.Repeat("雨", 400), strings.Repeat("雨", 333) + "... (1200 bytes)"},
	} {
		if got := r.line(test.text); got != test.want {
			t.Errorf("%s: got\n%s\nwant\n%s", test.name, got, test.want)
		}
	}
	r = redactor{redact.New("x")} // of a mock
	if got := r.line("axb"); got != "axb" {
		t.Error(got)
	}
}
