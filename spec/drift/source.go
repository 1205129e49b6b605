package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec/wire"
)

const maxSize = 8 << 20 // the vendor's specs have some kilobytes

var client = &http.Client{Timeout: 30 * time.Second}

var errNoSpec = errors.New("no OpenAPI spec in it: pass the page in its Markdown form (the page's URL with .md appended), " +
	"the vendor's OpenAPI JSON, or use --live")

// liveURLs returns where the API serves the current spec of each model.
func (c *contract) liveURLs(base string) ([]string, error) {
	u, err := wire.ParseBaseURL(base, true)
	if err != nil {
		return nil, fmt.Errorf("--base-url: %w", err)
	}
	var urls []string
	for _, d := range c.models {
		query := url.Values{"model": {d.Model}, "endpoint": {"internal/video-generations/submit"}}
		urls = append(urls, strings.TrimSuffix(u.String(), "/")+"/docs-json?"+query.Encode())
	}
	return urls, nil
}

// A source is an argument, or what a page links to.
type source struct {
	specs [][]byte
	// page is the text around the specs, if the source is a Markdown page.
	page string
}

// readSource reads an argument and the specs that it links to. It returns an error for each part that can't be read.
func readSource(ctx context.Context, name string, stdin io.Reader) (s source, problems []error) {
	data, err := read(ctx, name, stdin)
	if err != nil {
		return s, []error{err}
	}
	if isSpecBlock(data) {
		return source{specs: [][]byte{data}}, nil
	}
	var links []string
	s.specs, s.page, links = parsePage(data)
	if len(s.specs)+len(links) == 0 {
		return s, []error{errNoSpec}
	}
	for _, link := range links {
		target, err := resolve(name, link)
		if err == nil {
			data, err = read(ctx, target, nil)
		}
		if err == nil && !isSpec(data) {
			err = errors.New("it is not an OpenAPI spec")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("link to %s: %w", clean(link), err))
			continue
		}
		s.specs = append(s.specs, data)
	}
	return s, problems
}

// resolve returns the file or URL that a page's link leads to. For a page in a checkout of the vendor's repository, an
// absolute link leads to the file of that checkout, so that an old revision is compared as a whole.
func resolve(page, link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", errors.New("it is not a URL")
	}
	if isURL(page) {
		base, err := url.Parse(page)
		if err != nil {
			return "", err
		}
		target := base.ResolveReference(u).String()
		if !isURL(target) {
			return "", errors.New("it is neither http nor https")
		}
		return target, nil
	}
	directory := filepath.Dir(page)
	if !u.IsAbs() && !strings.HasPrefix(u.Path, "/") {
		return filepath.Join(directory, filepath.FromSlash(u.Path)), nil
	}
	steps := strings.Split(strings.TrimPrefix(u.Path, "/"), "/")
	for above, err := filepath.Abs(directory); err == nil; above = filepath.Dir(above) {
		for i := range steps {
			file := filepath.Join(above, filepath.Join(steps[i:]...))
			if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
				return file, nil
			}
		}
		if above == filepath.Dir(above) {
			break
		}
	}
	if !isURL(link) {
		return "", errors.New("no such file in the checkout, and not a URL")
	}
	return link, nil
}

// read returns the contents of a file or URL, or of standard input for "-".
func read(ctx context.Context, name string, stdin io.Reader) ([]byte, error) {
	if name == "-" && stdin != nil {
		return readAll(stdin)
	}
	if !isURL(name) {
		file, err := os.Open(name)
		if err != nil {
			return nil, errors.Unwrap(err) // without the name, which the caller adds
		}
		defer file.Close()
		return readAll(file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, errors.New("it is not a URL")
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server responded %s", response.Status)
	}
	return readAll(response.Body)
}

func isURL(name string) bool {
	scheme, _, ok := strings.Cut(name, "://")
	return ok && slices.Contains([]string{"http", "https"}, strings.ToLower(scheme))
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("it has more than %d MB", maxSize>>20)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff")), err
}
