package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/wire"
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
	return []Finding{{Grade: Undocumented, Pointer: "status code", Rule: "status", Expected: "a documented one", Received: fmt.Sprint(status)}}
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
	return slices.CompactFunc(findings(err), func(a, b Finding) bool {
		return a.Pointer == b.Pointer && a.Expected == b.Expected && a.Received == b.Received
	})
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

// checkHeader checks the security scheme, the media type and the client request id of a request.
func checkHeader(r *http.Request) (findings []Finding) {
	if wire.BearerKey(r.Header) == "" {
		findings = append(findings, violation("Authorization", "security", "a bearer key", "none"))
	}
	if id := r.Header.Get(wire.ClientRequestIDHeader); id != "" && !wire.ValidClientRequestID(id) {
		findings = append(findings, violation(wire.ClientRequestIDHeader, "pattern", "1 to 128 letters, digits and ._:-", characters(id)))
	}
	if r.Method == http.MethodPost && !wire.IsJSON(r.Header) {
		findings = append(findings, violation("Content-Type", "content-type", "application/json", receivedType(r.Header)))
	}
	return findings
}

// checkURI validates the format "uri", which kin-openapi doesn't check. A regular expression would take most of a second
// for a data URI of 10 MB.
func checkURI(value string) error {
	if media.IsDataURI(value) {
		return checkDataURI(value[len("data:"):])
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("neither a URL nor a data URI")
	}
	return nil
}

func checkDataURI(rest string) error {
	mediaType, data, ok := strings.Cut(rest, base64Mark)
	if major, minor, _ := strings.Cut(mediaType, "/"); !ok || major == "" || minor == "" || data == "" {
		return errors.New("a data URI is data:TYPE/SUBTYPE;base64,DATA")
	}
	if strings.ContainsAny(data, "\r\n") { // the decoder skips them
		return errors.New("not base64")
	}
	// Decoding in pieces needs no copy of the data.
	var encoded [4 << 10]byte
	var plain [3 << 10]byte
	for len(data) > 0 {
		n := copy(encoded[:], data)
		data = data[n:]
		if n, err := base64.StdEncoding.Decode(plain[:], encoded[:n]); err != nil || len(data) > 0 && n < len(plain) {
			return errors.New("not base64")
		}
	}
	return nil
}
