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
		{"key", "Bearer 0123456789abcdef!", "Bearer [API key]!"},
		{"two keys", "0123456789abcdef0123456789abcdef", "[API key][API key]"},
		{"cut key", "key 0123456789abcd", "key [API key]"},
		{"end of a key", "...456789abcdef", "...[API key]"},
		{"less than half", "0123456, 89abcd", "0123456, 89abcd"},
		{"data", `"data:image/png;base64,` + strings.Repeat("A", 50) + `"`, `"data:..."`},
		{"data with escapes", `"data:image\/png;base64,` + strings.Repeat(`A\/`, 20) + `"`, `"data:..."`},
		{"signed URL", `{"url":"https://a.example/v.mp4?sig=x&exp=1","b":1}`, `{"url":"https://a.example/v.mp4?...","b":1}`},
		{"signed URL with escapes", `"HTTPS:\/\/a.example\/v.mp4?sig=x\u0026exp=1"`, `"HTTPS:\/\/a.example\/v.mp4?..."`},
		{"key in a query", "https://a.example/?key=0123456789abcdef", "https://a.example/?..."},
		{"URL without a query", "https://a.example/v.mp4 why?", "https://a.example/v.mp4 why?"},
		{"query of our own", "/v2/video/generations?generation_id=x", "/v2/video/generations?generation_id=x"},
		{"terminal", "a\x1b[2Jb\r\nc", `a\x1b[2Jb\r\nc`},
		{"direction", "a\u202eb", `a\u202eb`},
		{"not UTF-8", "a\xff", "a\uFFFD"},
		{"Chinese", "雨", "雨"},
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
