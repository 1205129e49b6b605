package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aimlvideo/wan-go/spec"
)

// A catalogueModel is one model of /v1/models.
type catalogueModel struct {
	ID           string            `json:"id"`
	Aliases      []string          `json:"aliases"`
	Type         string            `json:"type"`
	Info         map[string]string `json:"info"`
	Tags         []string          `json:"tags"`
	Modalities   map[string]any    `json:"modalities,omitempty"`
	Capabilities []string          `json:"capabilities,omitempty"`
	Pricing      *Price            `json:"pricing,omitempty"`
}

// endpointType is the type of all models.
const endpointType = "internal/video-generations/submit"

// models serves the catalogue, which needs no key.
func (x *exchange) models(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	if err := checkQuery(accountOperation("/v1/models"), values); err != nil {
		x.reject(w, http.StatusBadRequest, "Query validation error: "+err.Error())
		return
	}
	include := list(values["include"])
	has := func(section string) bool {
		return slices.Contains(include, section) || slices.Contains(include, "all") || values.Has("details")
	}
	data := []catalogueModel{}
	for _, d := range spec.Models() {
		m := catalogueModel{
			ID: d.Model, Aliases: []string{d.Model[strings.LastIndex(d.Model, "/")+1:]}, Type: endpointType,
			Info: map[string]string{
				"name": d.OpenAPI.Info.Title, "developer": "Alibaba Cloud",
				"docsJson": origin(r) + "/docs-json?" + url.Values{"model": {d.Model}, "endpoint": {endpointType}}.Encode(),
			},
			Tags: []string{"playground:video"},
		}
		inputs, outputs := []string{"video", "image", "text"}, []string{"video"}
		if !passes(values, map[string][]string{
			"id": append(m.Aliases, m.ID), "type": {m.Type}, "tags": m.Tags, "capabilities": nil,
			"modalities": append(inputs, outputs...), "input_modalities": inputs, "output_modalities": outputs,
		}) {
			continue
		}
		if has("pricing") {
			x.sim.mu.RLock()
			m.Pricing = new(x.sim.price(d.Slug))
			x.sim.mu.RUnlock()
			m.Pricing.Currency = "USD"
		}
		if has("modalities") {
			m.Modalities = map[string]any{"input": inputs, "output": outputs}
		}
		data = append(data, m)
	}
	body, err := json.MarshalIndent(map[string]any{"object": "list", "data": data}, "", "  ")
	if err != nil {
		x.reject(w, http.StatusInternalServerError, err.Error())
		return
	}
	sum := sha256.Sum256(body)
	x.setHeader(w)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(body, '\n')))
}

// list splits repeated and comma-separated values.
func list(values []string) (all []string) {
	for _, value := range values {
		all = append(all, strings.Split(value, ",")...)
	}
	return all
}

// passes reports whether a model with these properties matches all filters of a query.
func passes(values url.Values, properties map[string][]string) bool {
	for name, has := range properties {
		wanted := list(values[name])
		if wanted != nil && !slices.ContainsFunc(wanted, func(value string) bool { return slices.Contains(has, value) }) {
			return false
		}
	}
	return true
}

// price returns the price of a model. The caller holds s.mu.
func (s *Simulator) price(slug string) Price {
	if p, ok := s.prices[slug]; ok {
		return p
	}
	return defaultPrice()
}
