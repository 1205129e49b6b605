package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode decodes exactly one JSON value with json.Number. It rejects what encoding/json accepts: trailing data, duplicate
// member names and invalid UTF-8.
func decode(body []byte) (any, []Finding) {
	if !utf8.Valid(body) {
		return nil, []Finding{violation("", "json", "UTF-8", "other bytes")}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	value, err := decodeValue(d, body, nil)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return value, nil
		}
		return nil, []Finding{violation("", "json", "one JSON value", fmt.Sprintf("more after it, at byte %d", d.InputOffset()))}
	}
	if duplicate, ok := errors.AsType[*duplicateError](err); ok {
		return nil, []Finding{violation(pointer(duplicate.path), "json", "the member once", "a duplicate")}
	}
	what := fmt.Sprintf("something else at byte %d", d.InputOffset())
	if len(bytes.TrimSpace(body)) == 0 {
		what = "nothing"
	}
	return nil, []Finding{violation("", "json", "well-formed JSON", what)}
}

// A duplicateError reports two members of one name.
type duplicateError struct{ path []string }

func (e *duplicateError) Error() string { return "duplicate member" }

// maxDepth is encoding/json's own limit.
const maxDepth = 10000

func decodeValue(d *json.Decoder, body []byte, path []string) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	depth := len(path)
	if depth > maxDepth {
		return nil, errors.New("nested too deep")
	}
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for d.More() {
			start := d.InputOffset()
			token, err := d.Token()
			if err != nil {
				return nil, err
			}
			name := token.(string)
			if strings.ContainsRune(name, utf8.RuneError) { // all lone surrogates decode to it
				name = strings.TrimLeft(string(body[start:d.InputOffset()]), ", \t\r\n")
			}
			path = append(path[:depth], name)
			if _, ok := object[name]; ok {
				return nil, &duplicateError{path}
			}
			if object[name], err = decodeValue(d, body, path); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return object, err
	case json.Delim('['):
		array := []any{}
		for d.More() {
			element, err := decodeValue(d, body, append(path, strconv.Itoa(len(array))))
			if err != nil {
				return nil, err
			}
			array = append(array, element)
		}
		_, err := d.Token()
		return array, err
	}
	return token, nil
}
