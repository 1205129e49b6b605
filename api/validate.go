package api

import (
	"errors"
	"reflect"

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
		return &InputError{Property: invalid.Findings[0].Property, Err: invalid}
	}
	return err
}
