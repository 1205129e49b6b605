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
)

const (
	goodKey = "the-good-key"
	path    = "/v2/video/generations"
)

// A broken server is the simulator with one behaviour changed.
type broken struct {
	name string
	// catches is the case that has to fail.
	catches string
	// also are cases that have to run beside it, as a regular expression.
	also string
	wrap func(next http.Handler) http.Handler
}

// TestBroken holds that each broken server is caught by the case that is named for it, and that the simulator itself
// passes the same case. No time passes, and nothing goes over a network.
func TestBroken(t *testing.T) {
	all := slices.Concat(brokenServers, brokenLives)
	if len(all) < 110 {
		t.Errorf("only %d broken servers", len(all))
	}
	t.Logf("%d broken servers", len(all))
	for _, b := range all {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if result := b.try(t, func(whole http.Handler) http.Handler { return whole }); result.Outcome != suite.Passed {
					t.Errorf("%s: the simulator isn't broken, but: %s %s", b.catches, result.Outcome, result.Problems)
				}
				if result := b.try(t, b.wrap); result.Outcome != suite.Failed {
					t.Errorf("%s: it survived: %s %s", b.catches, result.Outcome, result.Problems)
				}
			})
		})
	}
}

// try runs the case against a server.
func (b *broken) try(t *testing.T, wrap func(http.Handler) http.Handler) *suite.Result {
	t.Helper()
	sim := simulator.New(simulator.WithKey(goodKey))
	c := suite.Config{
		Target:     "http://localhost",
		Key:        goodKey,
		HTTPClient: &http.Client{Transport: handlerTransport{wrap(sim)}},
		Spend:      -1,
		Exact:      true,
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

// A handlerTransport answers requests by a handler in the same process.
type handlerTransport struct{ handler http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	defer body.Close()
	served := r.Clone(r.Context())
	served.Host, served.RequestURI, served.Body = r.URL.Host, r.URL.RequestURI(), body
	answer := httptest.NewRecorder()
	h.handler.ServeHTTP(answer, served)
	response := answer.Result()
	response.Request = r
	return response, nil
}

// submitFailing makes a generation that fails, past the wrapping.
func submitFailing(t *testing.T, sim *simulator.Simulator) string {
	t.Helper()
	sim.Script(simulator.Fail("NSFW", "refused"))
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(
		`{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`))
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	sim.ServeHTTP(answer, request)
	var members struct{ ID string }
	if err := json.Unmarshal(answer.Body.Bytes(), &members); err != nil || members.ID == "" {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	return members.ID
}

// onText changes the text of a submission before it is looked at.
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

// onRequest changes the members of a submission before they are looked at. Nothing is left of how they were written.
func onRequest(change func(members map[string]any)) func(http.Handler) http.Handler {
	return onText(func(text string) string {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var members map[string]any
		if d.Decode(&members) != nil || members == nil || d.More() {
			return text
		}
		change(members)
		encoded, _ := json.Marshal(members)
		return string(encoded)
	})
}

// onMember changes one member of a submission.
func onMember(name string, change func(value any) any) func(http.Handler) http.Handler {
	return onRequest(func(members map[string]any) {
		if value, ok := members[name]; ok {
			members[name] = change(value)
		}
	})
}

// refuse answers 400 where the members of a submission are of some kind.
func refuse(when func(members map[string]any) bool) func(http.Handler) http.Handler {
	return onRequest(func(members map[string]any) {
		if when(members) {
			delete(members, "model")
		}
	})
}

// onHeader changes the header of a request.
func onHeader(change func(r *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			next.ServeHTTP(w, r)
		})
	}
}

// onAnswer changes answers.
func onAnswer(change func(r *http.Request, a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
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

// onMembers changes the members of answers with a status.
func onMembers(method string, status int, change func(members map[string]any)) func(http.Handler) http.Handler {
	return onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
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

func replaceAnswer(a *httptest.ResponseRecorder, status int, contentType, body string) {
	a.Code, a.Body = status, bytes.NewBufferString(body)
	a.Header().Set("Content-Type", contentType)
}

// problem is a documented error body.
func problem(a *httptest.ResponseRecorder, status int, message string) {
	replaceAnswer(a, status, "application/json", fmt.Sprintf(`{"message":%q,"path":%q,"statusCode":%d}`, message, path, status))
}

// on answers requests of a kind in another way.
func on(when func(r *http.Request) bool, status int, contentType, body string) func(http.Handler) http.Handler {
	return onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
		if when(r) {
			replaceAnswer(a, status, contentType, body)
		}
	})
}

func is(method string) func(r *http.Request) bool {
	return func(r *http.Request) bool { return r.Method == method && r.URL.Path == path }
}

func download(r *http.Request) bool { return strings.Contains(r.URL.Path, "/files/") }

// polled changes the n-th and all further answers to polls about one generation.
func polled(n int, status string, change func(a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
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

// polledOnce changes the n-th answer to polls about each generation.
func polledOnce(n int, change func(a *httptest.ResponseRecorder)) func(http.Handler) http.Handler {
	var mu sync.Mutex
	seen := map[string]int{}
	return onAnswer(func(r *http.Request, a *httptest.ResponseRecorder) {
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

// firstValue takes the first JSON value of a body for the whole.
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
	return onAnswer(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Del(name) })
}
