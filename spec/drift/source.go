package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

const maxSize = 8 << 20 // the vendor's documents have some kilobytes

var client = &http.Client{Timeout: 30 * time.Second}

// read fetches an argument.
func read(ctx context.Context, name string) ([]byte, error) {
	if !isURL(name) {
		file, err := os.Open(name)
		if err != nil {
			return nil, errors.Unwrap(err) // the name stands before it already
		}
		defer file.Close()
		return readAll(file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, errors.New("it isn't a URL")
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s", response.Status)
	}
	return readAll(response.Body)
}

// isURL tells a URL from a file's name. Its scheme may have capitals.
func isURL(name string) bool {
	scheme, _, ok := strings.Cut(name, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("it has more than %d MB", maxSize>>20)
	}
	return data, err
}
