package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/api"
	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/spec"
	"github.com/aimlvideo/wan-go/spec/media"
	"github.com/aimlvideo/wan-go/spec/redact"
)

// A manifest is being read. It collects what is wrong with all of its lines.
type manifest struct {
	name      string
	directory string // that relative paths start from
	model     string // of lines that name none
	unknown   bool   // properties that the spec doesn't list are allowed

	lines    []manifestLine
	problems []string
	ids      map[string]int
	checked  map[string]error // files, by property and path
}

// A manifestLine is a valid line. Its body is JSON, which takes a third of the memory of a map.
type manifestLine struct {
	id   string
	body []byte
}

// readManifest reads JSONL or CSV, "-" from stdin. The error lists every bad line.
func readManifest(ctx context.Context, name, model string, allowUnknown bool, stdin io.Reader) (*manifest, error) {
	m := &manifest{name: name, directory: filepath.Dir(name), model: model, unknown: allowUnknown, ids: map[string]int{}, checked: map[string]error{}}
	if name == "-" {
		m.name, m.directory = "stdin", "."
	} else {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		stdin = f
	}
	r := bufio.NewReader(stdin)
	if bom, _ := r.Peek(3); string(bom) == "\ufeff" {
		_, _ = r.Discard(3)
	}
	read := m.readJSONL
	if isCSV(name, r) {
		read = m.readCSV
	}
	if err := read(ctx, r); err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	if m.problems != nil {
		return nil, fmt.Errorf("%s in %s, nothing was sent:\n  %s", plural(len(m.problems), "problem"), m.name, strings.Join(m.problems, "\n  "))
	}
	if len(m.lines) == 0 {
		return nil, fmt.Errorf("%s has no lines", m.name)
	}
	return m, nil
}

// all are the lines for the batch.
func (m *manifest) all(yield func(batch.Line) bool) {
	for _, line := range m.lines {
		var body map[string]any
		decoder := json.NewDecoder(bytes.NewReader(line.body))
		decoder.UseNumber()
		_ = decoder.Decode(&body) // it was encoded here
		document, _ := findModel(fmt.Sprint(body["model"]))
		if !yield(batch.Line{CustomID: line.id, Body: m.sourced(0, document, body)}) {
			return
		}
	}
}

// maxLine bounds a line: media are paths and URLs, or small data URIs.
const maxLine = 64 << 20

func (m *manifest) readJSONL(ctx context.Context, r io.Reader) error {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	for n := 1; scanner.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		text := bytes.TrimSpace(scanner.Bytes())
		if len(text) == 0 {
			continue
		}
		before := len(m.problems)
		id, body := m.parseLine(n, text)
		if body != nil {
			m.add(n, id, body, before)
		}
	}
	return scanner.Err()
}

// parseLine parses a line of a batch of OpenAI, {"custom_id", "body"}, or a request with a custom_id among its members.
// The body is nil if there is none.
func (m *manifest) parseLine(n int, text []byte) (id string, body map[string]any) {
	if _, findings := conformance.CheckSubmission(text); len(findings) > 0 && findings[0].Rule == "json" { // also duplicate members
		m.problemf(n, "%s", findings[0])
		return "", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var line map[string]any
	if err := decoder.Decode(&line); err != nil || line == nil {
		m.problemf(n, "not a JSON object")
		return "", nil
	}
	if value, ok := line["custom_id"]; ok {
		if id, _ = value.(string); id == "" {
			m.problemf(n, "custom_id: expected a string that isn't empty")
		}
		delete(line, "custom_id")
	}
	inner, wrapped := line["body"].(map[string]any)
	if !wrapped {
		return id, line
	}
	path := spec.Models()[0].Path
	for _, name := range slices.Sorted(maps.Keys(line)) {
		switch value := line[name]; name {
		case "body":
		case "method":
			if value != "POST" {
				m.problemf(n, "method: expected POST")
			}
		case "url":
			if value != path {
				m.problemf(n, "url: expected %s", path)
			}
		default:
			m.problemf(n, "%s: expected custom_id, method, url and body only", redact.Line(name))
		}
	}
	return id, inner
}

// readCSV reads a table whose header has the names of properties. An empty cell is a property that isn't set.
func (m *manifest) readCSV(ctx context.Context, r io.Reader) error {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return err
	}
	m.checkHeader(header)
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			m.problemf(parse.Line, "%v", parse.Err)
			if errors.Is(err, csv.ErrFieldCount) {
				continue
			}
			return nil // the fields of the rest are unknown
		}
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		n, _ := reader.FieldPos(0)
		id, cells := "", map[string]string{}
		for i, name := range header {
			switch {
			case record[i] == "" || !m.unknown && !isColumn(name):
			case name == "custom_id":
				id = record[i]
			default:
				cells[name] = record[i]
			}
		}
		if cells["model"] == "" {
			cells["model"] = m.model
		}
		document, ok := findModel(cells["model"])
		if !ok {
			m.problemf(n, "model: %s", models())
			continue
		}
		body := map[string]any{}
		for name, text := range cells {
			body[name] = cell(document, name, text)
		}
		m.add(n, id, body, len(m.problems))
	}
}

// checkHeader reports columns that no spec lists, once instead of for each line.
func (m *manifest) checkHeader(header []string) {
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		if !m.unknown && !isColumn(header[i]) {
			m.problemf(1, "%s: no spec lists it; --allow-unknown sends it all the same", redact.Line(name))
		}
	}
}

// isColumn reports whether a column is a custom id or a property of any model.
func isColumn(name string) bool {
	return name == "custom_id" || slices.ContainsFunc(spec.Models(), func(document *spec.Document) bool {
		return slices.ContainsFunc(document.Properties(), func(p spec.Property) bool { return p.Name == name })
	})
}

// cell gives the text of a cell the type of its property. Text that doesn't fit stays text, which validation reports.
func cell(document *spec.Document, name, text string) any {
	for _, p := range document.Properties() {
		if p.Name != name {
			continue
		}
		switch {
		case p.Schema.Type.Is(openapi3.TypeBoolean):
			if b, err := strconv.ParseBool(text); err == nil {
				return b
			}
		case p.Schema.Type.Is(openapi3.TypeInteger), p.Schema.Type.Is(openapi3.TypeNumber):
			if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
				return json.Number(text)
			}
		case p.Schema.Type.Is(openapi3.TypeArray):
			var list []any
			if json.Unmarshal([]byte(text), &list) == nil {
				return list
			}
			for element := range strings.SplitSeq(text, "|") {
				list = append(list, strings.TrimSpace(element))
			}
			return list
		}
	}
	return text
}

func findModel(name string) (*spec.Document, bool) {
	if document, ok := spec.BySlug(name); ok {
		return document, true
	}
	return spec.ByModel(name)
}

func models() string {
	var names []string
	for _, document := range spec.Models() {
		names = append(names, document.Slug)
	}
	return "expected one of " + strings.Join(names, ", ") + " or the id of one"
}

func (m *manifest) problemf(n int, format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf("line %d: ", n)+fmt.Sprintf(format, args...))
}

// add validates a line against the spec of its model, and adds it if there were no problems since the first ones.
func (m *manifest) add(n int, id string, body map[string]any, before int) {
	if first, ok := m.ids[id]; ok && id != "" {
		m.problemf(n, "custom_id: %s stands in line %d already", redact.Line(id), first)
	}
	m.ids[id] = n
	name, _ := body["model"].(string)
	if body["model"] == nil {
		name = m.model
	}
	document, ok := findModel(name)
	if !ok {
		m.problemf(n, "model: %s", models())
		return
	}
	body["model"] = document.Model
	listed := map[string]bool{}
	for _, p := range document.Properties() {
		listed[p.Name] = true
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		m.problemf(n, "%v", err)
		return
	}
	body = m.sourced(n, document, body)
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if !listed[name] && !m.unknown {
			m.problemf(n, "%s: the spec of %s doesn't list it; --allow-unknown sends it all the same", redact.Line(name), document.Slug)
		}
	}
	for _, f := range validate(document, body) {
		m.problemf(n, "%s: expected %s, received %s", strings.TrimPrefix(f.Pointer, "/"), f.Expected, f.Received)
	}
	if len(m.problems) == before {
		m.lines = append(m.lines, manifestLine{id, encoded})
	}
}

// sourced is a body with its media as sources.
func (m *manifest) sourced(n int, document *spec.Document, body map[string]any) map[string]any {
	sourced, _ := spec.MapMedia(document.Request(), "", body, func(property string, value any) (any, error) {
		if text, ok := value.(string); ok {
			return m.source(n, property, text), nil
		}
		return value, nil
	})
	return sourced.(map[string]any)
}

// source is the value of a media property: a URL, or a file relative to the manifest, which must be of the right kind.
func (m *manifest) source(n int, property, text string) any {
	source, err := media.Parse(text)
	if err != nil {
		m.problemf(n, "%s: %v", property, err)
		return api.URL("https://invalid.example")
	}
	if !source.IsLocal() {
		return source
	}
	path := source.String()
	if !filepath.IsAbs(path) {
		path = filepath.Join(m.directory, path)
	}
	source = api.File(path)
	key := property + " " + path
	if _, ok := m.checked[key]; !ok {
		const most = 100 << 20
		content, err := source.Inspect(most)
		if err == nil {
			err = content.CheckKind(property)
		}
		m.checked[key] = err
	}
	if err := m.checked[key]; err != nil {
		m.problemf(n, "%s: %s: %v", property, redact.Line(path), err)
	}
	return source
}

// validate validates a body in which short data URIs stand for local files.
func validate(document *spec.Document, body map[string]any) []conformance.Finding {
	shown, _ := spec.MapMedia(document.Request(), "", body, standIn)
	encoded, err := json.Marshal(shown)
	if err != nil {
		return []conformance.Finding{{Rule: "json", Expected: "JSON", Received: err.Error()}}
	}
	_, findings := conformance.CheckSubmission(encoded)
	return findings
}

func standIn(_ string, value any) (any, error) {
	if source, ok := value.(media.Source); ok && source.IsLocal() {
		return "data:application/octet-stream;base64,AAAA", nil
	}
	return value, nil
}

func isCSV(name string, r *bufio.Reader) bool {
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		return true
	}
	first, _ := r.Peek(1)
	return name == "-" && len(first) > 0 && first[0] != '{'
}
