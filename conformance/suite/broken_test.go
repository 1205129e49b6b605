package suite_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
	"github.com/aimlvideo/wan-go/spec"
)

const (
	goodKey = "the-good-key"
	path    = "/v2/video/generations"
)

// A broken server is the simulator with one behaviour changed.
type broken struct {
	name string
	// catches is the case that must fail.
	catches string
	// also is a regular expression for other cases that must run.
	also string
	wrap func(next http.Handler) http.Handler
}

// TestBroken checks that the named case fails on each broken server and passes on the simulator.
func TestBroken(t *testing.T) {
	for level, servers := range map[suite.Strictness][]broken{
		suite.Lenient:    slices.Concat(brokenForOneModel, brokenAccounts),
		suite.Documented: brokenStatusCodes,
		suite.Exact:      slices.Concat(brokenRequests, brokenResponses),
	} {
		t.Logf("%d broken servers at the level %s", len(servers), level)
		for _, b := range servers {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				b.test(t, level)
			})
		}
	}
}

func (b *broken) test(t *testing.T, level suite.Strictness) {
	synctest.Test(t, func(t *testing.T) {
		if result := b.run(t, level, func(h http.Handler) http.Handler { return h }); result.Outcome != suite.Passed {
			t.Errorf("%s: on the simulator: %s %s", b.catches, result.Outcome, result.Problems)
		}
		if result := b.run(t, level, b.wrap); result.Outcome != suite.Failed {
			t.Errorf("%s: not caught: %s %s", b.catches, result.Outcome, result.Problems)
		}
	})
}

// run runs the case against a server.
func (b *broken) run(t *testing.T, level suite.Strictness, wrap func(http.Handler) http.Handler) *suite.Result {
	t.Helper()
	sim := simulator.New(simulator.WithKey(goodKey))
	c := suite.Config{
		Target:     "http://localhost",
		Key:        goodKey,
		HTTPClient: &http.Client{Transport: handlerTransport{wrap(sim)}},
		Spend:      -1,
		Strictness: level,
		Patience:   10 * time.Minute,
		Run:        regexp.MustCompile("^" + regexp.QuoteMeta(b.catches) + "$" + b.also),
	}
	if strings.HasPrefix(b.catches, "generation-") {
		c.Generations = []string{submitFailing(t, sim)}
	}
	report := run(t, t.Context(), c)
	for _, result := range report.Results {
		if result.Name == b.catches {
			if failed := result.Outcome == suite.Failed; failed == report.OK() {
				t.Errorf("the case %s, but the report says %t", result.Outcome, report.OK())
			}
			return result
		}
	}
	t.Fatalf("there is no case %s", b.catches)
	return nil
}

// A handlerTransport serves requests by a handler in the same process.
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	defer body.Close()
	served := r.Clone(r.Context())
	served.Host, served.RequestURI, served.Body = r.URL.Host, r.URL.RequestURI(), body
	recorder := httptest.NewRecorder()
	h.handler.ServeHTTP(recorder, served)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// submitFailing submits a generation that fails, bypassing the wrapper.
func submitFailing(t *testing.T, sim *simulator.Simulator) string {
	t.Helper()
	sim.Script(simulator.Fail("NSFW", "refused"))
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(
		`{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`))
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	sim.ServeHTTP(recorder, request)
	var members struct{ ID string }
	if err := json.Unmarshal(recorder.Body.Bytes(), &members); err != nil || members.ID == "" {
		t.Fatalf("%d %s", recorder.Code, recorder.Body)
	}
	return members.ID
}

// onText changes the body of submissions.
func onText(change func(string) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				body, _ := io.ReadAll(r.Body)
				text := change(string(body))
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			}
			next.ServeHTTP(w, r)
		})
	}
}

// onRequest changes the members of submissions. Their notation is lost.
func onRequest(change func(members map[string]any)) func(http.Handler) http.Handler {
	return onText(func(text string) string {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var members map[string]any
		if d.Decode(&members) != nil || members == nil || strings.TrimSpace(text[d.InputOffset():]) != "" {
			return text
		}
		change(members)
		encoded, _ := json.Marshal(members)
		return string(encoded)
	})
}

// onlyFor applies a wrapper to submissions of one model.
func onlyFor(slug string, wrap func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	d, _ := spec.BySlug(slug)
	return func(next http.Handler) http.Handler {
		wrapped := wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if bytes.Contains(body, []byte(`"`+d.Model+`"`)) {
				wrapped.ServeHTTP(w, r)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}

// onMember changes one member of submissions.
func onMember(name string, change func(value any) any) func(http.Handler) http.Handler {
	return onRequest(func(members map[string]any) {
		if value, ok := members[name]; ok {
			members[name] = change(value)
		}
	})
}

// refuse rejects the submissions for which when returns true.
func refuse(when func(members map[string]any) bool) func(http.Handler) http.Handler {
	return onRequest(func(members map[string]any) {
		if when(members) {
			delete(members, "model")
		}
	})
}

// onHeader changes requests.
func onHeader(change func(r *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
}

// onResponse changes responses.
func onResponse(change func(r *http.Request, a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := httptest.NewRecorder()
			next.ServeHTTP(a, r)
			change(r, a)
			for name, values := range a.Header() {
				if name != "Content-Length" {
					w.Header()[name] = values
				}
			}
			w.WriteHeader(a.Code)
			if r.Method != http.MethodHead {
				w.Write(a.Body.Bytes())
			}
		})
	}
}

// onMembers changes the members of responses with a status code.
func onMembers(method string, status int, change func(members map[string]any)) func(http.Handler) http.Handler {
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if r.Method == method && a.Code == status && r.URL.Path == path {
			edit(a, change)
		}
	})
}

func edit(a *httptest.ResponseRecorder, change func(members map[string]any)) {
	var members map[string]any
	if json.Unmarshal(a.Body.Bytes(), &members) != nil {
		return
	}
	change(members)
	encoded, _ := json.Marshal(members)
	a.Body = bytes.NewBuffer(encoded)
}

func replaceResponse(a *httptest.ResponseRecorder, status int, contentType, body string) {
	a.Code, a.Body = status, bytes.NewBufferString(body)
	a.Header().Set("Content-Type", contentType)
}

// problem sets a documented error body.
func problem(a *httptest.ResponseRecorder, status int, message string) {
	replaceResponse(a, status, "application/json", fmt.Sprintf(`{"message":%q,"path":%q,"statusCode":%d}`, message, path, status))
}

// on replaces the responses to some requests.
func on(when func(r *http.Request) bool, status int, contentType, body string) func(http.Handler) http.Handler {
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if when(r) {
			replaceResponse(a, status, contentType, body)
		}
	})
}

func is(method string) func(r *http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && r.URL.Path == path }
}

func download(r *http.Request) bool { return strings.Contains(r.URL.Path, "/files/") }

// polled changes the n-th and all later responses to polls of a generation with a status.
func polled(n int, status string, change func(a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		var members struct{ ID, Status string }
		if !is(http.MethodGet)(r) || a.Code != http.StatusOK || json.Unmarshal(a.Body.Bytes(), &members) != nil {
			return
		}
		if status != "" && members.Status != status {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if seen[members.ID]++; seen[members.ID] >= n {
			change(a)
		}
	})
}

// polledOnce changes the n-th response to polls of each generation.
func polledOnce(n int, change func(a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		if !is(http.MethodGet)(r) || a.Code != http.StatusOK {
			return
		}
		id := r.URL.Query().Get("generation_id")
		mu.Lock()
		defer mu.Unlock()
		if seen[id]++; seen[id] == n {
			change(a)
		}
	})
}

func member(names ...string) func(map[string]any) map[string]any {
	return func(members map[string]any) map[string]any {
		for _, name := range names {
			members, _ = members[name].(map[string]any)
		}
		return members
	}
}

var quotedNumber = regexp.MustCompile(`^-?[0-9.]+$`)

func lower(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	return strings.ToLower(text)
}

// firstValue ignores all but the first JSON value of a body.
func firstValue(next http.Handler) http.Handler {
	return onText(func(text string) string {
		var first json.RawMessage
		if json.NewDecoder(strings.NewReader(text)).Decode(&first) != nil {
			return text
		}
		return string(first)
	})(next)
}

func withoutHeader(name string) func(http.Handler) http.Handler {
	return onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Del(name) })
}

// frames returns the documented bounds of num_frames of vace-fun-pose.
func frames() (bounds struct{ min, max int }) {
	d, _ := spec.BySlug("vace-fun-pose")
	schema := d.Request().Properties["num_frames"].Value
	bounds.min, bounds.max = int(*schema.Min), int(*schema.Max)
	return bounds
}
