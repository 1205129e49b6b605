package api

import (
	"encoding/json"
	"errors"
	"reflect"

	"github.com/aimlvideo/wan-go/spec/validate"
)

// A ValidationError lists everything in a request that violates its spec. The [*InputError] of [Client.Submit] wraps it.
type ValidationError = validate.Error

// checkRequest validates a generated request. Other types need a model and are sent as they are.
func checkRequest(request any) error {
	v, ok := request.(interface{ Validate() error })
	if value := reflect.ValueOf(request); !ok || value.Kind() == reflect.Pointer && value.IsNil() {
		return checkModel(request)
	}
	err := v.Validate()
	if invalid, ok := errors.AsType[*ValidationError](err); ok {
		return &InputError{Property: invalid.Findings[0].Property, Err: invalid}
	}
	return err
}

func checkModel(request any) error {
	encoded, err := encode(request, func(Source, string) (Source, error) { return URL("media"), nil })
	var given struct{ Model any }
	_ = json.Unmarshal(encoded, &given)
	hasModel := given.Model != nil && given.Model != ""
	return check(hasModel || err != nil, "model", "it is empty") // newBody returns err, with those about the media
}
