package api

import (
	"encoding/json"
	"reflect"

	"github.com/aimlvideo/wan-go/spec/media"
)

// MarshalRequest encodes a request for a queue or a file. Unlike json.Marshal, it keeps the path of a local file instead
// of its content, so a worker needs access to the file. "wan -f" reads the result too. It returns an [*InputError] if the
// request has a [Bytes], a [Reader] or a [Stream].
func MarshalRequest(request any) ([]byte, error) {
	return encode(request, func(source Source, _ string) (Source, error) {
		text, err := source.Text()
		return URL(text), err
	})
}

// UnmarshalRequest decodes the result of [MarshalRequest] into a pointer to a generated Request. Don't use it for a
// request of a stranger, who could name any file of this machine: use json.Unmarshal for those. It returns an
// [*InputError] if data isn't JSON of such a request, or has media that can't be used.
func UnmarshalRequest(data []byte, request any) error {
	if err := json.Unmarshal(data, request); err != nil {
		return &InputError{Err: err}
	}
	replaced, err := replaceSources(request, func(source Source, _ string) (Source, error) {
		text, err := source.Text()
		if err != nil {
			return source, err
		}
		return media.Parse(text)
	})
	if err != nil {
		return err
	}
	reflect.ValueOf(request).Elem().Set(replaced.Elem())
	return nil
}
