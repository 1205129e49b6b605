package conformance

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

const dataScheme = "data:"

// isDataURI tells by the scheme, which has no case (RFC 3986).
func isDataURI(text string) bool {
	return len(text) >= len(dataScheme) && strings.EqualFold(text[:len(dataScheme)], dataScheme)
}

// checkURI is the format "uri" as the documents mean it, which kin-openapi leaves unchecked. A regular expression would
// cost most of a second for a data URI of 10 MB.
func checkURI(value string) error {
	if isDataURI(value) {
		return checkDataURI(value[len(dataScheme):])
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
	if strings.ContainsAny(data, "\r\n") { // which the decoder passes over
		return errors.New("not base64")
	}
	// Decoding in pieces checks the alphabet and the padding without a copy of the data.
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
