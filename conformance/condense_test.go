package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func condense(text string, piece int) string {
	var c condenser
	for len(text) > 0 {
		n := min(piece, len(text))
		c.Write([]byte(text[:n]))
		text = text[n:]
	}
	return c.text.String()
}

func TestCondense(t *testing.T) {
	long := strings.Repeat("QUJD", 1000)
	tests := []struct{ name, text, want string }{
		{"nothing to do", `{"a":"b\"c,\\","d":[1,"data:x,y"]}`, `{"a":"b\"c,\\","d":[1,"data:x,y"]}`},
		{"data", `{"a":"data:video/mp4;base64,` + long + `","b":1}`, `{"a":"data:video/mp4;base64,QUJD","b":1}`},
		{"padding", `["data:image/png;base64,` + long + `QQ==","x"]`, `["data:image/png;base64,QUJD","x"]`},
		{"only padding", `["data:image/png;base64,QQ=="]`, `["data:image/png;base64,QQ=="]`},
		{"escaped slashes", `["data:image\/png;base64,QUJD\/\/\/\/"]`, `["data:image\/png;base64,QUJD"]`},
		{"bad character", `["data:image/png;base64,` + long + `A*AA"]`, `["data:image/png;base64,QUJD**AA"]`},
		{"bad length", `["data:image/png;base64,` + long + `A"]`, `["data:image/png;base64,QUJD*"]`},
		{"padding in the middle", `["data:image/png;base64,` + long + `QQ==QUJD"]`, `["data:image/png;base64,QUJD*QUJD"]`},
		{"too much padding", `["data:image/png;base64,` + long + `Q==="]`, `["data:image/png;base64,QUJD*"]`},
		{"escapes in the data", `["data:image/png;base64,\u0041\u002bA\u002FQQ\u003D="]`, `["data:image/png;base64,A+A/"]`},
		{"a foreign character in an escape", `["data:image/png;base64,` + long + `\u00e4AAA"]`, `["data:image/png;base64,QUJD*\u00e4AAA"]`},
		{"an escape cut short", `["data:image/png;base64,` + long + `\u00"]`, `["data:image/png;base64,QUJD*\u00"]`},
		{"escaped quote in the data", `["data:image/png;base64,QUJD\"QUJD",1]`, `["data:image/png;base64,QUJD*\"QUJD",1]`},
		{"a text that begins like one", `["data:a/b;base64,\"hi\" she says"]`, `["data:a/b;base64,*\"hi\" she says"]`},
		{"backslashes", `["data:a/b;base64,QUJDQ\\",1]`, `["data:a/b;base64,QUJD*\\",1]`},
		{"an illegal escape", `["data:a/b;base64,QUJDQ\q",1]`, `["data:a/b;base64,QUJD*\q",1]`},
		{"a raw newline", "[\"data:a/b;base64,QUJDQ\n\"]", "[\"data:a/b;base64,QUJD*\n\"]"},
		{"a byte that isn't UTF-8", "[\"data:a/b;base64,QUJDQ\xff\"]", "[\"data:a/b;base64,QUJD*\xff\"]"},
		{"the scheme in upper case", `["DATA:image/png;base64,` + long + `"]`, `["DATA:image/png;base64,QUJD"]`},
		{"names", `{"data:a/b;base64,QUJDQUJD":["data:a/b;base64,QUJDQUJD"],"data:a/b;base64,QUJDQUJE":0}`,
			`{"data:a/b;base64,QUJDQUJD":["data:a/b;base64,QUJD"],"data:a/b;base64,QUJDQUJE":0}`},
		{"in a list behind an object", `[{"a":1},"data:a/b;base64,QUJDQUJD"]`, `[{"a":1},"data:a/b;base64,QUJD"]`},
		{"not at the beginning", `["xdata:image/png;base64,` + long + `"]`, `["xdata:image/png;base64,` + long + `"]`},
		{"cut", `["data:image/png;base64,QUJDQUJD`, `["data:image/png;base64,QUJD`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, piece := range []int{1, 7, 1 << 20} {
				if got := condense(test.text, piece); got != test.want {
					t.Errorf("in pieces of %d: %.200s\nwant %s", piece, got, test.want)
				}
			}
		})
	}
}

// The condensed text is valid if and only if the original is.
func FuzzCondense(f *testing.F) {
	for _, data := range []string{
		"", "QUJD", "QUJDQQ==", "QQ=", "=", `QUJD\/`, `QU"JD`, `Q\"`, "\x00", "QUJD\n", `QUJD\u002B\u003D`, `\"hi\" she says`, `\\`, `\q`, "\xff",
		`\u00"`, `\ud800`, `","image_url":"`, `":1,"data:a/b;base64,QUJDQUJD`, `*;base64,QUJDQUJD`,
	} {
		f.Add(data, 3)
	}
	f.Fuzz(func(t *testing.T, data string, piece int) {
		if piece <= 0 {
			return
		}
		for _, format := range []string{
			`{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"data:image/png;base64,%s"}`,
			`{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png","mood":"data:a/b;base64,%s"}`,
			`{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png","data:a/b;base64,%s":1,"data:a/b;base64,QUJDQUJD":1}`,
		} {
			text := fmt.Sprintf(format, data)
			_, whole := CheckSubmission([]byte(text))
			_, short := CheckSubmission([]byte(condense(text, piece)))
			if (whole == nil) != (short == nil) {
				t.Errorf("%s: %v, but condensed %v", text, whole, short)
			}
		}
	})
}

// Text over the limit isn't kept at all.
func TestCondenseOverflow(t *testing.T) {
	var c condenser
	_, _ = c.Write([]byte(`{"prompt":"`))
	for range 30 {
		_, _ = c.Write(bytes.Repeat([]byte("words "), 100_000))
	}
	_, _ = c.Write([]byte(`,"image_url":"data:image/png;base64,AAAA"}`))
	if !c.overflow || c.text.Cap() > 0 {
		t.Errorf("overflow %t, %d bytes are kept", c.overflow, c.text.Cap())
	}
}
