package suite

import (
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mediaPattern finds the type of a media property in its description.
var mediaPattern = regexp.MustCompile(`\b(video|image|audio)/\*`)

// mediaType returns video, image or audio for a media property, or "" if its spec doesn't say.
func mediaType(s *openapi3.Schema) string {
	if kind, ok := s.Extensions["x-media"].(string); ok {
		return kind
	}
	if match := mediaPattern.FindStringSubmatch(s.Description); match != nil {
		return match[1]
	}
	return ""
}

// mediaData are data URIs of each type that must be accepted, by subtype. The first is the smallest.
var mediaData = map[string][][2]string{
	"image": {
		{"png", "iVBORw0KGgoAAAAN"}, {"jpeg", "/9j/4AAQSkZJRgAB"}, {"webp", "UklGRhoAAABXRUJQVlA4"}, {"gif", "R0lGODlhAQABAAAA"},
		{"avif", "AAAAHGZ0eXBhdmlmAAAA"},
	},
	"video": {
		{"mp4", "AAAAIGZ0eXBpc29t"}, {"quicktime", "AAAAFGZ0eXBxdCAgAAAA"}, {"webm", "GkXfo59ChoEBQveB"}, {"x-matroska", "GkXfo6NChoEBQveB"},
	},
	"audio": {{"mpeg", "SUQzBAAAAAAAI1RT"}, {"wav", "UklGRiQAAABXQVZF"}},
}

// dataURI returns a small data URI for a media property.
func dataURI(s *openapi3.Schema) string {
	kind := mediaType(s)
	if mediaData[kind] == nil {
		kind = "image"
	}
	return "data:" + kind + "/" + mediaData[kind][0][0] + ";base64," + mediaData[kind][0][1]
}

// uris returns values of a media property. The schema asks for a URI (RFC 3986). Whether a URI of another scheme or a data
// URI of another type is accepted is open: only the text asks for https, and for base64 data URIs of the property's type.
func uris(s *openapi3.Schema) (list []value) {
	add := func(accepted, open bool, name, uri, why string) {
		list = append(list, value{name: name, json: text(uri), group: groupMedia, accepted: accepted, open: open, why: why})
	}
	for _, t := range []struct{ name, text, why string }{
		{"https", "https://media.example.com/a/b.mp4", "it is a URL"},
		{"host-only", "https://example.com", "it is a URL"},
		{"port", "https://media.example.com:8443/a.mp4", "a URL may have a port"},
		{"query", "https://media.example.com/a.mp4?sig=a%2Fb%3D&exp=1", "a URL may be signed"},
		{"query-with-plus", "https://media.example.com/a.mp4?X-Sig=a+b%2Bc~_-.&Expires=1", "a URL may be signed"},
		{"path-with-plus", "https://media.example.com/a+b%2Bc.mp4", "+ may be in a path, escaped or not"},
		{"fragment", "https://media.example.com/a.mp4#t=10", "a URL may have a fragment"},
		{"escaped", "https://media.example.com/a%20b/%E9%9B%A8.mp4", "a URL may have escapes"},
		{"ipv4", "https://192.0.2.7/a.mp4", "a host may be an address"},
		{"ipv6", "https://[2001:db8::7]/a.mp4", "a host may be an address"},
		{"punycode", "https://xn--fsq.example.com/a.mp4", "it is a URL"},
		{"without-extension", "https://media.example.com/files/4711", "the file name carries no meaning"},
		{"2000-characters", "https://media.example.com/" + strings.Repeat("a", 2000), "there is no maxLength"},
		{"3000-characters", "https://media.example.com/a.mp4?sig=" + strings.Repeat("aB3-_", 600), "there is no maxLength"},
	} {
		add(true, false, t.name, t.text, t.why)
	}
	add(true, true, "http", "http://media.example.com/a/b.mp4", "the text asks for an https URL")
	list = append(list, dataURIs(mediaType(s))...)
	for _, t := range []struct{ name, text, why string }{
		{"empty", "", "it isn't a URI"},
		{"one-space", " ", "it isn't a URI"},
		{"text", "a dancer", "it isn't a URI"},
		{"file-name", "hero.png", "it isn't a URI"},
		{"path", "/tmp/hero.png", "it isn't a URI"},
		{"relative-path", "../hero.png", "it isn't a URI"},
		{"windows-path", `C:\hero.png`, "a URI has no backslash"},
		{"no-scheme", "example.com/hero.png", "a URI has a scheme"},
		{"scheme-left-out", "//example.com/hero.png", "a URI has a scheme"},
		{"space-in-host", "https://exa mple.com/hero.png", "a URI has no space"},
		{"rubbish-port", "https://example.com:port/hero.png", "a port is a number"},
		{"open-bracket", "https://[2001:db8::7/hero.png", "the bracket isn't closed"},
		{"rubbish-escape", "https://example.com/%zz.png", "an escape has two digits"},
		{"line-break", "https://example.com/hero.png\n", "a URI has no line break"},
		{"bare-base64", "iVBORw0KGgoAAAAN", "a URI has a scheme"},
		{"data-in-lines", "data:image/png;base64,AAAA\nAAAA", "a URI has no line break"},
		{"data-with-a-space", "data:image/png;base64, AAAA", "a URI has no space"},
	} {
		add(false, false, t.name, t.text, t.why)
	}
	const scheme, host = "only the text asks for https or data", "only the https scheme requires a host"
	for _, t := range []struct{ name, text, why string }{
		{"no-host", "https://", host},
		{"no-host-but-path", "https:///hero.png", host},
		{"no-slashes", "https:hero.png", host},
		{"ftp", "ftp://example.com/hero.png", scheme},
		{"file", "file:///tmp/hero.png", scheme},
		{"javascript", "javascript:alert(1)", scheme},
		{"s3", "s3://bucket/hero.png", scheme},
		{"blob", "blob:https://example.com/4711", scheme},
	} {
		add(false, true, t.name, t.text, t.why)
	}
	return list
}

// dataURIs returns data URIs for a property of a media type.
func dataURIs(kind string) (list []value) {
	add := func(accepted, open bool, name, uri, why string) {
		list = append(list, value{name: name, json: text(uri), group: groupMedia, accepted: accepted, open: open, why: why})
	}
	for _, other := range []string{"image", "video", "audio"} {
		for _, d := range mediaData[other] {
			why := "it is a base64 data URI of the property's type"
			if other != kind {
				why = "the text asks for another type"
			}
			if other != "audio" || kind == "audio" {
				add(true, other != kind, "data-"+d[0], "data:"+other+"/"+d[0]+";base64,"+d[1], why)
			}
		}
	}
	if mediaData[kind] != nil {
		prefix := "data:" + kind + "/" + mediaData[kind][0][0] + ";base64,"
		for _, t := range []struct{ name, data, why string }{
			{"data-one-padding", "AAAAAAA=", "base64 is padded"},
			{"data-two-paddings", "AAAAAA==", "base64 is padded"},
			{"data-plus-and-slash", "+/+/", "+ and / are in the alphabet"},
			{"data-40000-characters", strings.Repeat("iVBORw0K", 5000), "there is no maxLength"},
		} {
			add(true, false, t.name, prefix+t.data, t.why)
		}
		for _, size := range []struct {
			name  string
			bytes int
		}{{"data-100-KiB", 100 << 10}, {"data-1.5-MiB", 3 << 19}, {"data-12-MiB", 12 << 20}} {
			add(true, false, size.name, prefix+largeMark, "there is no maxLength")
			list[len(list)-1].large = size.bytes
		}
	}
	const prose = "only the text asks for base64 data with a type"
	for _, t := range [][2]string{
		{"data-nothing", "data:"},
		{"data-without-data", "data:image/png;base64,"},
		{"data-without-comma", "data:image/png;base64"},
		{"data-without-type", "data:;base64,AAAA"},
		{"data-with-half-a-type", "data:image;base64,AAAA"},
		{"data-without-base64", "data:image/png,AAAA"},
		{"data-rubbish", "data:image/png;base64,AA*A"},
		{"data-cut", "data:image/png;base64,AAAAA"},
		{"data-padding-inside", "data:image/png;base64,AA==AAAA"},
		{"data-only-padding", "data:image/png;base64,===="},
		{"data-for-urls", "data:image/png;base64,-_-_"},
	} {
		add(false, true, t[0], t[1], prose)
	}
	return list
}

// isLargest reports whether a value is one of the larger ones, which one property of a model is enough for.
func isLargest(v value) bool { return v.large > 1<<20 }

// withoutLargest returns the values without the larger ones.
func withoutLargest(list []value) []value { return slices.DeleteFunc(list, isLargest) }
