package main

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/conformance/suite"
)

// Without a target, the built-in simulator is checked and conforms. All reports are written.
func TestConformance(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	result := runWan(t, t.Context(), new(buffer), "conformance", "--run", "^(animate-move|generation-1|json)/",
		"--junit", file("r.xml"), "--json", file("r.json"), "--html", file("r.html"))
	if result.code != exitDone || !strings.Contains(result.stdout, "\nPASS: ") || !strings.Contains(result.stdout, "(exact)") {
		t.Fatalf("exit code %d\n%s%s", result.code, result.stdout, result.stderr)
	}
	var report suite.Report
	data, err := os.ReadFile(file("r.json"))
	if err != nil || json.Unmarshal(data, &report) != nil {
		t.Fatal(err)
	}
	outcomes := map[string]suite.Outcome{}
	for _, r := range report.Results {
		outcomes[r.Name] = r.Outcome
	}
	for _, name := range []string{"animate-move/lifecycle/url-serves-a-video", "generation-1/lifecycle/error-has-reason", "animate-move/json/duplicate", "animate-move/shift/null"} {
		if outcomes[name] != suite.Passed {
			t.Errorf("%s: %q", name, outcomes[name])
		}
	}
	var junit struct {
		Tests int `xml:"tests,attr"`
	}
	if data, err = os.ReadFile(file("r.xml")); err != nil || xml.Unmarshal(data, &junit) != nil || junit.Tests != len(report.Results) {
		t.Errorf("%v: %d tests in JUnit, %d in JSON", err, junit.Tests, len(report.Results))
	}
	if data, err = os.ReadFile(file("r.html")); err != nil || !strings.Contains(string(data), "</html>") {
		t.Error(err)
	}
}

// The exit codes distinguish a conforming target, another one, and a failed setup.
func TestConformanceTarget(t *testing.T) {
	s := newServer(t)
	lax := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			return // with 200
		}
		s.ServeHTTP(w, r)
	}))
	defer lax.Close()
	down := newServer(t)
	down.Close()
	t.Setenv("AIML_API_KEY", s.Key)
	deviations := filepath.Join(t.TempDir(), "d.yaml")
	if err := os.WriteFile(deviations, []byte("animate-move/http/put: it accepts everything\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"pass", []string{"--target", s.URL + "/v2", "--run", "^http/"}, exitDone, "PASS: 17 cases", ""},
		{"exactly", []string{"--target", s.URL, "--strictness", "exact", "--run", "^json/brace"}, exitDone, "(exact)", ""},
		{"fail", []string{"--target", lax.URL, "--run", "^animate-move/http/put$"}, exitTrouble, "FAIL animate-move/http/put\n     expected rejected: 4xx; received 200", "the target doesn't conform"},
		{"known", []string{"--target", lax.URL, "--run", "^animate-move/http/put$", "--spend", "1", "--deviations", deviations}, exitDone, "it accepts everything", ""},
		{"known no more", []string{"--target", s.URL, "--run", "^animate-move/http/put$", "--spend", "1", "--deviations", deviations}, exitTrouble, `it passes: remove "animate-move/http/put"`, "the target doesn't conform"},
		{"no case sent", []string{"--target", s.URL, "--run", "^animate-move/everything$"}, exitTrouble, "FAIL: no case was sent", "the target doesn't conform"},
		{"spend", []string{"--target", s.URL, "--run", "^animate-move/everything$", "--spend", "1"}, exitDone, "1 accepted of a limit of 1", ""},
		{"skip", []string{"--target", s.URL, "--run", "^http/p", "--skip", "path"}, exitInput, "", "no case matches"},
		{"unreachable", []string{"--target", down.URL}, exitInput, "", "the target can't be reached"},
		{"wrong key", []string{"--target", s.URL, "--key", "wrong"}, exitInput, "", "the target rejects the key"},
		{"no URL", []string{"--target", "example.com"}, exitInput, "", "target: not an http or https URL"},
		{"plain http", []string{"--target", "http://example.com"}, exitInput, "", "plain http exposes the API key"},
		{"bad expression", []string{"--run", "("}, exitInput, "", `"--run" flag: error parsing regexp`},
		{"no deviations", []string{"--deviations", "no-such-file"}, exitInput, "", `"--deviations" flag: open no-such-file`},
		{"bad deviations", []string{"--deviations", hero}, exitInput, "", "deviations: "},
		{"report below a file", []string{"--html", filepath.Join(hero, "r.html")}, exitInput, "", "--html: "},
		{"report is a directory", []string{"--junit", "."}, exitInput, "", "--junit: . is a directory"},
		{"generation of the simulator", []string{"--generation", "x"}, exitInput, "", "--generation requires --target"},
		{"key of the simulator", []string{"--key", "x"}, exitInput, "", "--key requires --target"},
		{"way to the simulator", []string{"--insecure-http"}, exitInput, "", "--insecure-http requires --target"},
		{"empty target", []string{"--target", ""}, exitInput, "", "--target is empty"},
		{"empty key", []string{"--target", s.URL, "--key", ""}, exitInput, "", "--key is empty"},
		{"empty generation", []string{"--target", s.URL, "--generation", ""}, exitInput, "", "a generation id is empty"},
		{"no patience", []string{"--patience", "0s"}, exitInput, "", "--patience must be positive"},
		{"negative patience", []string{"--target", s.URL, "--patience", "-1s"}, exitInput, "", "--patience must be positive"},
		{"one model", []string{"--target", s.URL, "--model", "vace-fun-pose", "--run", "/null$"}, exitDone, "PASS: 29 cases; 1 were left out", ""},
		{"unknown model", []string{"--model", "sora"}, exitInput, "", `unknown model "sora"`},
		{"level", []string{"--target", s.URL, "--strictness", "documented", "--run", "/shift/null$"}, exitDone, "(documented)", ""},
		{"unknown level", []string{"--strictness", "harsh"}, exitInput, "", `"--strictness" flag: strictness "harsh" is not one of lenient, documented, exact`},
		{"list", []string{"--target", s.URL, "--list", "--run", "animate-move/shift/null"}, exitDone, "animate-move/shift/null  rejected: 4xx  null isn't a value of its type\n", ""},
		{"report exists", []string{"--json", deviations}, exitInput, "", "--json: " + deviations + " exists; choose another name or use --overwrite"},
		{"no time", []string{"--max-time", "0s"}, exitInput, "", "--max-time must be positive"},
		{"no concurrency", []string{"--concurrency", "0"}, exitInput, "", "--concurrency must be positive"},
		{"two reports to stdout", []string{"--json", "-", "--html", "-"}, exitInput, "", "only one report can be written to stdout"},
		{"bad flag", []string{"--spend", "all"}, exitInput, "", "--spend"},
		{"argument", []string{"x"}, exitInput, "", "unknown command"},
	} {
		t.Run(test.name, func(t *testing.T) {
			result := runWan(t, t.Context(), new(buffer), append([]string{"conformance"}, test.args...)...)
			if result.code != test.code || !strings.Contains(result.stdout, test.stdout) || !strings.Contains(result.stderr, test.stderr) ||
				test.stderr == "" && result.stderr != "" || test.code == exitInput && result.stdout != "" {
				t.Errorf("exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", result.code, test.code, result.stdout, result.stderr)
			}
		})
	}
	if n := s.Ledger().Created; n != 1 {
		t.Errorf("%d jobs were created, want 1", n)
	}
}

// A report may be written to a pipe, as in --json >(jq .counts).
func TestConformanceToPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("this system has no /dev/fd")
	}
	var report suite.Report
	read := make(chan error)
	go func() { read <- json.NewDecoder(r).Decode(&report) }()
	result := runWan(t, t.Context(), new(buffer), "conformance", "--run", "^auth/", "--json", path)
	w.Close()
	if err := <-read; err != nil || result.code != exitDone || len(report.Results) != 8 {
		t.Errorf("%v, %d cases\nexit code %d\n%s%s", err, len(report.Results), result.code, result.stdout, result.stderr)
	}
}

// A report on stdout moves the summary to stderr.
func TestConformanceToStdout(t *testing.T) {
	result := runWan(t, t.Context(), new(buffer), "conformance", "--run", "^auth/", "--json", "-")
	var report suite.Report
	if err := json.Unmarshal([]byte(result.stdout), &report); err != nil || report.Version != 1 || !strings.Contains(result.stderr, "PASS: 8 cases") {
		t.Errorf("%v\n%s%s", err, result.stdout, result.stderr)
	}
}

func TestConformanceOverwrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	for range 2 {
		runWan(t, t.Context(), new(buffer), "conformance", "--run", "^auth/", "--json", path, "--overwrite")
	}
	data, err := os.ReadFile(path)
	if err != nil || !json.Valid(data) {
		t.Error(err)
	}
}

// A target that hangs doesn't hang the command.
func TestConformanceHangs(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer target.Close()
	t.Setenv("AIML_API_KEY", "the-key")
	result := runWan(t, t.Context(), new(buffer), "conformance", "--target", target.URL, "--max-time", "200ms")
	if result.code != exitTrouble || !strings.Contains(result.stdout, "FAIL: the run reached its limit of 200ms") {
		t.Errorf("exit code %d\n%s%s", result.code, result.stdout, result.stderr)
	}
}

func TestConformanceNoKey(t *testing.T) {
	s := newServer(t)
	t.Setenv("AIML_API_KEY", "")
	runWan(t, t.Context(), new(buffer), "conformance", "--target", s.URL).check(t, exitInput, "", "no API key: add --key")
	s.nothingSent(t)
}

// Ctrl-C leaves a report, which fails.
func TestConformanceInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newServer(t, simulator.WithTimeline(simulator.Timeline{{Status: "queued"}}))
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l := s.Ledger(); l.Rejected > 200 {
			cancel()
		}
		s.ServeHTTP(w, r)
	}))
	defer target.Close()
	result := runWan(t, ctx, new(buffer), "conformance", "--target", target.URL, "--spend", "1")
	if result.code != exitTrouble || !strings.Contains(result.stdout, "FAIL: ") || !strings.Contains(result.stdout, "the run was interrupted") || strings.Contains(result.stdout, "PASS") ||
		!strings.HasSuffix(result.stderr, "wan: the run was interrupted\n") {
		t.Errorf("exit code %d\n%s%s", result.code, result.stdout, result.stderr)
	}
}

// On a pipe, a line every ten seconds shows that the run goes on, and what it waits for.
func TestConformanceProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := newProgress(&b, false)
		show := progressPrinter(p)
		for second := range 25 {
			show(suite.Progress{Done: second, Total: 100, Failed: 1, Waiting: 4, Patience: time.Duration(312-second) * time.Second})
			time.Sleep(time.Second) // of the bubble
		}
		p.stop()
		want := "10 of 100 cases, 1 failed; generations to wait for: 4, with 302 s left of the patience\n" +
			"20 of 100 cases, 1 failed; generations to wait for: 4, with 292 s left of the patience\n"
		if b.String() != want {
			t.Errorf("got\n%s", b.String())
		}
	})
}
