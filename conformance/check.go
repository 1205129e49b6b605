package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// A Submission is the body of a submission, decoded.
type Submission struct {
	// Document is the spec of the model; nil if the body names no known model.
	Document *spec.Document
	// Request holds the members of the body, numbers as json.Number.
	Request map[string]any
}

// CheckSubmission validates the body of a submission against the spec of the model that it names. It returns violations
// only: unknown members are allowed.
func CheckSubmission(body []byte) (Submission, []Finding) {
	submission, findings := checkSubmission(body)
	return submission, violations(findings)
}

func checkSubmission(body []byte) (Submission, []Finding) {
	value, findings := decode(body)
	if findings != nil {
		return Submission{}, findings
	}
	request, ok := value.(map[string]any)
	if !ok {
		return Submission{}, []Finding{violation("", "type", "an object", received(nil, value))}
	}
	id, _ := request["model"].(string)
	document, ok := spec.ByModel(id)
	if !ok {
		return Submission{nil, request}, []Finding{unknownModel(request)}
	}
	return Submission{document, request}, checkObject(document.Request(), request)
}

func unknownModel(object map[string]any) Finding {
	var ids []string
	for _, d := range spec.Models() {
		ids = append(ids, d.Model)
	}
	expected := "one of " + strings.Join(ids, ", ")
	value, ok := object["model"]
	if !ok {
		return violation("/model", "required", expected, "nothing")
	}
	return violation("/model", "enum", expected, received(spec.Models()[0].Request().Properties["model"].Value, value))
}

// CheckResponse validates a response against the spec's operation. Unknown members, unlisted status words and undeclared
// status codes are graded [Undocumented]. The body of an undeclared 2xx is validated as a success; that of another
// undeclared status code isn't validated.
func CheckResponse(document *spec.Document, status int, body []byte) []Finding {
	_, findings := checkBody(document, status, body)
	return append(checkStatus(document, status), findings...)
}

func checkStatus(document *spec.Document, status int) []Finding {
	if document.Operation.Responses.Status(status) != nil {
		return nil
	}
	return []Finding{{Grade: Undocumented, Rule: "status", Expected: "a documented status code", Received: fmt.Sprint(status)}}
}

// responseSchema returns the schema of a response body; nil if the spec has none.
func responseSchema(document *spec.Document, status int) *openapi3.Schema {
	response := document.Operation.Responses.Status(status)
	if response == nil && status >= 200 && status < 300 {
		if response = document.Operation.Responses.Status(http.StatusOK); response == nil {
			response = document.Operation.Responses.Status(http.StatusCreated)
		}
	}
	if response == nil {
		return nil
	}
	return response.Value.Content["application/json"].Schema.Value
}

// checkBody validates the body of a response and returns its members.
func checkBody(document *spec.Document, status int, body []byte) (map[string]any, []Finding) {
	schema := responseSchema(document, status)
	if schema == nil {
		return nil, nil
	}
	value, findings := decode(body)
	if findings != nil {
		return nil, findings
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, checkSchema(schema, value)
	}
	findings = checkObject(schema, members)
	for i, f := range findings {
		if word, _ := members["status"].(string); word != "" && f.Pointer == "/status" && f.Rule == "enum" {
			findings[i].Grade = Undocumented // generation.yaml announces further words
		}
	}
	return members, findings
}

// checkObject returns what violates the schema, followed by the members that it doesn't list.
func checkObject(schema *openapi3.Schema, object map[string]any) []Finding {
	return append(checkSchema(schema, object), undocumented(schema, object, "")...)
}

func checkSchema(schema *openapi3.Schema, value any) []Finding {
	err := schema.VisitJSON(value,
		openapi3.MultiErrors(),
		openapi3.EnableFormatValidation(),
		openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(checkURI)))
	// A fraction beyond a bound violates two keywords: report it once.
	found := slices.CompactFunc(findings(err), func(a, b Finding) bool {
		return a.Pointer == b.Pointer && a.Expected == b.Expected && a.Received == b.Received
	})
	return append(found, inexact(schema, value, nil)...)
}

// maxDigits caps the length of a number that is compared exactly: the cost is quadratic.
const maxDigits = 1000

// inexact finds the numbers that violate a bound only before they are rounded to the float64 that kin-openapi compares.
func inexact(schema *openapi3.Schema, value any, path []string) (found []Finding) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if member, ok := v[name]; ok {
				found = append(found, inexact(schema.Properties[name].Value, member, append(slices.Clip(path), name))...)
			}
		}
	case json.Number:
		f, err := v.Float64()
		if err != nil || len(v) > maxDigits {
			return nil // already reported, or too expensive
		}
		exact, ok := new(big.Rat).SetString(v.String())
		if !ok { // an exponent beyond a million
			return nil
		}
		if rule := violatedKeyword(schema, exact); rule != "" && violatedKeyword(schema, new(big.Rat).SetFloat64(f)) == "" {
			found = append(found, violation(pointer(path), rule, spec.Describe(schema), received(schema, v)))
		}
	}
	return found
}

// violatedKeyword returns the keyword that the number violates, or "".
func violatedKeyword(schema *openapi3.Schema, n *big.Rat) string {
	switch {
	case schema.Type.Is(openapi3.TypeInteger) && !n.IsInt():
		return "type"
	case schema.Min != nil && n.Cmp(new(big.Rat).SetFloat64(*schema.Min)) < 0:
		return "minimum"
	case schema.Max != nil && n.Cmp(new(big.Rat).SetFloat64(*schema.Max)) > 0:
		return "maximum"
	}
	return ""
}

func findings(err error) []Finding {
	var list []Finding
	switch e := err.(type) { //nolint:errorlint // kin-openapi never wraps it
	case nil:
	case openapi3.MultiError:
		for _, one := range e {
			list = append(list, findings(one)...)
		}
	case *openapi3.SchemaError:
		list = append(list, finding(e))
	default:
		list = append(list, violation("", "schema", "a value that the spec describes", "something else"))
	}
	return list
}

// finding converts a schema error: kin-openapi's text contains the schema and the value.
func finding(e *openapi3.SchemaError) Finding {
	f := violation(pointer(e.JSONPointer()), e.SchemaField, spec.Describe(e.Schema), received(e.Schema, e.Value))
	if e.SchemaField == "required" {
		f.Expected, f.Received = "a value", "nothing"
		path := e.JSONPointer()
		if missing := e.Schema.Properties[path[len(path)-1]]; missing != nil {
			f.Expected = spec.Describe(missing.Value)
		}
	}
	return f
}

// undocumented returns the members that the schema doesn't list.
func undocumented(schema *openapi3.Schema, object map[string]any, path string) (findings []Finding) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		property := schema.Properties[name]
		at := path + pointer([]string{name})
		if property == nil {
			findings = append(findings, Finding{Grade: Undocumented, Pointer: at, Rule: "properties", Expected: "a documented property", Received: kind(object[name])})
		} else if inner, ok := object[name].(map[string]any); ok && property.Value.Type.Is(openapi3.TypeObject) {
			findings = append(findings, undocumented(property.Value, inner, at)...)
		}
	}
	return findings
}

func kind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case json.Number:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "an array"
	}
	return "an object"
}

func violations(findings []Finding) (list []Finding) {
	for _, f := range findings {
		if f.Grade == Violation {
			list = append(list, f)
		}
	}
	return list
}
