package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

const (
	dance = "../../../conformance/testdata/dance.mp4"
	hero  = "../../../conformance/testdata/hero.png"
)

// TestMain lets scripts run this test's own binary as the command. The tests see nothing of the account of whoever runs
// them.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "wan" {
		for _, name := range []string{"AIML_API_KEY", "AIMLAPI_API_KEY", "AIML_API_BASE", "AIMLAPI_API_BASE"} {
			os.Unsetenv(name)
		}
		home, err := os.MkdirTemp("", "wan-test-*")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(home)
		os.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
		os.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	}
	testscript.Main(m, map[string]func(){"wan": main})
}

// buffer is an output that the command and its simulator may write at once.
type buffer struct {
	mu     sync.Mutex
	text   bytes.Buffer
	onText func(text string) // called with all that has been written
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if b.onText != nil {
		b.onText(b.text.String())
	}
	return len(p), nil
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// server is a simulator that the command uses, with its key in the environment.
type server struct{ *simulator.Server }

// newServer starts a simulator whose jobs are complete at once, unless the options say otherwise.
func newServer(t *testing.T, opts ...simulator.Option) *server {
	t.Helper()
	opts = append([]simulator.Option{simulator.WithTimeline(simulator.Complete(0, 0))}, opts...)
	s, err := simulator.Listen("127.0.0.1:0", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	t.Setenv("AIML_API_KEY", s.Key)
	return &server{s}
}

// outcome is what a run of the command leaves.
type outcome struct {
	code           int
	stdout, stderr string
}

// wan runs the command with the server as its API.
func (s *server) wan(t *testing.T, args ...string) outcome {
	t.Helper()
	args = append([]string{args[0], "--base-url", s.URL}, args[1:]...)
	return runWan(t, t.Context(), new(buffer), args...)
}

// runWan runs the command in this process. No run may show the key.
func runWan(t *testing.T, ctx context.Context, stderr *buffer, args ...string) outcome {
	t.Helper()
	var stdout buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, stderr)
	result := outcome{code, stdout.String(), stderr.String()}
	if key := os.Getenv("AIML_API_KEY"); key != "" && strings.Contains(result.stdout+result.stderr, key) {
		t.Errorf("wan %s shows the key:\n%s%s", strings.Join(args, " "), result.stdout, result.stderr)
	}
	return result
}

// check compares the exit code and standard output, and looks for texts in standard error.
func (o outcome) check(t *testing.T, code int, stdout string, stderr ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d", o.code, code)
	}
	if o.stdout != stdout {
		t.Errorf("stdout is %q, want %q", o.stdout, stdout)
	}
	for _, want := range stderr {
		if !strings.Contains(o.stderr, want) {
			t.Errorf("stderr doesn't say %q", want)
		}
	}
	if t.Failed() {
		t.Logf("stderr:\n%s", o.stderr)
	}
}

// nothingSent fails if the server has seen a request.
func (s *server) nothingSent(t *testing.T) {
	t.Helper()
	if l := s.Ledger(); len(l.Requests) != 0 || l.Created != 0 {
		t.Errorf("%d requests were sent, %d jobs created", len(l.Requests), l.Created)
	}
}

// job returns the only job of the server.
func (s *server) job(t *testing.T) simulator.Job {
	t.Helper()
	jobs := s.Ledger().Jobs
	if len(jobs) != 1 {
		t.Fatalf("there are %d jobs, want 1", len(jobs))
	}
	return jobs[0]
}

// moveFlags are a valid command.
var moveFlags = []string{"animate-move", "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png"}

// move returns moveFlags and more.
func move(more ...string) []string { return append(slices.Clip(moveFlags), more...) }

// sizeOnScreen reads the track header of an mp4 file, whose last eight bytes are the width and the height, in 1/65536 pixels.
func sizeOnScreen(t *testing.T, path string) (width, height int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if box(data, "ftyp") == nil || box(data, "mdat") == nil {
		t.Fatalf("%s, with %d bytes, isn't a whole mp4 file", path, len(data))
	}
	for _, kind := range []string{"moov", "trak", "tkhd"} {
		if data = box(data, kind); data == nil {
			t.Fatalf("%s has no %s", path, kind)
		}
	}
	end := data[len(data)-8:]
	return int(binary.BigEndian.Uint32(end) >> 16), int(binary.BigEndian.Uint32(end[4:]) >> 16)
}

// box returns the content of the first box of a kind.
func box(data []byte, kind string) []byte {
	for len(data) >= 8 {
		size := int(binary.BigEndian.Uint32(data))
		if size < 8 || size > len(data) {
			return nil
		}
		if string(data[4:8]) == kind {
			return data[8:size]
		}
		data = data[size:]
	}
	return nil
}

func TestUsage(t *testing.T) {
	s := newServer(t)
	for _, args := range [][]string{{}, {"--help"}, {"help"}} {
		result := runWan(t, t.Context(), new(buffer), args...)
		if result.code != exitDone || result.stderr != "" {
			t.Errorf("wan %v: exit code %d, stderr %q", args, result.code, result.stderr)
		}
		for _, want := range []string{"simulate", "wait", "get", "models", exitCodes()} {
			if !strings.Contains(result.stdout, want) {
				t.Errorf("wan %v doesn't name %q", args, want)
			}
		}
		for _, document := range spec.Models() {
			if !strings.Contains(result.stdout, "  "+document.Slug+" ") {
				t.Errorf("wan %v doesn't name %s", args, document.Slug)
			}
		}
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"animate"}, `unknown command "animate"; did you mean animate-move or animate-replace?`},
		{[]string{"animatemove", "--video-url", "x"}, `unknown command "animatemove"; did you mean animate-move?`},
		{[]string{"animate-move", "--vdeo_url", "x"}, `unknown flag: --vdeo_url; did you mean --video-url?`},
		{[]string{"vace-fun-pose", "--sync-mode", "false"}, `unexpected argument "false": quote text with spaces, turn a flag off with --flag=false`},
		{[]string{"--key", "k"}, "unknown flag: --key"},
		{[]string{"wait"}, "which generation? wan wait ID"},
		{[]string{"wait", "a", "b", "-o", "out.mp4"}, "--output: out.mp4 is one file for several generations; add {id} to its name"},
		{[]string{"wait", ""}, "the generation id is empty"},
		{[]string{"wait", "a", "--timeout", "5"}, `"--timeout"`},
		{[]string{"get"}, "which generation? wan get ID"},
		{[]string{"get", ""}, "generation id"},
		{[]string{"wait", "a", "-o", ""}, "--output: the name is empty"},
		{[]string{"wait", "a", "b", "-o", "-"}, "standard output takes one video"},
		{[]string{"wait", "a", "-o", "-", "--json"}, "either the video or --json"},
		{[]string{"wait", "a", "--concurrency", "0"}, "--concurrency: 0 is less than 1"},
		{[]string{"wait", "a", "-o", "{di}.mp4"}, "--output: unknown placeholder {di}"},
		{[]string{"get", "a", "-o", "f"}, "unknown shorthand flag: 'o'"},
		{[]string{"models", "animatemove"}, `unknown model "animatemove"; did you mean animate-move?`},
		{[]string{"typo", "--help"}, `unknown command "typo"`},
		{[]string{"help", "typo"}, `unknown command "typo"`},
		{[]string{"animatemove", "--help"}, `did you mean animate-move?`},
		{[]string{"simulate", "a"}, `unknown command "a"`},
		{[]string{"simulate", "--fail", "2"}, "--fail: 2 isn't a probability"},
		{[]string{"simulate", "--queued", "-1s"}, "can't be negative"},
		{[]string{"simulate", "--max-body", "0"}, "have to be positive"},
	} {
		result := runWan(t, t.Context(), new(buffer), test.args...)
		if result.code != exitInput || result.stdout != "" || !strings.Contains(result.stderr, test.want) || !strings.Contains(result.stderr, `--help".`) {
			t.Errorf("wan %q: exit code %d, stderr\n%swant %q", test.args, result.code, result.stderr, test.want)
		}
	}
	s.nothingSent(t)
}

func TestNoKey(t *testing.T) {
	for _, args := range [][]string{move(), {"wait", "some-id"}, {"get", "some-id"}} {
		s := newServer(t)
		t.Setenv("AIML_API_KEY", "")
		s.wan(t, args...).check(t, exitInput, "", "AIML_API_KEY", "--simulate")
		s.nothingSent(t)
	}
}

func TestBaseURL(t *testing.T) {
	s := newServer(t)
	for _, tail := range []string{"", "/", "/v2", "/some/proxy/v1/"} {
		file := filepath.Join(t.TempDir(), "out.mp4")
		runWan(t, t.Context(), new(buffer), move("--base-url", s.URL+tail, "-o", file)...).check(t, exitDone, file+"\n")
	}
	if n := s.Ledger().Created; n != 4 {
		t.Errorf("%d jobs were created, want 4", n)
	}
	t.Setenv("AIML_API_BASE", s.URL)
	runWan(t, t.Context(), new(buffer), move("-o", filepath.Join(t.TempDir(), "out.mp4"))...)
	if n := s.Ledger().Created; n != 5 {
		t.Errorf("%d jobs were created, want 5 with the one through AIML_API_BASE", n)
	}
	for _, wrong := range []string{"example.com", "http://example.com", "ftp://example.com", "https://u:p@example.com"} {
		runWan(t, t.Context(), new(buffer), move("--base-url", wrong)...).check(t, exitInput, "", "base URL: ")
	}
}
