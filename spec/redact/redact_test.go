package redact_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec/redact"
)

const key = "sk-live/9f+8c71b2d4e6a0517"

func TestKey(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "Bearer " + key + " is wrong", "Bearer [API key] is wrong"},
		{"twice", key + " " + key, "[API key] [API key]"},
		{"JSON slash", `{"k":"` + strings.ReplaceAll(key, "/", `\/`) + `"}`, `{"k":"[API key]"}`},
		{"JSON escape", `{"k":"` + strings.ReplaceAll(key, "+", `\u002B`) + `"}`, `{"k":"[API key]"}`},
		{"JSON escape of a letter", strings.ReplaceAll(key, "s", `\u0073`), "[API key]"},
		{"query escape", "?key=" + url.QueryEscape(key) + "&n=1", "?key=[API key]&n=1"},
		{"lower-case escape", strings.ToLower(url.QueryEscape(key)), "[API key]"},
		{"JSON within JSON", `{"k":"{\\"k\\":\\"` + strings.NewReplacer("/", `\\\/`, "+", `\\u002B`).Replace(key) + `\\"}"}`, `{"k":"{\\"k\\":\\"[API key]\\"}"}`},
		{"JSON three times", strings.ReplaceAll(key, "+", `\\\\u002b`), "[API key]"},
		{"query within a query", url.QueryEscape(url.QueryEscape(key)), "[API key]"},
		{"cut at the end", "starting with " + key[:len(key)-3], "starting with [API key]"},
		{"cut early", "starting with " + key[:9], "starting with [API key]"},
		{"cut at the start", key[5:] + " is wrong", "[API key] is wrong"},
		{"not the key", "sk-live and 9f and %2", "sk-live and 9f and %2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := redact.New(key).String(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestShortKey(t *testing.T) {
	if got := redact.New("test").String("a test of tests"); got != "a test of tests" {
		t.Errorf("a key of 4 characters changed the text: %q", got)
	}
}

func TestMedia(t *testing.T) {
	data := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("wan-go", 200)))
	var lines strings.Builder
	for i := 0; i < len(data); i += 76 {
		lines.WriteString(data[i:min(i+76, len(data))] + "\r\n")
	}
	r := redact.New(key)
	for _, tt := range []struct{ name, text, want string }{
		{"data URI", `{"image_url":"data:image/png;base64,` + data + `","n":1}`, `{"image_url":"data:...","n":1}`},
		{"upper case", "DATA:image/png;base64,AAAA", "data:..."},
		{"short data URI", "got data:,x", "got data:..."},
		{"without scheme", "got " + data, "got [base64 data]"},
		{"in lines", "got " + lines.String() + " end", "got [base64 data]\r\n end"},
		{"in escaped lines", strings.ReplaceAll(lines.String(), "\r\n", `\n`) + `"`, `[base64 data]\n"`},
		{"escaped slashes", strings.ReplaceAll(data, "d", `\/`), "[base64 data]"},
		{"JSON escapes", `{"u":"data:image/png;base64,` + strings.ReplaceAll(data, "d", `\u002B`) + `"}`, `{"u":"data:..."}`},
		{"JSON escapes without scheme", strings.ReplaceAll(data, "d", `\u002B`), "[base64 data]"},
		{"JSON within JSON", `"data:image/png;base64,` + strings.NewReplacer("d", `\\u002B`, "Y", `\\\/`).Replace(data) + `\\"`, `"data:...\\"`},
		{"JSON within JSON, without scheme", strings.NewReplacer("d", `\\u002B`, "Y", `\\\/`).Replace(data), "[base64 data]"},
		{"in lines within JSON within JSON", strings.ReplaceAll(lines.String(), "\r\n", `\\r\\n`) + `"`, `[base64 data]\\r\\n"`},
		{"URL escapes", strings.ReplaceAll(data, "d", "%2B"), "[base64 data]"},
		{"not media", "metadata: a, b", "metadata: a, b"},
		{"words in lines", strings.Repeat("word\n", 300), strings.Repeat("word\n", 300)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := r.String(tt.text); got != tt.want {
				t.Errorf("got %.200q, want %.200q", got, tt.want)
			}
		})
	}
}

func TestMessage(t *testing.T) {
	got := redact.New(key).Message("GET https://user:secret@files.example.com/a.mp4?sig=abc&n=1 failed for " + key)
	want := "GET https://files.example.com/a.mp4?... failed for [API key]"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPassword(t *testing.T) {
	for text, want := range map[string]string{
		"postgres://rev:hunter2@db/wan":              "postgres://rev:xxxxx@db/wan",
		"--database=postgresql://rev:a/b%z@c:d@db/x": "--database=postgresql://rev:xxxxx@db/x",
		"postgres://db/wan?user=a&password=b&c=d":    "postgres://db/wan?user=a&password=xxxxx&c=d",
		"postgres://rev@db:5432/wan":                 "postgres://rev@db:5432/wan",
		"videos/batch.db":                            "videos/batch.db",
	} {
		if got := redact.Password(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

func TestError(t *testing.T) {
	cause := errors.New("echoed " + key + "\x1b[2J")
	err := redact.New(key).Error(&url.Error{Op: "Get", URL: "https://example.com/?sig=1", Err: cause})
	if err.Error() != `echoed [API key]\x1b[2J` {
		t.Errorf("got %q", err)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is no longer wrapped")
	}
	plain := errors.New("connection refused")
	if got := redact.New(key).Error(plain); got != plain {
		t.Errorf("an error without secrets came back as another: %v", got)
	}
}

func TestLine(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"white space", " two\n\tlines\u3000wide ", "two lines wide"},
		{"escape sequence", "red \x1b[31m", `red \x1b[31m`},
		{"C1", "\u009b31m", `\u009b31m`},
		{"bidirectional", "a\u202eb", `a\u202eb`},
		{"invisible", "a\u200bb\ufeff", `a\u200bb\ufeff`},
		{"other scripts", "日本語 Ünïcode", "日本語 Ünïcode"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
		{"long", strings.Repeat("é", 300), strings.Repeat("é", 250) + "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := redact.Line(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
