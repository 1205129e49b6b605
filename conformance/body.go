package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
)

// A watchedBody validates a body once all of it has been read.
type watchedBody struct {
	io.ReadCloser

	length int64 // 0 or less if unknown
	check  func(*condenser)
	broken func(*condenser) // called instead if the body ends early; may be nil

	mu   sync.Mutex
	seen condenser
	done bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if report := b.observe(p[:n], err); report != nil {
		report(&b.seen)
	}
	return n, err
}

// observe records the result of a read. It returns the function to call if the body is over.
func (b *watchedBody) observe(p []byte, err error) (report func(*condenser)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return nil
	}
	_, _ = b.seen.Write(p)
	switch {
	case b.length > 0 && b.seen.size >= b.length, b.length <= 0 && errors.Is(err, io.EOF):
		report = b.check
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		report = b.broken
	default:
		return nil
	}
	b.done = true
	return report
}

// Close validates the body if the caller has read at least to the end of the JSON value.
func (b *watchedBody) Close() error {
	b.mu.Lock()
	whole := !b.done && (b.ReadCloser == http.NoBody || !b.seen.overflow && json.Valid(b.seen.text.Bytes()))
	b.done = b.done || whole
	b.mu.Unlock()
	if whole {
		b.check(&b.seen)
	}
	return b.ReadCloser.Close()
}

// maxSpooled caps the part of a body that is held in memory. The rest goes to a temporary file.
const maxSpooled = 1 << 20

// spool reads all of a body, writes it to w as well, and returns a reader of the same bytes.
func spool(body io.Reader, w io.Writer) (io.ReadCloser, error) {
	var head bytes.Buffer
	if _, err := io.Copy(io.MultiWriter(&head, w), io.LimitReader(body, maxSpooled)); err != nil {
		return nil, err
	}
	if head.Len() < maxSpooled {
		return io.NopCloser(&head), nil
	}
	file, err := os.CreateTemp("", "conformance-body-*")
	if err != nil {
		return nil, err
	}
	spooled := &spooledBody{io.MultiReader(&head, file), file}
	if _, err = io.Copy(io.MultiWriter(file, w), body); err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = spooled.Close()
		return nil, err
	}
	return spooled, nil
}

// A spooledBody removes its file when it is closed.
type spooledBody struct {
	io.Reader

	file *os.File
}

func (b *spooledBody) Close() error {
	_ = b.file.Close()
	return os.Remove(b.file.Name())
}
