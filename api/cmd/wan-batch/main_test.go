package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/api/batch"
)

// command runs the command and returns its exit code and output.
func command(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &console{stdin: strings.NewReader(stdin), stdout: &out, stderr: &err})
	return code, out.String(), err.String()
}

func TestExample(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "videos")
	for range 2 { // the second run has nothing to do
		code, stdout, stderr := command(t, "", "run", "../../batch/testdata/example.jsonl", "--simulate", "-o", dir, "--json",
			"--exec", `cp {file} '`+filepath.Dir(dir)+`/copy of {custom_id}.mp4'`)
		var status batch.Status
		if err := json.Unmarshal([]byte(stdout), &status); err != nil || code != exitDone {
			t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
		}
		if status.RequestCounts != (batch.RequestCounts{Total: 4, Completed: 4}) {
			t.Errorf("%+v", status)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "copy of hero-720p.mp4")); err != nil {
		t.Error(err)
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
		`{"custom_id":"x","body":{"model":"animate-move"},"priority":1}`,
		`not json`,
	}, "\n")
	dir := filepath.Join(t.TempDir(), "videos")
	code, _, stderr := command(t, manifest, "run", "-", "--simulate", "-o", dir)
	if code != exitInput {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"line 2: custom_id: good stands in line 1", "line 3: image_url: missing.png", "line 4: resolution: expected one of",
		"line 5: resolution_", "line 6: model: expected one of", "line 7: priority", "line 8: "} {
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
	lines, err := readManifest(t.Context(), "-", "", false, strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	body := lines[0].Body
	if len(lines) != 1 || lines[0].CustomID != "a" || body["prompt"] != "a dancer, in red" || body["num_frames"] != json.Number("121") || len(body["image_list"].([]any)) != 2 || body["resolution"] != nil {
		t.Errorf("%+v", lines)
	}
}

func TestChangedLine(t *testing.T) {
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

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"run"}, {"run", "missing.jsonl"}, {"status", dir}, {"work"}, {"resolve", "a"}, {"retry"}, {"ui", "--addr", "0.0.0.0:80"},
		{"run", "-", "--exec", "cp {files} x"}, {"run", "-", "--exec", "cp 'x"}, {"run", "-", "--until", "soon"}, {"run", "-", "-o", "one.mp4{x}"}, {"status", "--nonsense"},
	} {
		if code, _, stderr := command(t, "", args...); code != exitInput || stderr == "" {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
}

func TestSplit(t *testing.T) {
	for command, want := range map[string][]string{
		`rclone copyto {file} remote:x/{custom_id}.mp4`: {"rclone", "copyto", "{file}", "remote:x/{custom_id}.mp4"},
		`a 'b c' "d \" e" f\ g ''`:                      {"a", "b c", `d " e`, "f g", ""},
	} {
		if got, err := split(command); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
	evil := batch.Record{CustomID: `$(rm -rf ~)'; {file}`, File: "/v"}
	if got := fill("{custom_id}", evil, true); got != `'$(rm -rf ~)'\''; {file}'` {
		t.Errorf("quoted: %s", got)
	}
	if got := fill("x/{custom_id}", evil, false); got != `x/$(rm -rf ~)'; {file}` {
		t.Errorf("unquoted: %s", got)
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
