package suite_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// Equal failures are grouped. The first shows what was sent, expected and received, where the verdict is from, and how to
// send it again.
func TestSummaryOfFailures(t *testing.T) {
	c := served(on(is(http.MethodPost), 500, "application/json", `{"message":"out of order","statusCode":500}`)(simulator.New(simulator.WithKey(goodKey))))
	c.Strictness = suite.Documented
	c.Run = regexp.MustCompile("^vace-fun-pose/num_frames/|^animate-move/shift/null$")
	text := summary(t, run(t, t.Context(), c))
	for _, want := range []string{
		"cases alike, such as vace-fun-pose/num_frames/",
		"expected accepted: 200 or 201; received 500: \"out of order\"",
		"(spec/vace-fun-pose.yaml:",
		"sent:  curl -X POST 'http://localhost/v2/video/generations' -H \"Authorization: Bearer $AIML_API_KEY\" -H 'Content-Type: application/json' --data-binary '{\"model\":\"alibaba/wan2.2-vace-fun-a14b-pose\"",
		"got:   500 {\"message\":\"out of order\",\"statusCode\":500}",
		"rerun: wan conformance --target http://localhost --strictness documented --spend -1 --run '^vace-fun-pose/num_frames/",
		"also:  vace-fun-pose/num_frames/", " more\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(text, " alike, such as"); n > 3 { // what should be accepted, and what should be rejected
		t.Errorf("%d kinds of failures in\n%s", n, text)
	}
}

// A summary names 20 cases for each reason.
func TestSummaryIsShort(t *testing.T) {
	c := served(simulator.New(simulator.WithKey(goodKey)))
	c.Spend, c.Run = 0, regexp.MustCompile("^vace-fun-pose/pairs/")
	report := run(t, t.Context(), c)
	text := summary(t, report)
	_, listed, _ := strings.Cut(text, "the spending limit is reached\n")
	listed, more, found := strings.Cut(listed, "     and ")
	if n := report.Counts[suite.LeftOut]; strings.Count(listed, "\n") != 20 || !found || !strings.HasPrefix(more, fmt.Sprint(n-20)+" more\n") {
		t.Error(text)
	}
}

// A failure says how to run its case again, unless nothing outside of the program can.
func TestRerun(t *testing.T) {
	const name = "animate-move/shift/null"
	sim := simulator.New(simulator.WithKey(goodKey))
	for want, change := range map[string]func(*suite.Config){
		"\n     rerun: wan conformance --target http://localhost --strictness exact --spend -1 --run '^" + name + "$'\n": func(*suite.Config) {},
		"\n     rerun: wan conformance --target http://localhost --generation 'a'\\''b' --strictness exact --spend -1 --run '^" + name + "$'\n": func(c *suite.Config) {
			c.Generations = []string{"a'b"}
		},
		"\n     rerun: wan conformance --strictness exact --spend -1 --run '^" + name + "$'\n": func(c *suite.Config) { c.Name = "the built-in simulator" },
		"\ntarget  handler (exact)\n": func(c *suite.Config) {
			*c = suite.Config{Handler: sim, Key: goodKey, Strictness: suite.Exact}
		},
	} {
		c := served(sim)
		change(&c)
		c.Run = regexp.MustCompile("^" + name + "$")
		c.Deviations = suite.Deviations{name: {Reason: "it passes"}}
		if text := summary(t, run(t, t.Context(), c)); !strings.Contains(text, want) || c.Handler != nil && strings.Contains(text, "rerun") {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// A run of one case prints no matrix.
func TestSummaryOfOne(t *testing.T) {
	c := served(simulator.New(simulator.WithKey(goodKey)))
	c.Run = regexp.MustCompile("^animate-move/shift/null$")
	if text := summary(t, run(t, t.Context(), c)); strings.Contains(text, "\ntype") || !strings.Contains(text, "PASS: 1 cases") {
		t.Error(text)
	}
}

// The curl command quotes what a shell would read, and keeps the key out.
func TestCurl(t *testing.T) {
	c := served(onResponse(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("X-Client-Request-Id", "") })(simulator.New(simulator.WithKey(goodKey))))
	c.Run = regexp.MustCompile("^animate-move/auth/(submit-key-header|submit-key-in-query)$|^animate-move/json/single-quotes$|^http/head-unknown-id$|^vace-fun-pose/(vendor-http-example|chunked|prompt/(2000-characters|nul)|video_url/data-100-KiB)$")
	report := run(t, t.Context(), c)
	for name, want := range map[string]string{
		"vace-fun-pose/vendor-http-example":     `"sync_mode":true}'`,
		"vace-fun-pose/prompt/2000-characters":  `... (2101 bytes)' # the body is cut or redacted`,
		"vace-fun-pose/prompt/nul":              `a\u0000b"}'`,
		"vace-fun-pose/video_url/data-100-KiB":  `# with 102400 bytes of base64 in the data URI`,
		"vace-fun-pose/chunked":                 `-H 'Transfer-Encoding: chunked' --data-binary`,
		"animate-move/auth/submit-key-header":   `-H "X-Api-Key: $AIML_API_KEY"`,
		"animate-move/auth/submit-key-in-query": `?api_key={key}&key={key}'`,
		"animate-move/json/single-quotes":       `--data-binary '{'\''mood'\'':1,`,
		"http/head-unknown-id":                  `curl --head 'http`,
	} {
		if got := result(t, report, name).Exchanges[0].Request; !strings.Contains(got, want) || strings.Contains(got, goodKey) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
