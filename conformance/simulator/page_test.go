package simulator_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// The page needs no key, leaves no trace in the ledger and uses up no fault.
func TestPage(t *testing.T) {
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	fresh := string(ask(t, srv, "GET", "/simulator/state", "").body)
	if !strings.Contains(fresh, `"jobs": []`) || !strings.Contains(fresh, `"requests": []`) {
		t.Errorf("before anything has happened, the state is %s", fresh)
	}
	for range 70 {
		submit(t, srv, move)
	}
	ask(t, srv, "POST", generations, "{}")
	srv.Inject(simulator.Fault{Effect: simulator.Status(500)})

	page := ask(t, srv, "GET", "/", "", "Authorization:")
	if page.status != http.StatusOK || page.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the page has status %d with %v", page.status, page.header)
	}
	if outside := regexp.MustCompile(`(src|href|url|import|fetch)\b\W{0,3}(https?:)?//|innerHTML`).Find(page.body); outside != nil {
		t.Errorf("the page contains %q", outside)
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; ") {
		t.Errorf("the page's policy is %q", csp)
	}

	if !strings.Contains(string(page.body), "<noscript>") || !strings.Contains(string(page.body), "60 of 70 jobs") {
		t.Error("without JavaScript, the page shows no jobs")
	}
	last := srv.Ledger().Jobs[0].ID // on the second page
	for query, want := range map[string]string{"?offset=60": last, "?text=" + last: "1 of 1 jobs", "?status=error&model=": "0 of 0 jobs", "": `href="?offset=60"`} {
		if a := ask(t, srv, "GET", "/"+query, ""); !strings.Contains(string(a.body), want) {
			t.Errorf("without JavaScript, the page %s shows no %q", query, want)
		}
	}
	if a := ask(t, srv, "GET", "/?offset=-1", ""); a.status != http.StatusOK {
		t.Errorf("an invalid query has status %d", a.status)
	}

	var state simulator.Ledger
	if err := json.Unmarshal(ask(t, srv, "GET", "/simulator/state", "", "Authorization:").body, &state); err != nil {
		t.Fatal(err)
	}
	ledger := srv.Ledger()
	if state.Created != 70 || len(state.Jobs) != 60 || len(state.Requests) != 60 {
		t.Errorf("the page shows %d jobs of %d and %d requests", len(state.Jobs), state.Created, len(state.Requests))
	}
	if state.Jobs[0].ID != ledger.Jobs[69].ID || len(state.Requests[0].Findings) != 1 {
		t.Error("the page doesn't show the newest")
	}

	file := videoFile(t, "854x480")
	video := ask(t, srv, "GET", "/simulator/videos/"+state.Jobs[0].Size+".mp4", "", "Range: bytes=0-99")
	if video.status != http.StatusPartialContent || video.header.Get("Content-Type") != "video/mp4" || !bytes.Equal(video.body, file[:100]) {
		t.Errorf("the page's video has status %d with %d bytes", video.status, len(video.body))
	}
	if l := srv.Ledger(); len(l.Requests) != 71 || l.Downloads != 0 || l.Rejected != 1 {
		t.Errorf("looking at the page makes %d requests, %d downloads and %d rejected", len(l.Requests), l.Downloads, l.Rejected)
	}
	for _, path := range []string{"/simulator/videos/", "/simulator/videos/1x1.mp4", "/simulator/videos/..%2fpage.html"} {
		if a := ask(t, srv, "GET", path, ""); a.status == http.StatusOK {
			t.Errorf("%s has status %d: %.100s", path, a.status, a.body)
		}
	}
	if a := ask(t, srv, "GET", pollPath("any"), ""); a.status != 500 {
		t.Errorf("the fault is gone: %d", a.status)
	}
}
