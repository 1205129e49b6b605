package media

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A Body is a request as JSON whose local sources are encoded while it is read, in constant memory.
// It is immutable and safe for concurrent use.
type Body struct {
	parts []any // []byte and *content in turn
	size  int64
}

// NewBody makes the JSON of a request, which is anything that encoding/json encodes as an object: a generated Request
// or a map. It looks at each local source, wherever in the request it stands, and fails with an *InputError when one
// can't be sent or has more than limit bytes (0 is no limit), and when the request can't be encoded.
func NewBody(request any, limit int64) (*Body, error) {
	b := builder{mark: "media:" + rand.Text() + "-", limit: limit}
	replaced, err := b.replace(reflect.ValueOf(request), "")
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(replaced.Interface())
	if err != nil {
		return nil, &InputError{Err: fmt.Errorf("the request can't be encoded: %w", err)}
	}
	if !bytes.HasPrefix(encoded, []byte("{")) {
		return nil, &InputError{Err: errors.New("the request isn't a JSON object")}
	}
	body := new(Body)
	for i, piece := range bytes.Split(encoded, []byte(b.mark)) {
		if i > 0 { // what follows a placeholder begins with its number and the closing quote
			number, _, _ := bytes.Cut(piece, []byte(`"`))
			n, err := strconv.Atoi(string(number))
			if err != nil || n >= len(b.found) {
				return nil, &InputError{Err: errors.New("the request doesn't encode its sources as they are")}
			}
			body.add([]byte(b.found[n].prefix))
			body.parts = append(body.parts, b.found[n])
			body.size += b.found[n].encodedLen()
			piece = piece[len(number):]
		}
		body.add(piece)
	}
	return body, nil
}

func (b *Body) add(text []byte) {
	b.parts = append(b.parts, text)
	b.size += int64(len(text))
}

// Len is the exact number of bytes that the body has.
func (b *Body) Len() int64 { return b.size }

// Open returns the body from its beginning. It can be opened again, to send it once more, and needs to be closed.
// Reading fails when a file can no longer be read or no longer has the size that it had.
func (b *Body) Open() io.ReadCloser { return &bodyReader{parts: b.parts} }

type bodyReader struct {
	closed atomic.Bool // net/http may close a body while it reads it, and a read may take long

	mu      sync.Mutex
	parts   []any
	current io.Reader
	closer  io.Closer
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer func() {
		r.mu.Unlock()
		if r.closed.Load() { // meanwhile
			_ = r.Close()
		}
	}()
	if r.closed.Load() { // an EOF would pass for the end
		return 0, os.ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.current == nil {
			if len(r.parts) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.current.Read(p)
		if errors.Is(err, io.EOF) {
			err = r.closeCurrent()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (r *bodyReader) next() error {
	switch part := r.parts[0].(type) {
	case []byte:
		r.current = bytes.NewReader(part)
	case *content:
		f, err := part.open()
		if err != nil {
			return err
		}
		r.current, r.closer = newEncoder(f), f
	}
	r.parts = r.parts[1:]
	return nil
}

func (r *bodyReader) Close() error {
	r.closed.Store(true)
	if !r.mu.TryLock() {
		return nil // the read that is under way will close it
	}
	defer r.mu.Unlock()
	return r.closeCurrent()
}

func (r *bodyReader) closeCurrent() (err error) {
	if r.closer != nil {
		err = r.closer.Close()
	}
	r.current, r.closer = nil, nil
	return err
}

// encoder is base64.NewEncoder turned round: it is read from, not written to.
type encoder struct {
	r       io.Reader
	plain   []byte
	encoded []byte // space for all of plain
	ready   []byte // the part of encoded that hasn't been read
	err     error
}

// plainLen is a multiple of 3, so that only the last block is padded.
const plainLen = 24 << 10

func newEncoder(r io.Reader) *encoder {
	return &encoder{r: r, plain: make([]byte, plainLen), encoded: make([]byte, plainLen/3*4)}
}

func (e *encoder) Read(p []byte) (int, error) {
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

// builder copies a request and puts a placeholder for each local source.
type builder struct {
	mark  string
	limit int64
	found []*content
	depth int
}

var sourceType = reflect.TypeFor[Source]()

// maxDepth bounds how deep a request is nested, so that one that contains itself is an error.
const maxDepth = 1000

// replace returns v, or a copy of it where local sources have to be replaced. property is the name of the nearest
// object member.
func (b *builder) replace(v reflect.Value, property string) (reflect.Value, error) {
	if !v.IsValid() {
		return v, &InputError{Err: errors.New("the request is nil")}
	}
	if b.depth++; b.depth > maxDepth {
		return v, &InputError{property, errors.New("it is nested too deep")}
	}
	defer func() { b.depth-- }()
	if v.Type() == sourceType {
		return b.placeholder(v, property)
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v, nil
		}
		elem, err := b.replace(v.Elem(), property)
		if err != nil || v.Kind() == reflect.Interface {
			return elem, err
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(elem)
		return fresh, nil
	case reflect.Struct:
		fresh := reflect.New(v.Type()).Elem()
		fresh.Set(v)
		return fresh, b.fields(fresh)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
			return v, nil
		}
		fresh := reflect.New(v.Type()).Elem()
		if v.Kind() == reflect.Slice {
			fresh.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		}
		for i := range v.Len() {
			elem, err := b.element(v.Index(i), property)
			if err != nil {
				return v, err
			}
			fresh.Index(i).Set(elem)
		}
		return fresh, nil
	case reflect.Map:
		if v.IsNil() {
			return v, nil
		}
		fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, key := range v.MapKeys() {
			elem, err := b.element(v.MapIndex(key), key.String())
			if err != nil {
				return v, err
			}
			fresh.SetMapIndex(key, elem)
		}
		return fresh, nil
	}
	return v, nil
}

// fields replaces those of a struct in place. Those of embedded structs are members like its own, as encoding/json has it.
func (b *builder) fields(v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag := field.Tag.Get("json")
		switch {
		case tag == "-":
		case field.Anonymous && !field.IsExported() && field.Type.Kind() == reflect.Struct:
			if err := b.fields(v.Field(i)); err != nil {
				return err
			}
		case field.IsExported():
			name, _, _ := strings.Cut(tag, ",")
			elem, err := b.replace(v.Field(i), cmp.Or(name, field.Name))
			if err != nil {
				return err
			}
			v.Field(i).Set(elem)
		}
	}
	return nil
}

// element is replace for what a map or a list holds, where a source that isn't set has nothing to stand for.
func (b *builder) element(v reflect.Value, property string) (reflect.Value, error) {
	elem, err := b.replace(v, property)
	if err == nil && elem.Type() == sourceType && elem.IsZero() {
		err = &InputError{property, errors.New("it is empty")}
	}
	return elem, err
}

func (b *builder) placeholder(v reflect.Value, property string) (reflect.Value, error) {
	source := v.Interface().(Source)
	if !source.IsLocal() {
		return v, source.checkURL(property)
	}
	content, err := source.inspect(property, b.limit)
	if err != nil {
		return v, err
	}
	b.found = append(b.found, content)
	return reflect.ValueOf(URL(b.mark + strconv.Itoa(len(b.found)-1))), nil
}
