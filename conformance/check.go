package conformance

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/spec"
)

// A Submission is the body of a submission, decoded.
type Submission struct {
	// Document is that of the model which the body names, or nil where it doesn't name one.
	Document *spec.Document
	// Request holds the members of the body.
	Request map[string]any
}

// CheckSubmission holds the body of a submission against the document of the model that it names.
func CheckSubmission(body []byte) (Submission, []Finding) {
	value, findings := decode(body)
	if findings != nil {
		return Submission{}, findings
	}
	request, ok := value.(map[string]any)
	if !ok {
		return Submission{}, []Finding{violation("", "type", "an object", received(value))}
	}
	id, _ := request["model"].(string)
	document, ok := spec.ByModel(id)
	if !ok {
		return Submission{nil, request}, []Finding{unknownModel(request)}
	}
	return Submission{document, request}, checkSchema(document.Request(), request)
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
	return violation("/model", "enum", expected, received(value))
}

// CheckResponse holds the body of an answer against what the operation of the document answers with that status.
// A status that the document doesn't declare is a finding.
func CheckResponse(document *spec.Document, status int, body []byte) []Finding {
	response := document.Operation.Responses.Status(status)
	if response == nil {
		return []Finding{violation("", "status", "a declared status", fmt.Sprint(status))}
	}
	value, findings := decode(body)
	if findings != nil {
		return findings
	}
	return checkSchema(response.Value.Content["application/json"].Schema.Value, value)
}

func checkSchema(schema *openapi3.Schema, value any) []Finding {
	err := schema.VisitJSON(value,
		openapi3.MultiErrors(),
		openapi3.EnableFormatValidation(),
		openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(checkURI)))
	// A fraction beyond a bound breaks two keywords, but is one thing to say.
	return slices.CompactFunc(findings(err), func(a, b Finding) bool {
		return a.Pointer == b.Pointer && a.Expected == b.Expected && a.Received == b.Received
	})
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
	f := violation(pointer(e.JSONPointer()), e.SchemaField, Describe(e.Schema), received(e.Value))
	if e.SchemaField == "required" {
		f.Expected, f.Received = "a value", "nothing"
		path := e.JSONPointer()
		if missing := e.Schema.Properties[path[len(path)-1]]; missing != nil {
			f.Expected = Describe(missing.Value)
		}
	}
	return f
}

func pointer(path []string) string {
	var b strings.Builder
	for _, token := range path {
		if len(token) > maxName {
			token = strings.ToValidUTF8(token[:maxName], "") + "..."
		}
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(token))
		if b.Len() > 10*maxName {
			return b.String() + "/..."
		}
	}
	return b.String()
}

// maxName is how many bytes of a member's name a finding shows.
const maxName = 100

// checkURI is the format "uri" as the documents mean it, which kin-openapi leaves unchecked. A regular expression would
// cost most of a second for a data URI of 10 MB.
func checkURI(value string) error {
	if rest, ok := strings.CutPrefix(value, "data:"); ok {
		return checkDataURI(rest)
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("neither a URL nor a data URI")
	}
	return nil
}

func checkDataURI(rest string) error {
	mediaType, data, ok := strings.Cut(rest, ";base64,")
	if major, minor, _ := strings.Cut(mediaType, "/"); !ok || major == "" || minor == "" || data == "" {
		return errors.New("a data URI is data:TYPE/SUBTYPE;base64,DATA")
	}
	if strings.ContainsAny(data, "\r\n") { // which the decoder passes over
		return errors.New("not base64")
	}
	// Decoding in pieces checks the alphabet and the padding without a copy of the data.
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
