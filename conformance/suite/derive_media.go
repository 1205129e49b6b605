package suite

import "strings"

// uris returns values of a media property, which is an http or https URL or a base64 data URI.
func uris() []value {
	var list []value
	for _, t := range []struct{ name, text, why string }{
		{"https", "https://media.example.com/a/b.mp4", "it is a URL"},
		{"http", "http://media.example.com/a/b.mp4", "it is a URL"},
		{"host-only", "https://example.com", "it is a URL"},
		{"port", "https://media.example.com:8443/a.mp4", "a URL may have a port"},
		{"query", "https://media.example.com/a.mp4?sig=a%2Fb%3D&exp=1", "a URL may be signed"},
		{"fragment", "https://media.example.com/a.mp4#t=10", "a URL may have a fragment"},
		{"escaped", "https://media.example.com/a%20b/%E9%9B%A8.mp4", "a URL may have escapes"},
		{"ipv4", "https://192.0.2.7/a.mp4", "a host may be an address"},
		{"ipv6", "https://[2001:db8::7]/a.mp4", "a host may be an address"},
		{"punycode", "https://xn--fsq.example.com/a.mp4", "it is a URL"},
		{"without-extension", "https://media.example.com/files/4711", "the file name carries no meaning"},
		{"2000-characters", "https://media.example.com/" + strings.Repeat("a", 2000), "there is no maxLength"},
		{"data-png", "data:image/png;base64,iVBORw0KGgoAAAAN", "it is a base64 data URI"},
		{"data-jpeg", "data:image/jpeg;base64,/9j/4AAQSkZJRgAB", "it is a base64 data URI"},
		{"data-mp4", "data:video/mp4;base64,AAAAIGZ0eXBpc29t", "it is a base64 data URI"},
		{"data-one-padding", "data:image/png;base64,AAAAAAA=", "base64 is padded"},
		{"data-two-paddings", "data:image/png;base64,AAAAAA==", "base64 is padded"},
		{"data-plus-and-slash", "data:image/png;base64,+/+/", "+ and / are in the alphabet"},
		{"data-40000-characters", "data:image/png;base64," + strings.Repeat("iVBORw0K", 5000), "there is no maxLength"},
	} {
		list = append(list, value{t.name, text(t.text), groupMedia, true, t.why, nil})
	}
	for _, t := range []struct{ name, text, why string }{
		{"empty", "", "it isn't a URL"},
		{"one-space", " ", "it isn't a URL"},
		{"text", "a dancer", "it isn't a URL"},
		{"file-name", "hero.png", "it isn't a URL"},
		{"path", "/tmp/hero.png", "it isn't a URL"},
		{"relative-path", "../hero.png", "it isn't a URL"},
		{"windows-path", `C:\hero.png`, "it isn't a web URL"},
		{"no-scheme", "example.com/hero.png", "a URL has a scheme"},
		{"scheme-left-out", "//example.com/hero.png", "a URL has a scheme"},
		{"no-host", "https://", "a URL has a host"},
		{"no-host-but-path", "https:///hero.png", "a URL has a host"},
		{"no-slashes", "https:hero.png", "a URL has a host"},
		{"space-in-host", "https://exa mple.com/hero.png", "it isn't a URL"},
		{"rubbish-port", "https://example.com:port/hero.png", "a port is a number"},
		{"open-bracket", "https://[2001:db8::7/hero.png", "it isn't a URL"},
		{"rubbish-escape", "https://example.com/%zz.png", "it isn't a URL"},
		{"line-break", "https://example.com/hero.png\n", "it isn't a URL"},
		{"ftp", "ftp://example.com/hero.png", "the scheme isn't http, https or data"},
		{"file", "file:///tmp/hero.png", "the scheme isn't http, https or data"},
		{"javascript", "javascript:alert(1)", "the scheme isn't http, https or data"},
		{"s3", "s3://bucket/hero.png", "the scheme isn't http, https or data"},
		{"blob", "blob:https://example.com/4711", "the scheme isn't http, https or data"},
		{"bare-base64", "iVBORw0KGgoAAAAN", "a data URI has a media type"},
		{"data-nothing", "data:", "a data URI has a type and data"},
		{"data-without-data", "data:image/png;base64,", "a data URI has data"},
		{"data-without-comma", "data:image/png;base64", "a data URI has data"},
		{"data-without-type", "data:;base64,AAAA", "a data URI has a media type"},
		{"data-with-half-a-type", "data:image;base64,AAAA", "a type has two parts"},
		{"data-without-base64", "data:image/png,AAAA", "a data URI is in base64"},
		{"data-rubbish", "data:image/png;base64,AA*A", "* isn't in the alphabet"},
		{"data-cut", "data:image/png;base64,AAAAA", "base64 comes in groups of four"},
		{"data-padding-inside", "data:image/png;base64,AA==AAAA", "padding is only at the end"},
		{"data-only-padding", "data:image/png;base64,====", "padding isn't data"},
		{"data-for-urls", "data:image/png;base64,-_-_", "data URIs use the standard alphabet, not the URL one"},
		{"data-in-lines", "data:image/png;base64,AAAA\nAAAA", "base64 in a data URI has no line breaks"},
		{"data-with-a-space", "data:image/png;base64, AAAA", "base64 has no spaces"},
	} {
		list = append(list, value{t.name, text(t.text), groupMedia, false, t.why, nil})
	}
	return list
}
