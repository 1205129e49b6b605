package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"

	"github.com/aimlvideo/wan-go/spec/media"
)

// A requestBody is a request as JSON. Its local sources are encoded while it is read, in constant memory. It is immutable
// and safe for concurrent use.
type requestBody struct {
	parts []any // []byte and *media.Content
	size  int64
}

// newBody encodes a request, which is anything that encoding/json encodes as an object: a generated Request or a map. It
// inspects each local source, wherever it is in the request. It returns an [*InputError] if the request can't be encoded,
// or if a source can't be sent or has more than limit bytes; 0 means no limit. The error wraps that of ctx if it has ended.
func newBody(ctx context.Context, request any, limit int64) (*requestBody, error) {
	var mark string // of placeholders for local sources
	var found []*media.Content
	body := new(requestBody)
	encoded, err := encode(request, func(source Source, property string) (Source, error) {
		if !source.IsLocal() {
			text, err := source.Text()
			if err == nil {
				err = media.CheckURL(text)
			}
			return source, err
		}
		content, err := source.InspectContext(ctx, limit)
		if err == nil {
			err = content.CheckKind(property)
		}
		if err != nil {
			return source, fmt.Errorf("%s: %w", source, err)
		}
		if mark == "" {
			mark = "media:" + rand.Text() + "-"
		}
		found = append(found, content)
		return URL(mark + strconv.Itoa(len(found)-1)), nil
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		body.add(encoded)
		return body, nil
	}
	for i, piece := range bytes.Split(encoded, []byte(mark)) {
		if i > 0 { // what follows a placeholder begins with its number and the closing quote
			number, _, _ := bytes.Cut(piece, []byte(`"`))
			n, err := strconv.Atoi(string(number))
			if err != nil || n >= len(found) {
				return nil, &InputError{Err: errors.New("the request doesn't encode its sources as they are")}
			}
			body.add([]byte(found[n].Prefix()))
			body.parts = append(body.parts, found[n])
			body.size += int64(base64.StdEncoding.EncodedLen(int(found[n].Size)))
			piece = piece[len(number):]
		}
		body.add(piece)
	}
	return body, nil
}

func (b *requestBody) add(text []byte) {
	b.parts = append(b.parts, text)
	b.size += int64(len(text))
}

// open returns the body from its beginning, for one attempt. Reading fails if a file has changed its size. observe is
// called after each read with the number of bytes, but not after Close.
func (b *requestBody) open(ctx context.Context, observe func(n int)) *bodyReader {
	return &bodyReader{ctx: ctx, parts: b.parts, observe: observe}
}

// spent reports whether the body can't be opened again, since a stream in it was read.
func (b *requestBody) spent() bool {
	return slices.ContainsFunc(b.parts, func(part any) bool {
		content, ok := part.(*media.Content)
		return ok && content.Spent()
	})
}

// A bodyReader may be closed during a read, which may block: the lock isn't held meanwhile.
type bodyReader struct {
	ctx     context.Context // of the attempt
	observe func(n int)

	mu      sync.Mutex
	parts   []any
	current io.Reader // the part that is being read
	file    io.Closer // below current
	started bool
	closed  bool
}

func (r *bodyReader) Read(p []byte) (int, error) {
	for {
		part, err := r.part()
		if err != nil {
			return 0, err
		}
		n, err := part.Read(p)
		if err = r.passed(n, err); n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// part returns what is to be read next.
func (r *bodyReader) part() (io.Reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = true
	switch {
	case r.closed: // io.EOF would look like the end
		return nil, os.ErrClosed
	case r.current != nil:
		return r.current, nil
	case len(r.parts) == 0:
		return nil, io.EOF
	}
	switch part := r.parts[0].(type) {
	case []byte:
		r.current = bytes.NewReader(part)
	case *media.Content:
		f, err := part.Open(r.ctx)
		if err != nil {
			return nil, err
		}
		r.current, r.file = newBase64Reader(f), f
	}
	r.parts = r.parts[1:]
	return r.current, nil
}

// passed takes the result of a read.
func (r *bodyReader) passed(n int, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n > 0 && !r.closed {
		r.observe(n)
	}
	if errors.Is(err, io.EOF) {
		return r.closePart()
	}
	return err
}

func (r *bodyReader) closePart() (err error) {
	if r.file != nil {
		err = r.file.Close()
	}
	r.current, r.file = nil, nil
	return err
}

func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return r.closePart()
}

// wasRead reports whether a read has begun.
func (r *bodyReader) wasRead() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.started
}

// A base64Reader encodes what it reads.
type base64Reader struct {
	r       io.Reader
	plain   []byte
	encoded []byte // space for all of plain
	ready   []byte // the part of encoded that hasn't been read
	err     error
}

// plainLen is a multiple of 3, so that only the last block is padded.
const plainLen = 24 << 10

func newBase64Reader(r io.Reader) *base64Reader {
	return &base64Reader{r: r, plain: make([]byte, plainLen), encoded: make([]byte, plainLen/3*4)}
}

func (e *base64Reader) Read(p []byte) (int, error) {
	if len(e.ready) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		var n int
		n, e.err = io.ReadFull(e.r, e.plain)
		if errors.Is(e.err, io.ErrUnexpectedEOF) {
			e.err = io.EOF
		}
		e.ready = e.encoded[:base64.StdEncoding.EncodedLen(n)]
		base64.StdEncoding.Encode(e.ready, e.plain[:n])
		if n == 0 {
			return 0, e.err
		}
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}
