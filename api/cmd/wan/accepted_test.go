package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// fullDisk is an output that takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// blocked is an input or output that nobody serves until the test ends.
type blocked struct{ end <-chan struct{} }

func (b blocked) Read([]byte) (int, error) { <-b.end; return 0, io.EOF }

func (b blocked) Write(p []byte) (int, error) { <-b.end; return len(p), nil }

// Once a generation is accepted, the exit code says so, and stderr says how to resume it.
func TestFullStdout(t *testing.T) {
	for name, args := range map[string][]string{
		"URL":       move(),
		"JSON":      move("--json"),
		"file":      move("-o", filepath.Join(t.TempDir(), "out.mp4")),
		"video":     move("-o", "-"),
		"id":        move("--no-wait"),
		"id, JSON":  move("--no-wait", "--json"),
		"failed":    {"animate-replace", "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png", "--json"},
		"get":       {"get", "ID", "--json"},
		"wait":      {"wait", "ID"},
		"wait JSON": {"wait", "ID", "--json"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, simulator.WithTimeline(failing("a", "b"), "animate-replace"))
			if args[1] == "ID" {
				s.wan(t, move("--no-wait")...)
				args[1] = s.job(t).ID
			}
			var stderr buffer
			code := run(t.Context(), append(args, "--base-url", s.URL), strings.NewReader(""), fullDisk{}, &stderr)
			want := exitRunning
			switch {
			case name == "failed":
				want = exitFailed
			case name == "get":
				want = exitTrouble // nothing is lost
			case !strings.Contains(stderr.String(), "To resume: wan wait "+s.job(t).ID):
				t.Error("no resume command")
			}
			if code != want || !strings.Contains(stderr.String(), "no space left") {
				t.Errorf("exit code %d, want %d:\n%s", code, want, stderr.String())
			}
		})
	}
}

func TestNotFoundAfterAcceptance(t *testing.T) {
	s := newServer(t)
	s.Inject(simulator.Fault{On: simulator.Poll, Effect: simulator.Status(http.StatusNotFound)})
	s.wan(t, move("--timeout", "3s")...).check(t, exitRunning, "", "To resume: wan wait "+s.job(t).ID)
}

func TestVideoToStdout(t *testing.T) {
	s := newServer(t)
	video, err := os.ReadFile("../../../conformance/simulator/videos/854x480.mp4")
	if err != nil {
		t.Fatal(err)
	}
	s.wan(t, move("-o", "-")...).check(t, exitDone, string(video), "submitted ")
	s.wan(t, "wait", s.job(t).ID, "-o", "-").check(t, exitDone, string(video))
	s.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.HTML(http.StatusOK)})
	if result := s.wan(t, "wait", s.job(t).ID, "-o", "-", "--timeout", "2s"); result.code != exitRunning || !strings.Contains(result.stderr, "-o -\n") {
		t.Errorf("%+v", result)
	}
}

// Missing directories are made when there is something to save, not before.
func TestOutputDirectories(t *testing.T) {
	s := newServer(t)
	directory := t.TempDir()
	path := filepath.Join(directory, "a", "b", "out.mp4")
	s.wan(t, move("-o", path, "--dry-run")...)
	s.wan(t, move("-o", path, "--no-wait")...)
	if entries, _ := os.ReadDir(directory); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
	s.wan(t, move("-o", path)...).check(t, exitDone, path+"\n")
	sizeOnScreen(t, path)
}

// Ids that differ only in characters that no file name has get different files.
func TestDistinctOutputs(t *testing.T) {
	o := &output{path: "{id}.mp4"}
	seen := map[string]string{}
	for _, id := range []string{"a:b", "a/b", "a_b", "A_b", "a:B"} {
		path := o.expand(id, "")
		if other, ok := seen[strings.ToLower(path)]; ok {
			t.Errorf("%s and %s are both saved as %s", other, id, path)
		}
		seen[strings.ToLower(path)] = id
	}
}

// The same command run again skips what is saved, but nothing that isn't a whole video.
func TestWaitSkips(t *testing.T) {
	s := newServer(t)
	for range 3 {
		s.wan(t, move("--no-wait")...)
	}
	args := []string{"wait"}
	for _, job := range s.Ledger().Jobs {
		args = append(args, job.ID)
	}
	template := filepath.Join(t.TempDir(), "{id}.mp4")
	first := s.wan(t, append(args[:2:2], "-o", template)...)
	if first.code != exitDone {
		t.Fatalf("%+v", first)
	}
	saved := strings.TrimSpace(first.stdout)
	downloads := s.Ledger().Downloads
	all := s.wan(t, append(args, "-o", template, "--concurrency", "1")...)
	if all.code != exitDone || strings.Count(all.stdout, "\n") != 3 || !strings.Contains(all.stdout, saved+"\n") || !strings.Contains(all.stderr, "skipped "+saved) {
		t.Errorf("%+v", all)
	}
	if n := s.Ledger().Downloads - downloads; n != 2 {
		t.Errorf("%d downloads, want 2", n)
	}
	video, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range [][]byte{[]byte("no video"), video[:len(video)/2]} {
		if err := os.WriteFile(saved, other, 0o600); err != nil {
			t.Fatal(err)
		}
		s.wan(t, append(args, "-o", template)...).check(t, exitInput, "", saved+" exists")
	}
}

// A stream that nobody serves doesn't keep the command from ending.
func TestBlockedStreams(t *testing.T) {
	s := newServer(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	makeFIFO(t, fifo)
	for name, args := range map[string][]string{
		"ids":          {"wait", "-"},
		"request":      {"animate-move", "-f", "-"},
		"request FIFO": {"animate-move", "-f", fifo},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if code := run(ctx, append(args, "--base-url", s.URL), blocked{t.Context().Done()}, io.Discard, io.Discard); code != exitTrouble {
				t.Errorf("exit code %d", code)
			}
		})
	}
	s.nothingSent(t)
	t.Run("stderr", func(t *testing.T) {
		var stdout bytes.Buffer
		code := run(t.Context(), move("--base-url", s.URL, "--verbose"), strings.NewReader(""), &stdout, blocked{t.Context().Done()})
		if code != exitDone || stdout.String() != s.URL+s.job(t).Result+"\n" {
			t.Errorf("exit code %d: %s", code, stdout.String())
		}
	})
	t.Run("stdout", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stderr := &buffer{onText: func(text string) {
			if strings.Contains(text, "completed") {
				cancel()
			}
		}}
		code := run(ctx, move("--base-url", s.URL), strings.NewReader(""), blocked{t.Context().Done()}, stderr)
		if code != exitRunning || !strings.Contains(stderr.String(), "To resume: wan wait ") {
			t.Errorf("exit code %d:\n%s", code, stderr)
		}
	})
}

func TestResumeCommand(t *testing.T) {
	conn := &connection{baseURL: "http://127.0.0.1:1"}
	for _, test := range []struct{ id, path, want string }{
		{"id", "", "wan wait id --base-url http://127.0.0.1:1"},
		{"-id", "out.mp4", "wan wait --base-url http://127.0.0.1:1 -o out.mp4 -- -id"},
		{"id", "a\u3000b.mp4", "wan wait id --base-url http://127.0.0.1:1 -o 'a\u3000b.mp4'"},
		{"id", "it's", `wan wait id --base-url http://127.0.0.1:1 -o 'it'\''s'`},
		{"id", "a\x1b[31m'\u202e", `wan wait id --base-url http://127.0.0.1:1 -o $'a\x1b[31m\'\xe2\x80\xae'`},
	} {
		o := &output{path: test.path}
		if got := o.resume(conn, test.id, ""); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}
