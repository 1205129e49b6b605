package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

const (
	generations = "/v2/video/generations"

	// Valid submissions.
	move    = `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"}`
	pose    = `{"model":"alibaba/wan2.2-vace-fun-a14b-pose","video_url":"https://example.com/v.mp4","prompt":"A dancer"}`
	reframe = `{"model":"alibaba/wan2.2-vace-fun-a14b-reframe","video_url":"https://example.com/v.mp4"}`
)

// inBubble runs a test with fake time and a simulator in memory.
func inBubble(t *testing.T, f func(t *testing.T, srv *simulator.Server), opts ...simulator.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, simulator.StartInMemory(t, opts...)) })
}

// newRequest makes a request with the usual headers. Headers are written "Name: value"; without
// a value the header isn't sent. A target that isn't a whole URL is a path.
func newRequest(t testing.TB, srv *simulator.Server, method, target, body string, headers ...string) *http.Request {
	t.Helper()
	if strings.HasPrefix(target, "/") {
		target = srv.URL + target
	}
	req, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(target, "/files/") {
		req.Header.Set("Authorization", "Bearer "+srv.Key)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ":")
		if req.Header.Del(name); value != "" {
			req.Header.Set(name, strings.TrimPrefix(value, " "))
		}
	}
	return req
}

// A response is a status code, a header and a whole body.
type response struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request that must get a response.
func ask(t testing.TB, srv *simulator.Server, method, target, body string, headers ...string) response {
	t.Helper()
	res, err := srv.Client().Do(newRequest(t, srv, method, target, body, headers...))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{res.StatusCode, res.Header, b}
}

// A generation is the body of a response.
type generation struct {
	ID, Status, Message string
	Video               struct{ URL string }
}

func (a response) decode(t testing.TB) (g generation) {
	t.Helper()
	if err := json.Unmarshal(a.body, &g); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return g
}

// submit submits a body that must be accepted.
func submit(t testing.TB, srv *simulator.Server, body string, headers ...string) (id string) {
	t.Helper()
	a := ask(t, srv, "POST", generations, body, headers...)
	if a.status != http.StatusOK {
		t.Fatalf("the submission has status %d: %s", a.status, a.body)
	}
	return a.decode(t).ID
}

func pollPath(id string) string { return generations + "?generation_id=" + url.QueryEscape(id) }

func poll(t testing.TB, srv *simulator.Server, id string) generation {
	t.Helper()
	return ask(t, srv, "GET", pollPath(id), "").decode(t)
}

// videoFile reads the file of a size.
func videoFile(t testing.TB, size string) []byte {
	t.Helper()
	b, err := os.ReadFile("videos/" + size + ".mp4")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var token = regexp.MustCompile(`/files/[0-9a-f]{16}/`)

// anonymous returns JSON in one order and without spaces, and with ID and TOKEN for what differs from run to run.
func anonymous(t testing.TB, body []byte, id string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return token.ReplaceAllString(strings.ReplaceAll(string(text), id, "ID"), "/files/TOKEN/")
}
