package simulator

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
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

// models serves the catalogue, which needs no key.
func (x *exchange) models(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	include := list(values["include"])
	all := slices.Contains(include, "all") || slices.Contains([]string{"true", "1"}, values.Get("details"))
	has := func(section string) bool { return all || slices.Contains(include, section) }
	data := []catalogueModel{}
	for _, d := range spec.Models() {
		m := catalogueModel{
			ID: d.Model, Aliases: []string{d.Model[strings.LastIndex(d.Model, "/")+1:]}, Type: "internal/video-generations/submit",
			Info: map[string]string{
				"name": d.OpenAPI.Info.Title, "developer": "Alibaba Cloud",
				"docsJson": x.baseURL(r) + "/openapi/" + d.Slug + ".yaml",
			},
			Tags: []string{"playground:video"},
		}
		if ids := list(values["id"]); len(ids) > 0 && !slices.Contains(ids, m.ID) && !slices.Contains(ids, m.Aliases[0]) ||
			values.Has("type") && values.Get("type") != m.Type ||
			values.Has("tags") && !slices.Contains(list(values["tags"]), m.Tags[0]) {
			continue
		}
		if has("pricing") {
			m.Pricing = new(x.sim.price(d.Slug))
			m.Pricing.Currency = "USD"
		}
		if has("modalities") {
			m.Modalities = map[string]any{"input": []string{"video", "image", "text"}, "output": []string{"video"}}
		}
		data = append(data, m)
	}
	body, err := json.MarshalIndent(map[string]any{"object": "list", "data": data}, "", "  ")
	if err != nil {
		x.reject(w, http.StatusInternalServerError, err.Error())
		return
	}
	sum := sha256.Sum256(body)
	w.Header()["Content-Type"] = jsonType
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

func (s *Simulator) price(slug string) Price {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.priceLocked(slug)
}

func (s *Simulator) priceLocked(slug string) Price {
	if p, ok := s.prices[slug]; ok {
		return p
	}
	return defaultPrice()
}
