package api

import (
	"errors"
	"reflect"
	"strings"

	"github.com/aimlvideo/wan-go/spec/validate"
)

// A ValidationError lists everything in a request that violates its spec. The [*InputError] of [Client.Submit] wraps it.
type ValidationError = validate.Error

// checkRequest validates a generated request. Other types are sent as they are.
func checkRequest(request any) error {
	v, ok := request.(interface{ Validate() error })
	if value := reflect.ValueOf(request); !ok || value.Kind() == reflect.Pointer && value.IsNil() {
		return nil
	}
	err := v.Validate()
	if invalid, ok := errors.AsType[*ValidationError](err); ok {
		return &InputError{Property: invalid.Findings[0].Property, Err: &requestError{invalid}}
	}
	return err
}

// A requestError is a ValidationError whose text doesn't repeat the first property, which the InputError names.
type requestError struct{ *ValidationError }

func (e *requestError) Error() string {
	first := e.Findings[0]
	texts := []string{strings.TrimPrefix(first.String(), first.Property+" ")}
	for _, f := range e.Findings[1:] {
		texts = append(texts, f.String())
	}
	return strings.Join(texts, "; ")
}

func (e *requestError) Unwrap() error { return e.ValidationError }
