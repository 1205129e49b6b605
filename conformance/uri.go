package conformance

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"

	"github.com/aimlvideo/wan-go/spec/media"
)

// checkURI validates the format "uri", which kin-openapi doesn't check. A regular expression would take most of a second
// for a data URI of 10 MB.
func checkURI(value string) error {
	if media.IsDataURI(value) {
		return checkDataURI(value[len("data:"):])
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("neither a URL nor a data URI")
	}
	return nil
}

func checkDataURI(rest string) error {
	mediaType, data, ok := strings.Cut(rest, base64Mark)
	if major, minor, _ := strings.Cut(mediaType, "/"); !ok || major == "" || minor == "" || data == "" {
		return errors.New("a data URI is data:TYPE/SUBTYPE;base64,DATA")
	}
	if strings.ContainsAny(data, "\r\n") { // the decoder skips them
		return errors.New("not base64")
	}
	// Decoding in pieces needs no copy of the data.
	var encoded [4 << 10]byte
	var plain [3 << 10]byte
	for len(data) > 0 {
		n := copy(encoded[:], data)
		data = data[n:]
		if n, err := base64.StdEncoding.Decode(plain[:], encoded[:n]); err != nil || len(data) > 0 && n < len(plain) {
			return errors.New("not base64")
		}
	}
	return nil
}
