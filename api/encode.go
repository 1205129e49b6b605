package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// encode encodes a request as a JSON object in which replace has replaced each source that is set.
func encode(request any, replace func(source Source, property string) (Source, error)) ([]byte, error) {
	replaced, err := replaceSources(request, replace)
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

// replaceSources returns a copy of a request with other sources. Its error has all that is wrong with them.
func replaceSources(request any, replace func(source Source, property string) (Source, error)) (reflect.Value, error) {
	w := walker{replace: replace}
	replaced, err := w.walk(reflect.ValueOf(request), "")
	if err != nil || len(w.wrong) == 0 {
		return replaced, err
	}
	slices.SortStableFunc(w.wrong, func(a, b *InputError) int { return cmp.Compare(a.Property, b.Property) })
	first := w.wrong[0]
	for _, other := range w.wrong[1:] {
		first.Err = fmt.Errorf("%w; %s: %w", first.Err, other.Property, other.Err)
	}
	return replaced, first
}

// A walker copies a request and replaces its sources.
type walker struct {
	replace func(source Source, property string) (Source, error)
	wrong   []*InputError // about sources
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
		return w.source(v, property), nil
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
		w.wrong = append(w.wrong, &InputError{property, errors.New("empty")})
	}
	return elem, err
}

func (w *walker) source(v reflect.Value, property string) reflect.Value {
	var source Source
	if v.CanAddr() { // without a copy on the heap
		source = *v.Addr().Interface().(*Source)
	} else {
		source = v.Interface().(Source)
	}
	if source.IsZero() {
		return v
	}
	replaced, err := w.replace(source, property)
	if err != nil {
		w.wrong = append(w.wrong, &InputError{property, err})
		return v
	}
	return reflect.ValueOf(replaced)
}
