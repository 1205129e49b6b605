package suite_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// No report contains the key or the data of media, even if the server echoes them.
func TestReportsAreRedacted(t *testing.T) {
	const hostile = `<script>alert(1)</script>`
	echoing := onResponse(func(r *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Key", r.Header.Get("Authorization"))
		a.Header().Set("X-Terminal", "\x1b[2J")
		edit(a, func(m map[string]any) {
			if video := member("video")(m); video != nil {
				video["url"] = video["url"].(string) + "?signature=SIGNED&expires=1"
			}
			m["statusCode"] = "\x1b[2J"
			m["\u202eterces"] = true
		})
		if a.Code == 400 {
			problem(a, 400, hostile+" "+r.Header.Get("Authorization")+" data:image/png;base64,"+strings.Repeat("SECRETDATA", 50)+"\x1b[31m")
		}
	})
	c := served(echoing(simulator.New(simulator.WithKey(goodKey))))
	c.Run = regexp.MustCompile("^animate-move/(image_url|shift)/|^animate-move/(headers|lifecycle)/")
	var report *suite.Report
	synctest.Test(t, func(t *testing.T) { report = run(t, t.Context(), c) })
	if report.OK() {
		t.Error("the target passes although its messages name no pointers")
	}
	for name, text := range reports(t, report) {
		if strings.Contains(text, goodKey) {
			t.Errorf("%s shows the key", name)
		}
		if strings.Contains(text, strings.Repeat("SECRETDATA", 4)) || strings.Contains(text, strings.Repeat("iVBORw0K", 10)) {
			t.Errorf("%s shows data", name)
		}
		if name == "html" && strings.Contains(text, hostile) {
			t.Error("HTML isn't escaped")
		}
		if strings.Contains(text, "SIGNED") || strings.Contains(text, "expires=1") {
			t.Errorf("%s shows the signature of a URL", name)
		}
		if strings.ContainsAny(text, "\x1b\r\u202e") {
			t.Errorf("%s has control characters", name)
		}
		if name != "summary" && !strings.Contains(text, "[API key]") {
			t.Errorf("%s doesn't mark where the key was", name)
		}
	}
}

// A cut text contains at most half of the key.
func TestCutKeys(t *testing.T) {
	const key = "0123456789abcdef0123456789ABCDEF"
	for _, before := range []int{20, 35, 45, 250, 270, 290, 570, 580, 970, 3970} {
		echo := strings.Repeat(". ", before/2) + key
		c := served(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("generation_id") != "" && r.Header.Get("X-Client-Request-Id") == "" {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprintf(w, `{"message":"Generation not found","statusCode":404}`)
				return
			}
			w.Header().Set("Content-Type", echo)
			w.Header().Set("X-Client-Request-Id", echo)
			w.Header().Set("X-Inference-Id", echo)
			if r.Method == http.MethodPost && strings.Contains(r.Header.Get("X-Client-Request-Id"), "submit") {
				fmt.Fprintf(w, `{"id":%q,"status":"queued",%q:1}`, echo, echo)
				return
			}
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `{"message":%q,"statusCode":%q,"path":%[1]q}`, echo, echo)
		}))
		c.Key, c.Patience = key, 1
		c.Run = regexp.MustCompile("^animate-move/(headers|lifecycle|http|auth)/|^animate-move/shift/(null|3)$|^submissions/")
		for name, text := range reports(t, run(t, t.Context(), c)) {
			for _, half := range []string{key[:16], key[8:24], key[16:]} {
				if i := strings.Index(text, half); i >= 0 {
					t.Errorf("after %d characters, %s shows half of the key: %q", before, name, text[max(0, i-60):i+16])
				}
			}
		}
	}
}

// Reports are bounded, whatever the server sends.
func TestReportsAreBounded(t *testing.T) {
	chatty := onMembers(http.MethodPost, 400, func(m map[string]any) {
		m["message"] = strings.Repeat("chatter ", 10_000)
		for i := range 1000 {
			m[fmt.Sprint("extra", i)] = i
		}
	})
	c := served(onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) {
		a.Header().Set("X-Chatter", strings.Repeat("x", 100_000))
	})(
		chatty(simulator.New(simulator.WithKey(goodKey)))))
	c.Run = regexp.MustCompile("^animate-move/shift/null$")
	report := run(t, t.Context(), c)
	for name, text := range reports(t, report) {
		if len(text) > 50_000 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	if n := len(report.Results[0].Undocumented); n != 21 {
		t.Errorf("%d notes", n)
	}
}
