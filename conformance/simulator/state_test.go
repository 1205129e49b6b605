package simulator_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// Another simulator on the same file goes on where the first one ended, also after a line that wasn't written to its end.
func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.jsonl")
	options := []simulator.Option{simulator.WithState(path), simulator.WithKey("secret-key-1234"), simulator.WithTimeline(simulator.Complete(0, time.Hour)),
		simulator.WithRetention(24 * time.Hour), simulator.WithSeed(7)}
	first := simulator.Start(t, options...)
	id := submit(t, first, move, "X-Client-Request-Id: kept")
	odd := submit(t, first, move, `X-Simulator-Timeline: [{"status":"dreaming"},{"status":"completed","omit":["meta"],"set":{"x":1}}]`)
	first.Advance(30 * time.Minute)
	want := first.Ledger()
	if _, err := simulator.Listen("127.0.0.1:0", options...); err == nil || !strings.Contains(err.Error(), "another simulator uses") {
		t.Errorf("a second simulator on the same file: %v", err)
	}
	first.Close()
	if _, err := simulator.Listen("nonsense", options...); err == nil {
		t.Error("it listens on nonsense")
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString(`{"job":{"id":"bro`); err != nil {
		t.Fatal(err)
	}
	file.Close()
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "secret-key-1234") {
		t.Errorf("the file shows the key, or %v", err)
	}

	second := simulator.Start(t, options...)
	if again := submit(t, second, move); again == id {
		t.Errorf("a restart with the same seed gives another job the id %s", id)
	}
	got := second.Ledger()
	if got.Created != 3 || got.Charged != want.Charged || got.Jobs[0].ID != id || got.Jobs[0].ClientRequestID != "kept" ||
		string(got.Jobs[0].Body) != string(want.Jobs[0].Body) || got.Jobs[0].Created.UnixNano() != want.Jobs[0].Created.UnixNano() {
		t.Errorf("the ledger is %+v, want %+v", got, want)
	}
	if g := poll(t, second, id); g.Status != "generating" {
		t.Errorf("the job is %q", g.Status)
	}
	if a := ask(t, second, "GET", pollPath(odd), ""); !strings.Contains(string(a.body), `"x": 1`) || strings.Contains(string(a.body), "meta") {
		t.Errorf("%s", a.body)
	}
	second.Advance(31 * time.Minute)
	url := poll(t, second, id).Video.URL
	second.Inject(simulator.Fault{On: simulator.Download, Times: 1, Effect: simulator.Expire()})
	ask(t, second, "GET", url, "")
	second.Close()

	third := simulator.Start(t, options...)
	if a := ask(t, third, "GET", strings.Replace(url, second.URL, third.URL, 1), ""); a.status != http.StatusForbidden {
		t.Errorf("the expired URL has status %d", a.status)
	}
	if a := ask(t, third, "GET", poll(t, third, id).Video.URL, ""); a.status != http.StatusOK {
		t.Errorf("the result has status %d", a.status)
	}
	if page := get[logs](t, third, "/v2/logs?period=24h"); len(page.Data) != 2 {
		t.Errorf("%d rows of the key", len(page.Data))
	}

	third.Close()
	if err := os.WriteFile(path, []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.Listen("127.0.0.1:0", options...); err == nil || !strings.Contains(err.Error(), "state.jsonl:1") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestTLS(t *testing.T) {
	helper := httptest.NewUnstartedServer(nil)
	helper.StartTLS()
	defer helper.Close()
	srv := simulator.Start(t, simulator.WithCertificate(helper.TLS.Certificates[0]), simulator.WithTimeline(simulator.Complete(0, 0)))
	res, err := srv.Client().Do(newRequest(t, srv, "POST", generations, move))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.ProtoMajor != 2 || !strings.HasPrefix(srv.URL, "https://") {
		t.Errorf("%s over %s", srv.URL, res.Proto)
	}
	if url := poll(t, srv, submit(t, srv, move)).Video.URL; !strings.HasPrefix(url, srv.URL) {
		t.Errorf("the result is at %s", url)
	}
	if _, err := simulator.Listen("127.0.0.1:0", simulator.WithCertificate(tls.Certificate{})); err == nil {
		t.Error("an empty certificate is accepted")
	}
}
