package api

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
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

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
// or if a source can't be sent or has more than limit bytes; 0 means no limit.
func newBody(request any, limit int64) (*requestBody, error) {
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
		content, err := source.Inspect(limit)
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

// encode encodes a request as a JSON object in which replace has replaced each source that is set.
func encode(request any, replace func(source Source, property string) (Source, error)) ([]byte, error) {
	w := walker{replace: replace}
	replaced, err := w.walk(reflect.ValueOf(request), "")
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
	return encoded, nil
}

func (b *requestBody) add(text []byte) {
	b.parts = append(b.parts, text)
	b.size += int64(len(text))
}

// open returns the body from its beginning, for one attempt. Reading fails if a file has changed its size.
func (b *requestBody) open() io.ReadCloser { return &bodyReader{parts: b.parts} }

// spent reports whether the body can't be opened again, since a stream in it was read.
func (b *requestBody) spent() bool {
	return slices.ContainsFunc(b.parts, func(part any) bool {
		content, ok := part.(*media.Content)
		return ok && content.Spent()
	})
}

type bodyReader struct {
	closed atomic.Bool // net/http may close a body during a read, which may block

	mu      sync.Mutex
	parts   []any
	current io.Reader
	closer  io.Closer
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer func() {
		r.mu.Unlock()
		if r.closed.Load() { // during the read
			_ = r.Close()
		}
	}()
	if r.closed.Load() { // io.EOF would look like the end
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
	case *media.Content:
		f, err := part.Open()
		if err != nil {
			return err
		}
		r.current, r.closer = newBase64Reader(f), f
	}
	r.parts = r.parts[1:]
	return nil
}

func (r *bodyReader) Close() error {
	r.closed.Store(true)
	if !r.mu.TryLock() {
		return nil // the pending read closes it
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

// A walker copies a request and replaces its sources.
type walker struct {
	replace func(source Source, property string) (Source, error)
	depth   int
}

var sourceType = reflect.TypeFor[Source]()

// maxDepth limits the nesting of a request, so that one that contains itself is an error.
const maxDepth = 1000

// walk returns v, or a copy of it if it can contain sources. property is the name of the nearest object member.
func (w *walker) walk(v reflect.Value, property string) (reflect.Value, error) {
	if !v.IsValid() {
		return v, &InputError{Err: errors.New("the request is nil")}
	}
	if w.depth++; w.depth > maxDepth {
		return v, &InputError{property, errors.New("nested too deep")}
	}
	defer func() { w.depth-- }()
	if v.Type() == sourceType {
		return w.source(v, property)
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() || v.Kind() == reflect.Pointer && isScalar(v.Type().Elem()) {
			return v, nil
		}
		elem, err := w.walk(v.Elem(), property)
		if err != nil || v.Kind() == reflect.Interface {
			return elem, err
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(elem)
		return fresh, nil
	case reflect.Struct:
		fresh := reflect.New(v.Type()).Elem()
		fresh.Set(v)
		return fresh, w.fields(fresh)
	case reflect.Slice, reflect.Array:
		return w.list(v, property)
	case reflect.Map:
		if v.IsNil() {
			return v, nil
		}
		fresh := reflect.MakeMapWithSize(v.Type(), v.Len())
		for _, key := range v.MapKeys() {
			elem, err := w.element(v.MapIndex(key), key.String())
			if err != nil {
				return v, err
			}
			fresh.SetMapIndex(key, elem)
		}
		return fresh, nil
	}
	return v, nil
}

func (w *walker) list(v reflect.Value, property string) (reflect.Value, error) {
	if v.Kind() == reflect.Slice && v.IsNil() || v.Type().Elem().Kind() == reflect.Uint8 {
		return v, nil
	}
	fresh := reflect.New(v.Type()).Elem()
	if v.Kind() == reflect.Slice {
		fresh.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
	}
	for i := range v.Len() {
		elem, err := w.element(v.Index(i), property)
		if err != nil {
			return v, err
		}
		fresh.Index(i).Set(elem)
	}
	return fresh, nil
}

// fields replaces the fields of a struct in place. Fields of embedded structs are members too, as in encoding/json.
func (w *walker) fields(v reflect.Value) error {
	for _, field := range membersOf(v.Type()) {
		if field.name == "" {
			if err := w.fields(v.Field(field.index)); err != nil {
				return err
			}
			continue
		}
		old := v.Field(field.index)
		elem, err := w.walk(old, field.name)
		if err != nil {
			return err
		}
		old.Set(elem)
	}
	return nil
}

// A member is a field of a struct that may contain a source. One of an embedded struct that isn't exported has no name.
type member struct {
	index int
	name  string
}

var members sync.Map // of []member, by reflect.Type

func membersOf(t reflect.Type) []member {
	if found, ok := members.Load(t); ok {
		return found.([]member)
	}
	var list []member
	for i := range t.NumField() {
		field := t.Field(i)
		tag := field.Tag.Get("json")
		switch {
		case tag == "-" || isScalar(field.Type) || field.Type.Kind() == reflect.Pointer && isScalar(field.Type.Elem()):
		case field.Anonymous && !field.IsExported() && field.Type.Kind() == reflect.Struct:
			list = append(list, member{index: i})
		case field.IsExported():
			name, _, _ := strings.Cut(tag, ",")
			list = append(list, member{i, cmp.Or(name, field.Name)})
		}
	}
	members.Store(t, list)
	return list
}

// isScalar reports whether values of a type contain no others.
func isScalar(t reflect.Type) bool {
	return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String
}

// element walks an element of a map or a list. A source there must be set.
func (w *walker) element(v reflect.Value, property string) (reflect.Value, error) {
	elem, err := w.walk(v, property)
	if err == nil && elem.Type() == sourceType && elem.IsZero() {
		err = &InputError{property, errors.New("empty")}
	}
	return elem, err
}

func (w *walker) source(v reflect.Value, property string) (reflect.Value, error) {
	var source Source
	if v.CanAddr() { // without a copy on the heap
		source = *v.Addr().Interface().(*Source)
	} else {
		source = v.Interface().(Source)
	}
	if source.IsZero() {
		return v, nil
	}
	replaced, err := w.replace(source, property)
	if err != nil {
		return v, &InputError{property, err}
	}
	if !source.IsLocal() && !replaced.IsLocal() && replaced == source { // readers may not be comparable
		return v, nil
	}
	return reflect.ValueOf(replaced), nil
}
