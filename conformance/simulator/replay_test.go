package simulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aimlvideo/wan-go/conformance"
	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// What a proxy has recorded is replayed by a simulator. The files hold neither the key nor signatures.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	srv := simulator.Start(t, simulator.WithKey("secret-key-of-a-user"))
	srv.Script(simulator.Timeline{{Status: "queued", For: time.Second}, {Status: "error", Set: map[string]any{
		"error": map[string]any{"name": "NSFW", "message": "see https://cdn.example.com/x?signature=abc for secret-key-of-a-user"}}}}, simulator.Complete(0, time.Second))
	upstream, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(conformance.NewProxy(upstream, &conformance.Transport{Base: &conformance.Recorder{
		Dir: dir, OnError: func(err error) { t.Error(err) }}}))
	defer proxy.Close()
	through := &simulator.Server{Simulator: srv.Simulator, URL: proxy.URL, Key: srv.Key}
	get := func(method, target, body string) generation {
		res, err := http.DefaultClient.Do(newRequest(t, through, method, target, body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response{body: b}.decode(t)
	}
	failed, completed := get("POST", generations, move).ID, get("POST", generations, pose).ID
	get("GET", pollPath(failed), "")
	srv.Advance(time.Minute)
	for _, id := range []string{failed, completed} {
		get("GET", pollPath(id), "")
	}

	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) != 5 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "secret-key") || strings.Contains(string(text), "signature=abc") {
			t.Errorf("%v %s", err, text)
		}
	}

	again := simulator.Start(t, simulator.WithReplay(os.DirFS(dir)))
	first, second := submit(t, again, move), submit(t, again, move)
	again.Advance(time.Hour / 2)
	a := ask(t, again, "GET", pollPath(first), "")
	if g := poll(t, again, second); a.decode(t).Status != "error" || !strings.Contains(string(a.body), "NSFW") ||
		g.Status != "completed" || !strings.HasPrefix(g.Video.URL, again.URL) {
		t.Errorf("%s %+v", a.body, g)
	}
	for _, dir := range []fstest.MapFS{{}, {"a.json": {Data: []byte("{")}}} {
		if _, err := simulator.Listen("127.0.0.1:0", simulator.WithReplay(dir)); err == nil {
			t.Error("an unusable recording is accepted")
		}
	}
}
