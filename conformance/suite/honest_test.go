package suite_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec"
)

// An honest server differs from the simulator where the specs allow it.
type honest struct {
	name string
	wrap func(http.Handler) http.Handler
}

var honestServers = []honest{
	{"validates like ajv with formats", likeAJV},
	{"accepts only https", onlyHTTPS},
	{"requires the media type of the property", onlyItsMedia},
	{"has ids that are numbers", renamedIDs(func(n int) string { return fmt.Sprint(n) })},
	{"has short ids", renamedIDs(func(n int) string { return fmt.Sprintf("g%x", n) })},
	{"has nanoids", renamedIDs(func(n int) string { return fmt.Sprintf("V1StGXR8_Z5jdHi6B-%03d", n) })},
	{"has ids with reserved characters", renamedIDs(func(n int) string { return fmt.Sprintf("a+b&c=d#%d 100%%/é?x", n) })},
	{"responds 201", statusFor(http.MethodPost, 200, 201)},
	{"words errors in its own way", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code >= 400 {
			edit(a, func(m map[string]any) {
				m["message"], m["statusCode"], m["errors"] = "ungültig", fmt.Sprint(a.Code), []any{map[string]any{"field": "x"}}
			})
		}
	})},
	{"spells the media type with a charset", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if strings.HasPrefix(a.Header().Get("Content-Type"), "application/json") {
			a.Header().Set("Content-Type", "Application/JSON;Charset=UTF-8")
		}
	})},
	{"has no queue", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) {
			if m["status"] == "queued" {
				m["status"] = "generating"
			}
		})
	})},
	{"describes the video", onMembers(http.MethodGet, 200, func(m map[string]any) {
		if video := member("video")(m); video != nil {
			video["content_type"], video["file_size"], video["file_name"] = "video/mp4", 4711, "output.mp4"
		}
	})},
	{"knows no cost", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Del("X-Aimlapi-Credits-Used")
		a.Header().Del("X-Aimlapi-Usd-Spent")
		edit(a, func(m map[string]any) { delete(m, "meta") })
	})},
	{"redirects to the video", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if download(r) && r.URL.Query().Get("moved") == "" {
			a.Header().Set("Location", r.URL.Path+"?moved=1")
			replaceResponse(a, 302, "text/html", "")
		}
	})},
	{"doesn't know the length of the video", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusPartialContent {
			part, _, _ := strings.Cut(a.Header().Get("Content-Range"), "/")
			a.Header().Set("Content-Range", part+"/*")
		}
	})},
	{"has weak ETags", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if etag := a.Header().Get("ETag"); download(r) && etag != "" {
			a.Header().Set("ETag", "W/"+etag)
		}
	})},
	{"logs the inference id without the model", onLogs(func(row map[string]any) {
		if id, ok := row["inference_id"].(string); ok {
			row["inference_id"], _, _ = strings.Cut(id, ":")
		}
	})},
	{"responds 202", statusFor(http.MethodPost, 200, 202)},
	{"calls its statuses waiting and active", onMembers(http.MethodGet, 200, func(m map[string]any) {
		switch m["status"] {
		case "queued":
			m["status"] = "waiting"
		case "generating":
			m["status"] = "active"
		}
	})},
	{"has a status of its own", onMembers(http.MethodGet, 200, func(m map[string]any) {
		if m["status"] == "generating" {
			m["status"] = "dreaming"
		}
	})},
	{"sends extra members", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) { m["extra"], m["trace"] = map[string]any{"a": []int{1}}, "t" })
	})},
	{"omits what is null", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		edit(a, func(m map[string]any) {
			for name, value := range m {
				if value == nil {
					delete(m, name)
				}
			}
		})
	})},
	{"sends problem+json", onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code >= 400 {
			replaceResponse(a, a.Code, "application/problem+json", fmt.Sprintf(`{"type":"about:blank","title":%q,"status":%d}`, http.StatusText(a.Code), a.Code))
		}
	})},
	{"has 422 for invalid submissions", statusFor(http.MethodPost, 400, 422)},
	{"parses JSON like JavaScript", likeJSONParse},
	{"can't store NUL and large integers", refuse(func(m map[string]any) bool {
		prompt, _ := m["prompt"].(string)
		seed, _ := m["seed"].(json.Number)
		_, err := seed.Int64()
		return strings.Contains(prompt, "\x00") || seed != "" && err != nil && !strings.Contains(seed.String(), ".") && len(seed) > 18
	})},
	{"has no account operations", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.URL.Path != path && !download(r) {
			problem(a, 404, "Not found")
		}
	})},
	{"logs a request two seconds later", func(next http.Handler) http.Handler {
		return onLogs(func(row map[string]any) {
			created, _ := time.Parse(time.RFC3339, row["created"].(string))
			if time.Since(created) < 2*time.Second {
				row["client_request_id"] = nil
			}
		})(next)
	}},
	{"serves no ranges", onHeader(func(r *http.Request) { r.Header.Del("Range") })},
	{"has no HEAD", on(is(http.MethodHead), 405, "application/json", "")},
	{"has an empty error all along", onMembers(http.MethodGet, 200, func(m map[string]any) {
		if m["error"] == nil {
			m["error"] = map[string]any{"name": "", "message": ""}
		}
	})},
	{"has 404 for unknown models", onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == 400 && strings.Contains(a.Body.String(), "/model:") {
			problem(a, 404, "Model not found")
		}
	})},
}

// compressed compresses responses for clients that accept it.
var compressed = onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") || a.Body.Len() == 0 {
		return
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(a.Body.Bytes())
	z.Close()
	a.Body = &b
	a.Header().Set("Content-Encoding", "gzip")
})

// TestHonest checks that servers pass which differ where the specs allow it.
func TestHonest(t *testing.T) {
	for _, h := range honestServers {
		t.Run(h.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := served(h.wrap(simulator.New(simulator.WithKey(goodKey))))
				c.Strictness = suite.Lenient
				passes(t, c)
			})
		})
	}
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"compresses responses": compressed,
		"closes connections":   onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("Connection", "close") }),
		"sends chunks, and headers in lower case": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := httptest.NewRecorder()
				next.ServeHTTP(a, r)
				for name, values := range a.Header() {
					if name != "Content-Length" {
						w.Header()[strings.ToLower(name)] = values
					}
				}
				w.WriteHeader(a.Code)
				for piece := range bytes.Lines(a.Body.Bytes()) {
					w.Write(piece)
					http.NewResponseController(w).Flush()
				}
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(wrap(simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Complete(0, 0)))))
			defer srv.Close()
			passes(t, suite.Config{Target: srv.URL})
		})
	}
	t.Run("speaks HTTP/2 with TLS", func(t *testing.T) {
		srv := httptest.NewUnstartedServer(simulator.New(simulator.WithKey(goodKey), simulator.WithTimeline(simulator.Complete(0, 0))))
		srv.EnableHTTP2 = true
		srv.StartTLS()
		defer srv.Close()
		passes(t, suite.Config{Target: srv.URL, HTTPClient: srv.Client()})
	})
}

// quick leaves out what takes time and doesn't differ between these servers, and all models but one.
var quick = func() *regexp.Regexp {
	skip := `/pairs/|/name-|00-characters|-MiB$|-emoji$|-at-[0-3]$|-(upper-case|capitalized|cut|and-more|a-space)$|-example$|/(enable_|match_|auto_|temporal_|preprocess|sync_|num_in)`
	for _, d := range spec.Models() {
		if d.Slug != "vace-fun-pose" {
			skip += "|^" + d.Slug + "/"
		}
	}
	return regexp.MustCompile(skip)
}()

func passes(t *testing.T, c suite.Config) {
	t.Helper()
	c.Key, c.Spend, c.Skip = goodKey, -1, quick
	if report := run(t, t.Context(), c); !report.OK() || report.Ran() < 500 {
		t.Error(summary(t, report))
	}
}

// A response after 65 s is slow, not wrong.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulator.New(simulator.WithKey(goodKey))
		c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				time.Sleep(65 * time.Second) // of the bubble
			}
			sim.ServeHTTP(w, r)
		}))
		c.Strictness, c.Run = suite.Lenient, regexp.MustCompile("^animate-move/(lifecycle/|shift/)")
		if report := run(t, t.Context(), c); !report.OK() || !strings.Contains(summary(t, report), "slow: a response took more than 30s") {
			t.Error(summary(t, report))
		}
	})
}

// ajvURI is the format "uri" of ajv-formats, shortened: a scheme, and only characters of RFC 3986.
var ajvURI = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:(//(\[[0-9a-fA-F:.]+\]|[^\[\]/?#:]*)(:\d*)?([/?#].*)?|[^/].*)?$`)

var uriCharacters = regexp.MustCompile(`^([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$`)

// likeAJV accepts every media value that is a URI, and no other.
func likeAJV(next http.Handler) http.Handler {
	return mediaRule(func(text string, _ *openapi3.Schema) bool {
		return ajvURI.MatchString(text) && uriCharacters.MatchString(text)
	})(next)
}

func onlyHTTPS(next http.Handler) http.Handler {
	return mediaRule(func(text string, _ *openapi3.Schema) bool {
		u, err := url.Parse(text)
		return uriCharacters.MatchString(text) && err == nil && (u.Scheme == "https" && u.Host != "" || u.Scheme == "data")
	})(next)
}

func onlyItsMedia(next http.Handler) http.Handler {
	return mediaRule(func(text string, s *openapi3.Schema) bool {
		u, err := url.Parse(text)
		return uriCharacters.MatchString(text) && err == nil && (u.Scheme != "" && u.Host != "" || strings.HasPrefix(text, "data:"+fmt.Sprint(s.Extensions["x-media"])+"/"))
	})(next)
}

// likeJSONParse keeps the last of several members and replaces what isn't UTF-8.
func likeJSONParse(next http.Handler) http.Handler {
	return onText(func(text string) string {
		var members map[string]any
		text = strings.ToValidUTF8(text, "\uFFFD")
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if d.Decode(&members) != nil || members == nil || strings.TrimSpace(text[d.InputOffset():]) != "" {
			return text
		}
		encoded, _ := json.Marshal(members)
		return string(encoded)
	})(next)
}

// mediaRule replaces the simulator's validation of media values by another.
func mediaRule(valid func(text string, s *openapi3.Schema) bool) func(http.Handler) http.Handler {
	check := func(value any, s *openapi3.Schema) any {
		text, ok := value.(string)
		switch {
		case !ok:
			return value
		case valid(text, s):
			return "https://example.com/valid"
		}
		return "invalid"
	}
	return onText(func(body string) string {
		d, members := mediaMembers(body)
		if d == nil {
			return body
		}
		for _, p := range d.Properties() {
			list, isList := members[p.Name].([]any)
			switch {
			case p.Schema.Format == "uri" && members[p.Name] != nil:
				members[p.Name] = check(members[p.Name], p.Schema)
			case isList && p.Schema.Items != nil && p.Schema.Items.Value.Format == "uri":
				for i := range list {
					list[i] = check(list[i], p.Schema.Items.Value)
				}
			}
		}
		encoded, _ := json.Marshal(members)
		return string(encoded)
	})
}

// mediaMembers decodes a submission that is valid JSON with a known model and unique names.
func mediaMembers(body string) (*spec.Document, map[string]any) {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	var members map[string]any
	if decoder.Decode(&members) != nil || strings.TrimSpace(body[decoder.InputOffset():]) != "" {
		return nil, nil
	}
	if strings.Contains(body, "mood") { // the cases of JSON syntax
		return nil, nil
	}
	for name := range members {
		if strings.Count(body, `"`+name+`":`) > 1 || strings.Contains(body, `\u0`) {
			return nil, nil
		}
	}
	id, _ := members["model"].(string)
	d, _ := spec.ByModel(id)
	return d, members
}

// renamedIDs gives generations other ids.
func renamedIDs(name func(n int) string) func(http.Handler) http.Handler {
	var mu sync.Mutex
	names, ids := map[string]string{}, map[string]string{} // by id, and by name
	renamed := func(id string) string {
		mu.Lock()
		defer mu.Unlock()
		if names[id] == "" {
			names[id] = name(len(names) + 1)
			ids[names[id]] = id
		}
		return names[id]
	}
	return func(next http.Handler) http.Handler {
		inner := onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
			edit(a, func(m map[string]any) {
				if id, ok := m["id"].(string); ok {
					m["id"] = renamed(id)
				}
			})
			a.Header().Del("X-Inference-Id") // which can't hold all of these characters
		})(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); query.Has("generation_id") {
				mu.Lock()
				id := ids[query.Get("generation_id")]
				mu.Unlock()
				if id == "" && query.Get("generation_id") != "" {
					id = "unknown"
				}
				query.Set("generation_id", id)
				r.URL.RawQuery = query.Encode()
			}
			inner.ServeHTTP(w, r)
		})
	}
}
