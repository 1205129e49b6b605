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

// A table states what the vendor's docs or our specs say: for each cell, named by spec, property and column as in
// "vace-fun-pose num_frames max", its text. It has no empty cells.
type table map[string]string

// columns are the columns of facts.csv between the property and the source.
var columns = []string{"type", "required", "default", "min", "max", "enum"}

// set sets a cell, or removes it if the text is empty.
func (t table) set(row, column, text string) {
	delete(t, row+" "+column)
	if text != "" && (column != "required" || text != "no") {
		t[row+" "+column] = text
	}
}

// A fact is a row of facts.csv: what the vendor documents for a property and, where our spec differs, what and why.
type fact struct {
	model, property                string
	values                         []string // of columns
	source, revision, departs, why string
}

// TestFacts compares the specs with facts.csv, which is written by hand from the vendor's docs. What is documented must be
// in the specs, and nothing else, except for the departures that facts.csv explains.
func TestFacts(t *testing.T) {
	got := table{}
	for _, d := range freshOperations(t) {
		maps.Copy(got, describe(d))
	}
	want := expected(t)
	for _, d := range differences(want, got) {
		t.Error(d)
	}
	t.Logf("%d facts", len(want))
}

// TestRegister checks facts.csv itself: sources are dated, departures depart, and a newer revision that contradicts the
// spec is mentioned where a reader of the spec sees it.
func TestRegister(t *testing.T) {
	curation, err := os.ReadFile("CURATION.md")
	if err != nil {
		t.Fatal(err)
	}
	dated := regexp.MustCompile(`(?m)^\| ([^|]+) \| (?:20\d\d-\d\d(?:-\d\d)?)[^|]* \|`)
	var sources []string
	for _, row := range dated.FindAllStringSubmatch(string(curation), -1) {
		sources = append(sources, row[1])
	}
	for _, f := range readFacts(t) {
		name := f.model + " " + f.property
		if source, _, _ := strings.Cut(f.source, ":"); !slices.Contains(sources, source) {
			t.Errorf("facts.csv: %s: CURATION.md lists no source %q with a date; it has %q", name, source, sources)
		}
		if (f.departs == "") != (f.why == "") {
			t.Errorf("facts.csv: %s: a departure has a reason, and only a departure", name)
		}
		for _, change := range f.departures(t) {
			if i := slices.Index(columns, change[0]); f.values[i] == change[1] {
				t.Errorf("facts.csv: %s: %s=%s is what is documented, not a departure", name, change[0], change[1])
			}
		}
		date, _, _ := strings.Cut(f.revision, ":")
		if d, ok := BySlug(f.model); ok && d.Request().Properties[f.property] != nil {
			if text := d.Request().Properties[f.property].Value.Description; !strings.Contains(text, date) {
				t.Errorf("%s: the description doesn't mention the revision of %s: %s", name, date, text)
			}
		}
	}
}

// TestEveryModelHasFacts names a spec without facts, and facts without a spec.
func TestEveryModelHasFacts(t *testing.T) {
	var facts, specs []string
	for _, f := range readFacts(t) {
		if f.model != "all" {
			facts = append(facts, f.model)
		}
	}
	for _, d := range append(fresh(t), Account()[0]) {
		specs = append(specs, d.Slug)
		if !slices.Contains(facts, d.Slug) {
			t.Errorf("%s.yaml has no facts: list what the vendor documents for it in facts.csv", d.Slug)
		}
	}
	for _, model := range slices.Compact(facts) {
		if !slices.Contains(specs, model) {
			t.Errorf("facts.csv has facts about %s, but there is no %s.yaml", model, model)
		}
	}
}

// fresh loads a copy of the specs.
func fresh(t *testing.T) []*Document {
	t.Helper()
	documents, err := load(Files)
	if err != nil {
		t.Fatal(err)
	}
	return append(documents.models, documents.generation)
}

// freshOperations also has the operations of the account, with slugs such as "account listLogs".
func freshOperations(t *testing.T) []*Document {
	t.Helper()
	operations, err := loadOperations(Files, account+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range operations {
		d.Slug += " " + d.Operation.OperationID
	}
	return append(fresh(t), operations...)
}

// expected returns what our specs should say: the facts, with the departures applied.
func expected(t *testing.T) table {
	t.Helper()
	want := table{}
	for _, f := range readFacts(t) {
		specs := []string{f.model}
		if f.model == "all" {
			specs = nil
			for _, d := range append(Models(), Generation()) {
				specs = append(specs, d.Slug)
			}
		}
		for _, slug := range specs {
			row := slug + " " + f.property
			for i, column := range columns {
				want.set(row, column, f.values[i])
			}
			for _, change := range f.departures(t) {
				want.set(row, change[0], change[1])
			}
		}
	}
	return want
}

// departures parses the spec column: "min=1" or "min=; max=4" are columns with the values that our spec has instead.
func (f fact) departures(t *testing.T) (list [][2]string) {
	t.Helper()
	if f.departs == "" {
		return nil
	}
	for change := range strings.SplitSeq(f.departs, "; ") {
		column, value, ok := strings.Cut(change, "=")
		if !ok || !slices.Contains(columns, column) {
			t.Fatalf("facts.csv: %s %s: the spec column reads %q, want COLUMN=VALUE with one of %q", f.model, f.property, change, columns)
		}
		list = append(list, [2]string{column, value})
	}
	return list
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

func readFacts(t *testing.T) []fact {
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
	head := slices.Concat([]string{"model", "property"}, columns, []string{"source", "revision", "spec", "why"})
	if !slices.Equal(records[0], head) {
		t.Fatalf("facts.csv has the columns %q, want %q", records[0], head)
	}
	var facts []fact
	seen := map[string]bool{}
	for _, r := range records[1:] {
		name := r[0] + " " + r[1]
		if seen[name] {
			t.Errorf("facts.csv: %s is listed twice", name)
		}
		seen[name] = true
		facts = append(facts, fact{r[0], r[1], r[2:8], r[8], r[9], r[10], r[11]})
	}
	return facts
}

// describe fills the table from one of our specs.
func describe(d *Document) table {
	all := table{}
	describeOperation(all, d)
	switch {
	case isAccount(d):
		describeProperties(all, d.Slug+" response.", responseOf(d))
	case d.Slug == shared:
		for _, name := range bodies {
			schema := d.OpenAPI.Components.Schemas[name].Value
			describeSchema(all, shared+" "+name, schema, false)
			describeProperties(all, shared+" "+name+".", schema)
		}
	}
	return all
}

// bodies are the schemas of all responses, which the shared spec holds.
var bodies = []string{"Generation", "Error"}

func isAccount(d *Document) bool { return strings.HasPrefix(d.Slug, account+" ") }

// responseOf returns the schema of the response 200; a mutant may have dropped it.
func responseOf(d *Document) *openapi3.Schema {
	if response := d.Operation.Responses.Value("200"); response != nil && response.Value.Content["application/json"] != nil {
		return response.Value.Content["application/json"].Schema.Value
	}
	return new(openapi3.Schema)
}

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
	headers := map[string][]string{} // the status codes that have the header
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
		// All responses of a kind have the same body; a different one changes the text.
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
		if items := property.Value.Items; items != nil {
			describeProperties(all, prefix+name+"[].", items.Value)
		}
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

// typeOf returns the type and every keyword that restricts a value and has no column.
func typeOf(schema *openapi3.Schema) string {
	rest := *schema
	rest.Default, rest.Enum = nil, nil
	rest.Min, rest.Max, rest.MinLength, rest.MaxLength, rest.MinItems, rest.MaxItems = nil, nil, 0, nil, 0, nil
	return typeOfAll(&rest)
}

// typeOfAll is typeOf for schemas without columns of their own, such as the items of an array.
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
	rest.Description, rest.Example, rest.Origin, rest.Extensions = "", nil, nil, nil
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

// literal formats a string as it is and everything else as JSON. A value of the wrong type gets its Go type as a prefix.
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
