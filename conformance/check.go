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
	// Document is that of the model which the body names, or nil where it doesn't name one.
	Document *spec.Document
	// Request holds the members of the body, its numbers as they are written (json.Number).
	Request map[string]any
}

// CheckSubmission checks the body of a submission against the document of the model that it names. All findings are
// violations: members that the document doesn't list are none.
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

// CheckResponse checks an answer against what the operation of the document answers with that status. What the document
// doesn't speak of is graded undocumented: further members, a status word that isn't listed, a status that isn't
// declared. An undeclared 2xx is checked as a success all the same; of another undeclared status, the body isn't checked.
func CheckResponse(document *spec.Document, status int, body []byte) []Finding {
	_, findings := checkAnswer(document, status, body)
	return append(checkStatus(document, status), findings...)
}

func checkStatus(document *spec.Document, status int) []Finding {
	if document.Operation.Responses.Status(status) != nil {
		return nil
	}
	return []Finding{{Grade: Undocumented, Rule: "status", Expected: "a documented status", Received: fmt.Sprint(status)}}
}

// answerSchema describes the body of an answer; nil if nobody knows what it should be.
func answerSchema(document *spec.Document, status int) *openapi3.Schema {
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

// checkAnswer checks the body of an answer and returns its members.
func checkAnswer(document *spec.Document, status int, body []byte) (map[string]any, []Finding) {
	schema := answerSchema(document, status)
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
			findings[i].Grade = Undocumented // generation.yaml expects further words
		}
	}
	return members, findings
}

// checkObject finds what breaks the schema, and then the members that it doesn't list.
func checkObject(schema *openapi3.Schema, object map[string]any) []Finding {
	return append(checkSchema(schema, object), undocumented(schema, object, "")...)
}

func checkSchema(schema *openapi3.Schema, value any) []Finding {
	err := schema.VisitJSON(value,
		openapi3.MultiErrors(),
		openapi3.EnableFormatValidation(),
		openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(checkURI)))
	// A fraction beyond a bound breaks two keywords, but is one thing to say.
	found := slices.CompactFunc(findings(err), func(a, b Finding) bool {
		return a.Pointer == b.Pointer && a.Expected == b.Expected && a.Received == b.Received
	})
	return append(found, rounded(schema, value, nil)...)
}

// maxDigits is how long a number is, as it is written, that is looked at exactly. The time grows with the square.
const maxDigits = 1000

// rounded finds the numbers that break a bound or aren't integers only before they are rounded to a float64, which is
// all that kin-openapi looks at.
func rounded(schema *openapi3.Schema, value any, path []string) (found []Finding) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if member, ok := v[name]; ok {
				found = append(found, rounded(schema.Properties[name].Value, member, append(slices.Clip(path), name))...)
			}
		}
	case json.Number:
		f, err := v.Float64()
		if err != nil || len(v) > maxDigits {
			return nil // it is found already, or would take long
		}
		exact, ok := new(big.Rat).SetString(v.String())
		if !ok { // an exponent beyond a million
			return nil
		}
		if rule := broken(schema, exact); rule != "" && broken(schema, new(big.Rat).SetFloat64(f)) == "" {
			found = append(found, violation(pointer(path), rule, Describe(schema), received(schema, v)))
		}
	}
	return found
}

// broken returns the keyword that the number breaks, or "".
func broken(schema *openapi3.Schema, n *big.Rat) string {
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
	switch e := err.(type) { //nolint:errorlint // nobody has wrapped it
	case nil:
	case openapi3.MultiError:
		for _, one := range e {
			list = append(list, findings(one)...)
		}
	case *openapi3.SchemaError:
		list = append(list, finding(e))
	default:
		list = append(list, violation("", "schema", "a value that the document describes", "something else"))
	}
	return list
}

// finding words a schema error anew: kin-openapi's text holds the schema and the value.
func finding(e *openapi3.SchemaError) Finding {
	f := violation(pointer(e.JSONPointer()), e.SchemaField, Describe(e.Schema), received(e.Schema, e.Value))
	if e.SchemaField == "required" {
		f.Expected, f.Received = "a value", "nothing"
		path := e.JSONPointer()
		if missing := e.Schema.Properties[path[len(path)-1]]; missing != nil {
			f.Expected = Describe(missing.Value)
		}
	}
	return f
}

// undocumented finds the members that the schema doesn't list.
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
