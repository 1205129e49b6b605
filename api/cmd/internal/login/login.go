// Package login knows where wan auth login keeps the API key, which wan-batch reads too.
package login

import (
	"os"
	"path/filepath"
	"strings"
)

// Path is the file that holds the key.
func Path() (string, error) {
	config, err := os.UserConfigDir()
	return filepath.Join(config, "wan", "key"), err
}

// Key is the saved key, or "".
func Key() string {
	path, err := Path()
	if err != nil {
		return ""
	}
	key, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(key))
}
