package api

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/aimlvideo/wan-go/gen/animatemove"
)

// generated is the path below which the packages of the models are.
var generated = path.Dir(reflect.TypeFor[animatemove.Request]().PkgPath()) + "/"

// checkRequest checks required properties and enums of generated requests. Bounds are left to
// the server, which charges nothing for a request that it rejects. Other types are sent as they are.
func checkRequest(request any) error {
	v := reflect.Indirect(reflect.ValueOf(request))
	if v.Kind() != reflect.Struct || !strings.HasPrefix(v.Type().PkgPath(), generated) {
		return nil
	}
	for i := range v.NumField() {
		tag, tagged := v.Type().Field(i).Tag.Lookup("json")
		if !tagged || tag == "-" || !v.Type().Field(i).IsExported() {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		field := v.Field(i)
		if field.IsZero() {
			// A number or a boolean may be meant as 0 or false.
			if options == "" && (field.Kind() == reflect.String || field.Kind() == reflect.Struct) {
				return &InputError{Property: name, Err: errors.New("it is required")}
			}
			continue
		}
		if enum, ok := reflect.TypeAssert[interface{ Valid() bool }](field); ok && !enum.Valid() {
			return &InputError{Property: name, Err: fmt.Errorf("%.40q is not a documented value", field.Interface())}
		}
	}
	return nil
}
