package conformance

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
)

// A watchedBody has a body checked once all of it has passed.
type watchedBody struct {
	io.ReadCloser

	length int64 // 0 or less where it isn't known
	check  func(*condenser)
	broken func(*condenser) // called instead where the body breaks off; may be nil

	mu   sync.Mutex
	seen condenser
	done bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if then := b.look(p[:n], err); then != nil {
		then(&b.seen)
	}
	return n, err
}

// look sees what was read and returns what is to be done about it.
func (b *watchedBody) look(p []byte, err error) (then func(*condenser)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done {
		return nil
	}
	_, _ = b.seen.Write(p)
	switch {
	case b.length > 0 && b.seen.size >= b.length, b.length <= 0 && errors.Is(err, io.EOF):
		then = b.check
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		then = b.broken
	default:
		return nil
	}
	b.done = true
	return then
}

// Close has the body checked also where the caller has read no further than to the end of the JSON value.
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
