package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// checkQuery validates the parameters of a query against the operation's spec. Unknown ones are allowed.
func checkQuery(operation *openapi3.Operation, values url.Values) error {
	for _, ref := range operation.Parameters {
		name, schema := ref.Value.Name, ref.Value.Schema.Value
		texts, item := values[name], schema
		if schema.Type.Is(openapi3.TypeArray) {
			item = schema.Items.Value
		} else if len(texts) > 1 {
			texts = texts[:1]
		}
		elements := make([]any, len(texts))
		for i, text := range texts {
			elements[i] = text
			if n, err := strconv.Atoi(text); err == nil && item.Type.Is(openapi3.TypeInteger) {
				elements[i] = float64(n)
			}
			if item.VisitJSON(elements[i], openapi3.EnableFormatValidation()) != nil {
				expected := spec.Describe(item)
				if item.Pattern != "" {
					expected = fmt.Sprint("a string such as ", ref.Value.Example)
				}
				return fmt.Errorf("%s: expected %s", name, expected)
			}
		}
		if item != schema && schema.VisitJSON(elements) != nil {
			return fmt.Errorf("%s: expected %s", name, spec.Describe(schema))
		}
	}
	return nil
}

// checkKnown is checkQuery without unknown parameters.
func checkKnown(operation *openapi3.Operation, values url.Values) error {
	for name := range values {
		if operation.Parameters.GetByInAndName("query", name) == nil {
			return fmt.Errorf("unknown parameter %.100q", name)
		}
	}
	return checkQuery(operation, values)
}

// checkRequest validates a query and a JSON body against the operation's spec.
func checkRequest(operation *openapi3.Operation, values url.Values, body []byte) error {
	if err := checkKnown(operation, values); err != nil || operation.RequestBody == nil {
		return err
	}
	return checkJSON(operation.RequestBody.Value.Content["application/json"].Schema.Value, body)
}

func checkJSON(schema *openapi3.Schema, text []byte) error {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return fmt.Errorf("invalid JSON: %w", err)
	}
	err := schema.VisitJSON(value)
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok { // its text has the whole schema
		return fmt.Errorf("/%s: %s", strings.Join(e.JSONPointer(), "/"), e.Reason)
	}
	return err
}

// integer returns a parameter that was validated, or the default.
func integer(values url.Values, name string, absent int) int {
	if n, err := strconv.Atoi(values.Get(name)); err == nil {
		return n
	}
	return absent
}

// parseTime parses an ISO 8601 time. Without an offset it is UTC.
func parseTime(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err = time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return t, errors.New("expected an ISO 8601 time")
}

// accountOperation returns an operation of the account by its path.
func accountOperation(path string) *openapi3.Operation {
	all := spec.Account()
	return all[slices.IndexFunc(all, func(d *spec.Document) bool { return d.Path == path })].Operation
}
