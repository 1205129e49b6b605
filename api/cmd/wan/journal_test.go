package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// history gives the test a journal of its own.
func history(t *testing.T) (path string) {
	t.Helper()
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	return filepath.Join(state, "wan", "jobs.jsonl")
}

func TestJobs(t *testing.T) {
	path := history(t)
	s := newServer(t)
	out := filepath.Join(t.TempDir(), "out.mp4")
	s.wan(t, move("--image-url", hero, "-o", out)...)
	s.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Drop()})
	s.wan(t, move("--client-request-id", "lost", "--find", "0")...)
	s.wan(t, move("--no-wait")...)
	jobs := s.Ledger().Jobs

	list := runWan(t, t.Context(), new(buffer), "jobs")
	lines := strings.Split(strings.TrimSpace(list.stdout), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), list.stdout)
	}
	for i, want := range [][]string{
		{"done", "animate-move", jobs[0].ID, out},
		{"unknown", "client request id lost"},
		{"submitted", jobs[2].ID},
	} {
		for _, text := range want {
			if !strings.Contains(lines[i], text) {
				t.Errorf("line %d has no %q: %s", i, text, lines[i])
			}
		}
	}
	unknown := runWan(t, t.Context(), new(buffer), "jobs", "--unknown", "--json")
	if unknown.code != exitDone || strings.Count(unknown.stdout, "\n") != 1 || !strings.Contains(unknown.stdout, `"client_request_id":"lost"`) {
		t.Errorf("%+v", unknown)
	}

	// LAST needs neither the id nor the base URL.
	runWan(t, t.Context(), new(buffer), "get", "LAST").check(t, exitDone, "completed "+s.URL+jobs[2].Result+"\n")
	runWan(t, t.Context(), new(buffer), "wait", "LAST").check(t, exitDone, s.URL+jobs[2].Result+"\n")

	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), s.Key) || strings.Contains(string(text), "base64") || strings.Contains(string(text), "hero") {
		t.Errorf("the journal holds secrets or media:\n%s", text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestNoHistory(t *testing.T) {
	path := history(t)
	s := newServer(t)
	s.wan(t, move("--no-history", "--no-wait")...)
	t.Setenv(noHistory, "1")
	s.wan(t, move("--no-wait")...)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("there is a journal: %v", err)
	}
	s.wan(t, "wait", "LAST").check(t, exitInput, "", "LAST: the journal has no generation")
	runWan(t, t.Context(), new(buffer), "jobs").check(t, exitDone, "")
}

// A journal that can't be written, or that blocks, neither stops nor delays a submission. Broken lines are skipped.
func TestBrokenJournal(t *testing.T) {
	s := newServer(t)
	for name, spoil := range map[string]func(path string) error{
		"a directory":     func(path string) error { return os.MkdirAll(path, 0o700) },
		"below a file":    func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o600) },
		"broken lines":    func(path string) error { return writeAll(path, "{\n\x00\n{\"id\":7}\n") },
		"an endless line": func(path string) error { return writeAll(path, strings.Repeat("x", 2<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := history(t)
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			result := s.wan(t, move("--no-wait")...)
			if result.code != exitDone || strings.Contains(result.stderr, "journal") {
				t.Errorf("%+v", result)
			}
		})
	}
	t.Run("a FIFO", func(t *testing.T) {
		path := history(t)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		makeFIFO(t, path)
		if result := s.wan(t, move("--no-wait")...); result.code != exitDone {
			t.Errorf("%+v", result)
		}
	})
}

func writeAll(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// A process that dies between submitting and a response leaves an unknown submission; a later response heals it.
func TestReadJournal(t *testing.T) {
	now := time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC).Format(time.RFC3339)
	records := readJournal(strings.NewReader(`{"time":"` + now + `","event":"submitting","client_request_id":"a","model":"animate-move"}
{"event":"submitting","client_request_id":"b"}
{"event":"submitted","client_request_id":"b","id":"B","output":"/b.mp4"}
{"event":"submitting","client_request_id":"c"}
{"event":"failed","id":"B"}
half a li`))
	if len(records) != 3 || !records[0].isUnknown() || records[1].isUnknown() || !records[2].isUnknown() {
		t.Fatalf("%+v", records)
	}
	if b := records[1]; b.ID != "B" || b.Outcome != "failed" || b.Output != "/b.mp4" || b.ClientRequestID != "b" {
		t.Errorf("%+v", b)
	}
}
