package spec

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A table says the same of the vendor's documents and of ours: for each cell, named by document, property and column as
// in "vace-fun-pose num_frames max", its text. An empty cell isn't in it.
type table map[string]string

// columns are those of facts.csv between the property and the source.
var columns = []string{"type", "required", "default", "min", "max", "enum"}

func (t table) set(row, column, text string) {
	if text != "" {
		t[row+" "+column] = text
	}
}

// TestFacts holds our documents against facts.csv, which was written by hand from the vendor's, and against the
// departures that CURATION.md explains. Both ways: what is documented is there, and nothing else is.
func TestFacts(t *testing.T) {
	got := table{}
	for _, d := range fresh(t) {
		maps.Copy(got, describe(d))
	}
	want := expected(t)
	for _, d := range differences(want, got) {
		t.Error(d)
	}
	t.Logf("%d facts", len(want))
}

// fresh loads a copy of the documents.
func fresh(t *testing.T) []*Document {
	t.Helper()
	documents, err := load(Files)
	if err != nil {
		t.Fatal(err)
	}
	return append(documents.models, documents.generation)
}

// expected is what our documents have to say: the facts, but for the departures.
func expected(t *testing.T) table {
	t.Helper()
	want := readFacts(t)
	for _, d := range readDepartures(t) {
		if d.documented == d.ours || want[d.cell] != d.documented {
			t.Errorf("CURATION.md: %s departs from %q, facts.csv has %q", d.cell, d.documented, want[d.cell])
		}
		delete(want, d.cell)
		if d.ours != "" {
			want[d.cell] = d.ours
		}
	}
	return want
}

func differences(want, got table) []string {
	var list []string
	for _, cell := range slices.Sorted(maps.Keys(want)) {
		if want[cell] != got[cell] {
			list = append(list, fmt.Sprintf("%s: %q is documented, the spec says %q", cell, want[cell], got[cell]))
		}
	}
	for _, cell := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[cell]; !ok {
			list = append(list, fmt.Sprintf("%s: the spec says %q, which isn't documented", cell, got[cell]))
		}
	}
	return list
}

func readFacts(t *testing.T) table {
	t.Helper()
	file, err := os.Open("facts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := append(append([]string{"model", "property"}, columns...), "source")
	if !slices.Equal(records[0], head) {
		t.Fatalf("facts.csv has the columns %q, want %q", records[0], head)
	}
	facts := table{}
	for _, record := range records[1:] {
		row := record[0] + " " + record[1]
		if facts[row+" type"] != "" {
			t.Errorf("facts.csv: %s stands there twice", row)
		}
		if record[2] == "" || record[len(record)-1] == "" {
			t.Errorf("facts.csv: %s has no type or no source", row)
		}
		for i, column := range columns {
			text := record[i+2]
			if column == "required" && text == "no" {
				text = ""
			}
			facts.set(row, column, text)
		}
	}
	return facts
}

// A departure is a row of CURATION.md whose first cell is the name of a cell.
type departure struct{ cell, documented, ours string }

var departureRow = regexp.MustCompile("(?m)^\\| `(\\S+) ([^`]+)` \\| (nothing|`[^`]+`) \\| (nothing|`[^`]+`) \\| (.+) \\|$")

func readDepartures(t *testing.T) []departure {
	t.Helper()
	data, err := os.ReadFile("CURATION.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("`", "", "nothing", "")
	var list []departure
	for _, row := range departureRow.FindAllStringSubmatch(string(data), -1) {
		documents := []string{row[1]}
		if row[1] == "all" {
			documents = nil
			for _, d := range append(Models(), Generation()) {
				documents = append(documents, d.Slug)
			}
		}
		for _, document := range documents {
			list = append(list, departure{document + " " + row[2], text.Replace(row[3]), text.Replace(row[4])})
		}
	}
	if len(list) < 10 {
		t.Fatalf("found only %d departures in CURATION.md: has the form of its table changed?", len(list))
	}
	return list
}

// describe fills the table from one of our documents.
func describe(d *Document) table {
	all := table{}
	describeOperation(all, d)
	if d.Slug == shared {
		for _, name := range bodies {
			schema := d.OpenAPI.Components.Schemas[name].Value
			describeSchema(all, shared+" "+name, schema, false)
			describeProperties(all, shared+" "+name+".", schema)
		}
	}
	return all
}

// bodies are the schemas of all answers, which the shared document holds.
var bodies = []string{"Generation", "Error"}

func describeOperation(all table, d *Document) {
	target := d.Method
	for _, server := range d.OpenAPI.Servers {
		target += " " + server.URL + d.Path
	}
	required := false
	if body := d.Operation.RequestBody; body != nil {
		required = body.Value.Required
		for _, mediaType := range slices.Sorted(maps.Keys(body.Value.Content)) {
			target += " " + mediaType + " " + typeOf(body.Value.Content[mediaType].Schema.Value)
		}
		describeProperties(all, d.Slug+" ", d.Request())
	}
	all.set(d.Slug+" operation", "type", target)
	all.set(d.Slug+" operation", "required", yes(required))
	describeSecurity(all, d)
	for _, p := range d.Operation.Parameters {
		describeSchema(all, d.Slug+" "+p.Value.In+" "+p.Value.Name, p.Value.Schema.Value, p.Value.Required)
	}
	var codes [2][]string
	kinds := [2]string{"success", "errors"}
	headers := map[string][]string{} // the statuses that have the header
	for _, code := range slices.Sorted(maps.Keys(d.Operation.Responses.Map())) {
		response := d.Operation.Responses.Value(code).Value
		kind := 0
		if code >= "400" {
			kind = 1
		}
		codes[kind] = append(codes[kind], code)
		row := d.Slug + " " + kinds[kind]
		body := "nothing"
		if content := response.Content["application/json"]; content != nil {
			body = path.Base(content.Schema.Ref)
		}
		// All answers of a kind have the same body; another one makes the text another.
		if before := all[row+" type"]; before != "" && before != body {
			body = before + ", " + code + ": " + body
		}
		all.set(row, "type", body)
		for name, header := range response.Headers {
			row := row + " header " + name
			describeSchema(all, row, header.Value.Schema.Value, header.Value.Required)
			headers[row] = append(headers[row], code)
		}
	}
	for kind, name := range kinds {
		row := d.Slug + " " + name
		all.set(row, "enum", strings.Join(codes[kind], " "))
		for header, with := range headers {
			if strings.HasPrefix(header, row) && len(with) < len(codes[kind]) {
				all.set(header, "type", all[header+" type"]+" in "+strings.Join(with, " "))
			}
		}
	}
}

func describeSecurity(all table, d *Document) {
	requirements := d.OpenAPI.Security
	if d.Operation.Security != nil {
		requirements = *d.Operation.Security
	}
	for _, requirement := range requirements {
		for name := range requirement {
			scheme := d.OpenAPI.Components.SecuritySchemes[name].Value
			all.set(d.Slug+" security", "type", all[d.Slug+" security type"]+scheme.Type+" "+scheme.Scheme)
			all.set(d.Slug+" security", "required", "yes")
		}
	}
}

func describeProperties(all table, prefix string, schema *openapi3.Schema) {
	for name, property := range schema.Properties {
		describeSchema(all, prefix+name, property.Value, slices.Contains(schema.Required, name))
		describeProperties(all, prefix+name+".", property.Value)
	}
	for _, name := range schema.Required {
		if schema.Properties[name] == nil {
			all.set(prefix+name, "required", "yes")
		}
	}
}

func describeSchema(all table, row string, schema *openapi3.Schema, required bool) {
	all.set(row, "type", typeOf(schema))
	all.set(row, "required", yes(required))
	if schema.Default != nil {
		all.set(row, "default", literal(schema, schema.Default))
	}
	var values []string
	for _, value := range schema.Enum {
		values = append(values, literal(schema, value))
	}
	all.set(row, "enum", strings.Join(values, " "))
	all.set(row, "min", bound(schema.Min, count(&schema.MinLength), count(&schema.MinItems)))
	all.set(row, "max", bound(schema.Max, count(schema.MaxLength), count(schema.MaxItems)))
}

// typeOf names the type, and all that would restrict a value beyond the columns.
func typeOf(schema *openapi3.Schema) string {
	rest := *schema
	rest.Default, rest.Enum = nil, nil
	rest.Min, rest.Max, rest.MinLength, rest.MaxLength, rest.MinItems, rest.MaxItems = nil, nil, 0, nil, 0, nil
	return typeOfAll(&rest)
}

// typeOfAll is typeOf for what has no columns of its own, such as the elements of an array.
func typeOfAll(schema *openapi3.Schema) string {
	var text string
	if schema.Type != nil {
		text = strings.Join(*schema.Type, ",")
	}
	var alternatives []string
	for _, alternative := range schema.OneOf {
		alternatives = append(alternatives, typeOfAll(alternative.Value))
	}
	text += strings.Join(alternatives, " or ")
	if schema.Items != nil {
		text += " of " + typeOfAll(schema.Items.Value)
	}
	if schema.Format != "" {
		text += " " + schema.Format
	}
	if schema.Pattern != "" {
		text += " matching " + schema.Pattern
	}
	if schema.Nullable {
		text += " or null"
	}
	rest := *schema
	rest.Type, rest.OneOf, rest.Items, rest.Format, rest.Pattern, rest.Nullable = nil, nil, nil, "", "", false
	rest.Required, rest.Properties = nil, nil // rows of their own
	rest.Description, rest.Example, rest.Origin = "", nil, nil
	if !reflect.ValueOf(rest).IsZero() {
		keywords, _ := json.Marshal(rest)
		text += " " + string(keywords)
	}
	return text
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// literal shows a text as it is and everything else as JSON. A value that isn't of the property's type is told apart.
func literal(schema *openapi3.Schema, value any) string {
	text, ok := value.(string)
	switch {
	case ok != schema.Type.Is(openapi3.TypeString):
		return fmt.Sprintf("%T %v", value, value)
	case ok:
		return text
	}
	encoded, _ := json.Marshal(value)
	return string(encoded)
}

func count(n *uint64) *float64 {
	if n == nil || *n == 0 {
		return nil
	}
	return new(float64(*n))
}

func bound(candidates ...*float64) string {
	var texts []string
	for _, c := range candidates {
		if c != nil {
			texts = append(texts, strconv.FormatFloat(*c, 'g', -1, 64))
		}
	}
	return strings.Join(texts, " ")
}
