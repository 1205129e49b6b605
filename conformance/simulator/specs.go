package simulator

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aimlvideo/wan-go/spec"
)

// serveSpec serves a spec as it is in the repository.
func (s *Simulator) serveSpec(w http.ResponseWriter, r *http.Request) {
	text, err := spec.Files.ReadFile(r.PathValue("file"))
	if err != nil {
		writeError(w, r, http.StatusNotFound, "No such spec")
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Write(text) //nolint:gosec // an embedded file
}

// serveMergedSpec serves all specs as one, with this simulator as its server.
func (s *Simulator) serveMergedSpec(w http.ResponseWriter, r *http.Request) {
	merged := mergedSpec()
	merged["servers"] = []any{map[string]string{"url": origin(r)}}
	writeJSON(w, merged)
}

// serveDocs serves the spec of one model as JSON, as the vendor does at the URL in the catalogue.
func (s *Simulator) serveDocs(w http.ResponseWriter, r *http.Request) {
	model, ok := spec.ByModel(r.URL.Query().Get("model"))
	if !ok {
		writeError(w, r, http.StatusNotFound, "No such model")
		return
	}
	document := readSpec("generation.yaml")
	mergeObject(document, readSpec(model.Slug+".yaml"))
	writeJSON(w, document)
}

// origin returns the scheme and host of the request.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

type object = map[string]any

// readSpec returns a spec whose references are all local.
func readSpec(name string) object {
	text, err := spec.Files.ReadFile(name)
	document := object{}
	if err == nil {
		err = yaml.Unmarshal(bytes.ReplaceAll(text, []byte("generation.yaml#"), []byte("#")), &document)
	}
	if err != nil {
		panic(fmt.Errorf("simulator: %s: %w", name, err)) // embedded, and tests load it
	}
	return document
}

// mergedSpec merges the specs of all models, which share one operation, and the others. The request body is one of the
// models', selected by its model property.
func mergedSpec() object {
	merged := readSpec("generation.yaml")
	mergeObject(merged, readSpec("account.yaml"))
	var variants []any
	mapping := object{}
	for _, model := range spec.Models() {
		document := readSpec(model.Slug + ".yaml")
		schemas := document["components"].(object)["schemas"].(object)
		schemas[model.Slug] = schemas["Request"]
		delete(schemas, "Request")
		ref := "#/components/schemas/" + model.Slug
		variants = append(variants, object{"$ref": ref})
		mapping[model.Model] = ref
		mergeObject(merged, document)
	}
	merged["info"] = object{
		"title": "Wan 2.2 video generation", "version": "1.0.0", "license": object{"name": "MIT"},
		"description": "Submissions of all models, polls and the account endpoints, merged from one spec per model.",
	}
	merged["tags"] = []any{}
	submission := merged["paths"].(object)[spec.Generation().Path].(object)["post"].(object)
	submission["summary"] = "Submit a generation"
	submission["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": object{
		"oneOf": variants, "discriminator": object{"propertyName": "model", "mapping": mapping},
	}}}}
	return merged
}

// mergeObject adds the members of an object to another, objects within them member by member.
func mergeObject(to, from object) {
	for name, value := range from {
		inner, isObject := value.(object)
		if ref, _ := inner["$ref"].(string); strings.HasSuffix(ref, "/"+name) {
			continue // another file's component under the same name
		}
		if !isObject {
			to[name] = value
			continue
		}
		existing, ok := to[name].(object)
		if !ok {
			existing = object{}
			to[name] = existing
		}
		mergeObject(existing, inner)
	}
}

// corsHeaders are the response headers that browsers may read.
var corsHeaders = strings.Join([]string{"Content-Range", "ETag", "Retry-After", "X-Client-Request-Id", "X-Inference-Id", "X-Aimlapi-Credits-Used", "X-Aimlapi-Usd-Spent"}, ", ")

// serveCORS allows any web page to read responses, and responds to preflight requests. It returns true if the response is
// complete. The control API refuses foreign origins by itself.
func serveCORS(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	if r.Header.Get("Origin") != "" {
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Expose-Headers", corsHeaders)
	}
	if r.Method != http.MethodOptions {
		return false
	}
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"}
	if requested := r.Header.Get("Access-Control-Request-Method"); requested != "" && slices.Contains(methods, requested) {
		header.Set("Access-Control-Allow-Methods", strings.Join(methods, ", "))
		header.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		header.Set("Access-Control-Allow-Private-Network", "true")
		header.Set("Access-Control-Max-Age", "600")
	}
	header.Set("Allow", strings.Join(methods, ", "))
	w.WriteHeader(http.StatusNoContent)
	return true
}
