package wire

import (
	"cmp"
	"errors"
	"os"
	"strings"
)

// Key returns the API key from AIML_API_KEY or AIMLAPI_API_KEY, or "". The variables are those of the vendor's own
// client.
func Key() string { return cmp.Or(os.Getenv("AIML_API_KEY"), os.Getenv("AIMLAPI_API_KEY")) }

// BaseURL returns the base URL from AIML_API_BASE or AIMLAPI_API_BASE, or "".
func BaseURL() string { return cmp.Or(os.Getenv("AIML_API_BASE"), os.Getenv("AIMLAPI_API_BASE")) }

// CheckKey returns an API key without the white space around it. It returns an error if the key has characters that no
// key has; a line break would end the header.
func CheckKey(key string) (string, error) {
	key = strings.TrimSpace(key)
	if len(key) >= 2 && strings.ContainsAny(key[:1], `"'`+"`") && key[0] == key[len(key)-1] {
		return "", errors.New("it is in quotes; give the key without them")
	}
	for _, r := range key {
		if r <= ' ' || r >= 0x7f {
			return "", errors.New("it has a space, a line break or a character that isn't ASCII; copy it again")
		}
	}
	return key, nil
}
