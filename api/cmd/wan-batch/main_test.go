package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api/batch"
	"github.com/aimlvideo/wan-go/api/cmd/internal/login"
)

// command runs the command and returns its exit code and output.
func command(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &console{stdin: strings.NewReader(stdin), stdout: &out, stderr: &err})
	return code, out.String(), err.String()
}

// A simulated batch keeps all its files apart, resumes after an interrupt, and is found by the other commands.
func TestSimulate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "videos")
	args := []string{
		"run", "../../batch/testdata/example.jsonl", "--simulate", "-o", dir, "--json",
		"--exec", `cp {file} '` + filepath.Dir(dir) + `/copy of {custom_id}.mp4'`,
	}
	interrupts := make(chan os.Signal, 1)
	var stdout, stderr bytes.Buffer
	time.AfterFunc(2*time.Second, func() { interrupts <- os.Interrupt })
	code := run(t.Context(), args, &console{stdout: &stdout, stderr: &stderr, interrupts: interrupts})
	if code != exitRunning || !strings.Contains(stderr.String(), "To resume: ") || strings.Contains(stderr.String(), "stopped, stopped") {
		t.Fatalf("interrupted: exit code %d\n%s", code, &stderr)
	}
	for range 2 { // the second run has nothing to do
		code, stdout, stderr := command(t, "", args...)
		var status batch.Status
		if err := json.Unmarshal([]byte(stdout), &status); err != nil || code != exitDone {
			t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
		}
		if status.RequestCounts != (batch.RequestCounts{Total: 4, Completed: 4}) || !strings.Contains(stderr, "simulated, nothing spent") {
			t.Errorf("%+v\n%s", status, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "copy of hero-720p.mp4")); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("beside %s: %v, %v", simulated, entries, err)
	}
	if code, stdout, _ := command(t, "", "export", dir); code != exitDone || strings.Count(stdout, "\n") != 4 {
		t.Errorf("export: exit code %d\n%s", code, stdout)
	}
	if code, stdout, stderr := command(t, "", "status", dir); code != exitDone || !strings.HasPrefix(stdout, "4 of 4 saved\n") {
		t.Errorf("status: exit code %d, %s%s", code, stdout, stderr)
	}
}

func TestManifestProblems(t *testing.T) {
	manifest := strings.Join([]string{
		`{"custom_id":"good","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"}`,
		`{"custom_id":"good","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"}`,
		`{"model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"missing.png"}`,
		`{"model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png","resolution":"8k"}`,
		`{"model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png","resolution_":"480p"}`,
		`{"model":"no-such-model"}`,
		`{"custom_id":"","method":"GET","url":"/v1/x","body":{"model":"animate-move","video_url":"https://example.com/a.mp4"},"priority":1}`,
		`not json`,
	}, "\n")
	dir := filepath.Join(t.TempDir(), "videos")
	code, _, stderr := command(t, manifest, "run", "-", "--simulate", "-o", dir)
	if code != exitInput {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"line 2: custom_id: good stands in line 1", "line 3: image_url: missing.png", "line 4: resolution: expected one of",
		"line 5: resolution_", "line 6: model: expected one of", "line 7: priority", "line 7: custom_id", "line 7: method", "line 7: url", "line 7: image_url", "line 8: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in\n%s", want, stderr)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("something was written")
	}
}

func TestCSV(t *testing.T) {
	table := "custom_id,model,video_url,prompt,num_frames,image_list,resolution\n" +
		"a,vace-fun-pose,https://example.com/a.mp4,\"a dancer, in red\",121,https://example.com/1.png|https://example.com/2.png,\n"
	m, err := readManifest(t.Context(), "-", "", false, strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	lines := slices.Collect(m.all)
	body := lines[0].Body
	if len(lines) != 1 || lines[0].CustomID != "a" || body["prompt"] != "a dancer, in red" || body["num_frames"] != json.Number("121") || len(body["image_list"].([]any)) != 2 || body["resolution"] != nil {
		t.Errorf("%+v", lines)
	}
}

func TestCSVProblems(t *testing.T) {
	table := "custom_id,model,video_url,image_url,resoluton,shift\n" +
		"a,animate-move,https://example.com/a.mp4,https://example.com/a.png,720p,much\n" +
		"b,animate-move\n" +
		"c,no-such-model,,,,\n"
	_, err := readManifest(t.Context(), "-", "", false, strings.NewReader(table))
	for _, want := range []string{"4 problems", "line 1: resoluton", "line 2: shift", "line 3: wrong number of fields", "line 4: model"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestChangedLine(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "videos")
	line := `{"custom_id":"a","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"%s}`
	if code, _, stderr := command(t, strings.Replace(line, "%s", "", 1), "run", "-", "--simulate", "-o", dir); code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	code, _, stderr := command(t, strings.Replace(line, "%s", `,"resolution":"720p"`, 1), "run", "-", "--simulate", "-o", dir)
	if code != exitInput || !strings.Contains(stderr, `a: resolution (none) -> "720p"`) {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "videos")
	manifest := ""
	for _, id := range []string{"a", "b", "c"} {
		manifest += `{"custom_id":"` + id + `","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"}` + "\n"
	}
	code, _, stderr := command(t, manifest, "run", "-", "--simulate", "-o", dir, "--until", "1ns")
	if code != exitTrouble || !strings.Contains(stderr, "3 pending, 0 in flight") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	dir = filepath.Join(dir, simulated)
	for _, step := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"cancel", dir, "--all", "b"}, exitInput, `"b" is neither`},
		{[]string{"cancel", dir, "a"}, exitDone, "1 line canceled\n"},
		{[]string{"cancel", "a", "-o", dir}, exitInput, `"a": no line in a state that allows it`},
		{[]string{"cancel", "--all", "-o", dir}, exitDone, "2 lines canceled\n"},
		{[]string{"retry", dir, "--failed"}, exitDone, "0 lines to be resumed by the next run\n"},
		{[]string{"resolve", "--resubmit", "--all", "-o", dir}, exitDone, "0 lines to be submitted again by the next run\n"},
		{[]string{"status", dir}, exitDone, "0 of 3 saved: 3 canceled\n"},
		{[]string{"export", dir}, exitDone, `"custom_id":"c"`},
	} {
		if code, stdout, stderr := command(t, "", step.args...); code != step.code || !strings.Contains(stdout+stderr, step.want) {
			t.Errorf("%q: exit code %d, %s%s", step.args, code, stdout, stderr)
		}
	}
}

// Bad usage exits with 2 before anything is written.
func TestUsage(t *testing.T) {
	t.Setenv("AIML_API_KEY", "")
	t.Setenv("AIMLAPI_API_KEY", "")
	dir := t.TempDir()
	manifest := filepath.Join(dir, "jobs.jsonl")
	line := `{"custom_id":"a","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"}`
	if err := os.WriteFile(manifest, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for _, args := range [][]string{
		{"bogus"}, {"run"}, {"run", "missing.jsonl"}, {"run", manifest}, {"status", dir}, {"status", "a", "b"}, {"status", "--nonsense"}, {"work"}, {"resolve", "a"},
		{"resolve", "--resubmit"}, {"retry"}, {"retry", "a", "--failed"}, {"cancel", "a", "--all"}, {"export"}, {"recover", manifest}, {"recover"},
		{"ui", "--addr", "0.0.0.0:80"}, {"run", manifest, "--simulate", "--batch", "x"}, {"run", manifest, "--batch", "simulated"},
		{"run", manifest, "--simulate", "--exec", "cp {files} x"}, {"run", manifest, "--simulate", "--exec", "cp 'x"}, {"run", manifest, "--simulate", "--exec", "" + " "},
		{"run", manifest, "--simulate", "--until", "soon"}, {"run", manifest, "--simulate", "-o", "one.mp4{x}"}, {"run", manifest, "--simulate", "-o", "{custom_id}{x}"}, {"run", manifest, "--simulate", "-o", "videos/x.mp4"}, {"run", manifest, "--simulate", "-o", manifest},
		{"run", manifest, "--simulate", "--concurrency", "-1"}, {"run", manifest, "--simulate", "--concurrency", "0"}, {"run", manifest, "--simulate", "--exec", "no-such-program {file}"}, {"run", manifest, "--simulate", "--rate", "-1"}, {"run", manifest, "--simulate", "--max-usd", "-1"},
		{"run", manifest, "--simulate", "--base-url", "http://127.0.0.1:1"}, {"run", manifest, "--simulate", "--stop-after-failures", "-1"},
	} {
		if code, _, stderr := command(t, "", args...); code != exitInput || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("something was written: %v, %v", entries, err)
	}
}

// A command's help has the environment and the exit codes that it uses.
func TestHelp(t *testing.T) {
	for _, test := range []struct {
		args []string
		want bool
	}{{[]string{"--help"}, true}, {[]string{"run", "--help"}, true}, {[]string{"work", "-h"}, true}, {[]string{"status", "--help"}, false}, {[]string{"help", "export"}, false}} {
		code, stdout, _ := command(t, "", test.args...)
		if code != exitDone || strings.Contains(stdout, "6  the outcome") != test.want || strings.Contains(stdout, "AIML_API_KEY ") != test.want {
			t.Errorf("%q: exit code %d\n%s", test.args, code, stdout)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 101 {
				t.Errorf("%q: %q", test.args, line)
			}
		}
	}
}

// A start that is refused leaves no lines, and lines that aren't in the manifest aren't submitted.
func TestManifestIsTheBatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	manifest := func(ids ...string) string {
		var b strings.Builder
		for _, id := range ids {
			b.WriteString(`{"custom_id":"` + id + `","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/` + id + `.png"}` + "\n")
		}
		return b.String()
	}
	for _, step := range []struct {
		stdin string
		code  int
		want  string
	}{
		{manifest("a", "A"), exitInput, "would both be saved as"},
		{manifest("a", "results"), exitInput, "the batch's own file"},
		{manifest("b", "c"), exitDone, ""},
	} {
		output := filepath.Join(dir, "videos", "{custom_id}.jsonl")
		if code, _, stderr := command(t, step.stdin, "run", "-", "--simulate", "-o", output); code != step.code || !strings.Contains(stderr, step.want) {
			t.Errorf("%s: exit code %d, %s", step.stdin, code, stderr)
		}
	}
	if code, stdout, _ := command(t, "", "export", filepath.Join(dir, "videos")); code != exitDone || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit code %d, %s", code, stdout)
	}

	other := filepath.Join(dir, "other")
	command(t, manifest("a", "b", "c"), "run", "-", "--simulate", "-o", other, "--until", "1ns")
	if code, _, stderr := command(t, manifest("a"), "run", "-", "--simulate", "-o", other); code != exitInput || !strings.Contains(stderr, "aren't in the manifest, such as b") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if err := os.Remove(filepath.Join(other, simulated, ledgerFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(other, simulated, batch.ResultsFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, manifest("a"), "run", "-", "--simulate", "-o", other); code != exitInput || !strings.Contains(stderr, "wan-batch recover") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestPage(t *testing.T) {
	b, err := batch.Create(t.Context(), filepath.Join(t.TempDir(), ledgerFile), "shots")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for url, want := range map[string]struct {
		code int
		text string
	}{
		"http://127.0.0.1:8090/":       {http.StatusOK, "<title>wan-batch</title>"},
		"http://localhost:8090/status": {http.StatusOK, `"batch":"shots"`},
		"http://127.0.0.1:8090/other":  {http.StatusNotFound, ""},
		"http://evil.example/status":   {http.StatusForbidden, ""}, // DNS rebinding
	} {
		w := httptest.NewRecorder()
		loopbackOnly(newPage(b)).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))
		if w.Code != want.code || !strings.Contains(w.Body.String(), want.text) {
			t.Errorf("%s: %d, %.200s", url, w.Code, w.Body)
		}
	}
}

func TestHook(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a video")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	evil := batch.Record{CustomID: `$(touch ` + dir + `/evil)'; {file}`, File: file}
	var output bytes.Buffer
	for _, shell := range []bool{false, true} {
		hook, err := newHook(`printf '%s\n' {file} x{custom_id}`, shell, &output)
		if err != nil {
			t.Fatal(err)
		}
		output.Reset()
		if err := hook(t.Context(), evil); err != nil || !strings.Contains(output.String(), "] "+file+"\n") || !strings.Contains(output.String(), "] x"+evil.CustomID+"\n") {
			t.Errorf("shell %v: %v, %s", shell, err, &output)
		}
	}
	if exists(filepath.Join(dir, "evil")) {
		t.Error("a custom id was executed")
	}
	hook, err := newHook("false", false, &output)
	if err != nil {
		t.Fatal(err)
	}
	if err := hook(t.Context(), evil); err == nil {
		t.Error("a command that fails")
	}
}

// The password of the database is in no help, error or advice.
func TestPasswordIsNotPrinted(t *testing.T) {
	const database = "postgres://rev:hun%ter2@127.0.0.1:1/wan"
	t.Setenv("WAN_BATCH_DATABASE", database)
	for _, args := range [][]string{{"run", "--help"}, {"status", "--help"}, {"status"}, {"export", "--database", "postgres://rev:hunter2@127.0.0.1:1/wan?password=hunter2"}} {
		if _, stdout, stderr := command(t, "", args...); strings.Contains(stdout+stderr, "ter2") {
			t.Errorf("%q: %s%s", args, stdout, stderr)
		}
	}
	if got, want := resumption([]string{"run", "a.jsonl", "--database", database}), "wan-batch run a.jsonl --database postgres://rev:xxxxx@127.0.0.1:1/wan"; got != want {
		t.Error(got)
	}
}

// The key of wan auth login is read too.
func TestSavedKey(t *testing.T) {
	t.Setenv("AIML_API_KEY", "")
	t.Setenv("AIMLAPI_API_KEY", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", "")
	var c connection
	if _, _, err := c.open(""); err == nil || !strings.Contains(err.Error(), "wan auth login") {
		t.Errorf("without a key: %v", err)
	}
	path, err := login.Path()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("the-saved-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.open(""); err != nil {
		t.Error(err)
	}
}

// An interrupt ends a command that reads stdin, or connects to a database that never answers.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	stdin, _ := io.Pipe()
	for _, args := range [][]string{{"run", "-", "--simulate"}, {"status", "--database", "postgres://rev@" + listener.Addr().String() + "/wan"}} {
		interrupts := make(chan os.Signal, 1)
		interrupts <- os.Interrupt
		if code := run(t.Context(), args, &console{stdin: stdin, stdout: io.Discard, stderr: io.Discard, interrupts: interrupts}); code != exitTrouble {
			t.Errorf("%q: exit code %d", args, code)
		}
	}
}

// What a custom id or a path holds never reaches the terminal as it is.
func TestPrintedNames(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "vid\x1b[31meos")
	line := `{"custom_id":"a\u009b31m\u202eb","model":"animate-move","video_url":"https://example.com/a.mp4","image_url":"https://example.com/a.png"}`
	code, _, stderr := command(t, line, "run", "-", "--simulate", "-o", dir)
	if code != exitDone || strings.ContainsAny(stderr, "\x1b\u009b\u202e") || !strings.Contains(stderr, "saved ") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	if _, _, stderr := command(t, "", "status", dir+"\x1b"); strings.Contains(stderr, "\x1b") {
		t.Errorf("%q", stderr)
	}
}

func TestParseUntil(t *testing.T) {
	now := time.Date(2026, 11, 26, 20, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "8h": now.Add(8 * time.Hour), "18:30": time.Date(2026, 11, 27, 18, 30, 0, 0, time.UTC), "2026-12-01T08:00:00Z": time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := parseUntil(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
