package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// failing is a timeline that fails at once.
func failing(name, message string) simulator.Timeline {
	return simulator.Timeline{{Status: "error", Set: map[string]any{"error": map[string]any{"name": name, "message": message}}}}
}

// queued is a timeline that takes longer than any test, unless it advances the clock.
func queued() simulator.Option { return simulator.WithTimeline(simulator.Complete(10*time.Minute, 0)) }

func TestFailed(t *testing.T) {
	s := newServer(t, simulator.WithTimeline(failing("NSFW", "the safety checker refused the image")))
	file := filepath.Join(t.TempDir(), "out.mp4")
	result := s.wan(t, move("-o", file)...)
	id := s.job(t).ID
	result.check(t, exitFailed, "", "submitted "+id, "generation "+id+" failed: NSFW: the safety checker refused the image")
	if strings.Contains(result.stderr, "To resume") {
		t.Errorf("a resume command is printed:\n%s", result.stderr)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
	s.wan(t, "wait", id).check(t, exitFailed, "", "NSFW", "the safety checker", id)
	s.wan(t, "wait", id, "--json").check(t, exitFailed,
		`{"id":"`+id+`","outcome":"failed","status":"error","error":{"name":"NSFW","message":"the safety checker refused the image"}}`+"\n", "NSFW")
}

// Whatever the outcome, --json prints one object with the name of the exit code.
func TestOutcomes(t *testing.T) {
	request := `"client_request_id":"mine"`
	tests := []struct {
		name     string
		timeline simulator.Timeline
		fault    *simulator.Fault
		args     []string
		code     int
		want     []string // in the object
	}{
		{"done", simulator.Complete(0, 0), nil, nil, exitDone, []string{`"id":`, `"outcome":"done"`, `"status":"completed"`, `"url":`, request}},
		{"failed", failing("NSFW", "refused"), nil, nil, exitFailed, []string{`"id":`, `"outcome":"failed"`, `"status":"error"`, `"error":{"name":"NSFW","message":"refused"}`, request}},
		{"still running", simulator.Complete(time.Hour, 0), nil, []string{"--timeout", "1s"}, exitRunning,
			[]string{`"id":`, `"outcome":"running"`, `"status":"queued"`, `--timeout 1s has passed`, request}},
		{"rejected", nil, &simulator.Fault{On: simulator.Submit, Effect: simulator.Status(http.StatusBadRequest)}, nil, exitTrouble,
			[]string{`{"outcome":"trouble"`, `submission rejected`, request}},
		{"out of credits", nil, &simulator.Fault{On: simulator.Submit, Effect: simulator.Status(http.StatusForbidden)}, nil, exitAccount,
			[]string{`{"outcome":"account"`, request}},
		{"unknown", nil, &simulator.Fault{On: simulator.Submit, Effect: simulator.Drop()}, []string{"--find", "0"}, exitUnknown,
			[]string{`{"outcome":"unknown"`, `may be charged`, request}},
		{"not polled", nil, &simulator.Fault{On: simulator.Poll, Effect: simulator.Status(http.StatusForbidden)}, nil, exitAccount,
			[]string{`"id":`, `"outcome":"account"`, request}},
		{"not saved", simulator.Complete(0, 0), &simulator.Fault{On: simulator.Download, Effect: simulator.HTML(http.StatusOK)}, []string{"-o", filepath.Join(t.TempDir(), "out.mp4")}, exitRunning,
			[]string{`"id":`, `"outcome":"running"`, `"status":"completed"`, `"url":`, `"credits":420000`, `downloading the video`, request}},
		{"bad input", nil, nil, []string{"--resolution", "4k"}, exitInput, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			if test.timeline != nil {
				s.Script(test.timeline)
			}
			if test.fault != nil {
				s.Inject(*test.fault)
			}
			got := s.wan(t, move(append(test.args, "--json", "--client-request-id", "mine")...)...)
			if got.code != test.code {
				t.Errorf("exit code %d, want %d", got.code, test.code)
			}
			if lines := strings.Count(got.stdout, "\n"); lines != min(1, len(test.want)) {
				t.Errorf("%d lines on stdout", lines)
			}
			for _, want := range test.want {
				if !strings.Contains(got.stdout, want) {
					t.Errorf("no %s in %s", want, got.stdout)
				}
			}
			if got.code != exitDone && strings.Count(got.stderr, "wan: ") != 1 {
				t.Errorf("it doesn't say once on stderr what is wrong:\n%s", got.stderr)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	s := newServer(t, queued())
	s.wan(t, move("--no-wait")...)
	id := s.job(t).ID
	commands := [][]string{move(), {"wait", id}, {"get", id}}
	for _, args := range commands {
		s.ClearFaults()
		s.Inject(simulator.Fault{Effect: simulator.Status(http.StatusForbidden, "You've run out of credits")})
		s.wan(t, args...).check(t, exitAccount, "", "403", "You've run out of credits")
	}
	s.ClearFaults()
	t.Setenv("AIML_API_KEY", "wrong-key-0123456789")
	for _, args := range commands {
		s.wan(t, args...).check(t, exitAccount, "", "401", "the key isn't valid")
	}
	if n := s.Ledger().Created; n != 1 {
		t.Errorf("%d jobs were created, want 1", n)
	}
}

// A server that repeats the key must not make the command show it.
func TestKeyIsNotShown(t *testing.T) {
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden} {
		s := newServer(t, queued())
		s.Inject(simulator.Fault{Effect: simulator.Status(status, "your key "+s.Key+" is bad")})
		result := s.wan(t, move("--verbose")...) // looks for the key
		if result.code == exitDone || !strings.Contains(result.stderr, "your key [API key] is bad") {
			t.Errorf("exit code %d:\n%s", result.code, result.stderr)
		}
	}
	s := newServer(t)
	s.Script(failing("Bad "+s.Key, s.Key+" is bad"), failing("Bad "+s.Key, s.Key+" is bad"))
	s.wan(t, move("--json", "--verbose")...)
	s.wan(t, move("--verbose")...).check(t, exitFailed, "", "[API key] is bad")
	s.wan(t, "get", s.Ledger().Jobs[0].ID, "--json")
	s.wan(t, move("--verbose", "--json")...)
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Drop()})
	s.wan(t, move("--verbose", "--find", "0")...)
}

func TestVerbose(t *testing.T) {
	s := newServer(t)
	result := s.wan(t, move("--verbose")...)
	job := s.job(t)
	result.check(t, exitDone, s.URL+job.Result+"\n", "submission accepted", job.ClientRequestID, "status=completed")
	if quiet := s.wan(t, move()...); strings.Contains(quiet.stderr, "level=") {
		t.Errorf("without --verbose stderr has\n%s", quiet.stderr)
	}
}

// What is printed on a timeout has to work as it is printed.
func TestTimeout(t *testing.T) {
	s := newServer(t, queued())
	file := filepath.Join(t.TempDir(), "out.mp4")
	result := s.wan(t, move("--timeout", "1s", "-o", file)...)
	id := s.job(t).ID
	again := "wan wait " + id + " --base-url " + s.URL + " -o " + file
	result.check(t, exitRunning, "", "submitted "+id+"\n", "To resume: "+again+"\n", id, "--timeout 1s has passed")

	s.wan(t, "wait", id, "--timeout", "1ns").check(t, exitRunning, "", "To resume: wan wait "+id+" --base-url "+s.URL+"\n")

	s.Advance(20 * time.Minute)
	runWan(t, t.Context(), new(buffer), strings.Fields(again)[1:]...).check(t, exitDone, file+"\n")
	if width, height := sizeOnScreen(t, file); width != 854 || height != 480 {
		t.Errorf("the video is %dx%d", width, height)
	}
	if l := s.Ledger(); l.Created != 1 || l.Charged != 1 {
		t.Errorf("%d jobs were created and %d charged, want 1", l.Created, l.Charged)
	}
}

func TestNoTimeout(t *testing.T) {
	s := newServer(t)
	if result := s.wan(t, move("--timeout", "0")...); result.code != exitDone {
		t.Errorf("exit code %d\n%s", result.code, result.stderr)
	}
	for _, args := range [][]string{move("--timeout", "-1s"), {"wait", "x", "--timeout", "-1s"}, {"wait", "x", "-o", "{seed}.mp4"}, {"wait", "x", "--base-url", ""}} {
		if result := s.wan(t, args...); result.code != exitInput {
			t.Errorf("%q: exit code %d\n%s", args, result.code, result.stderr)
		}
	}
	if n := s.Ledger().Created; n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// The timeout bounds the submission, too. Neither it nor Ctrl-C keeps the submission from being looked up.
func TestEndOfSubmission(t *testing.T) {
	s := newServer(t)
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Stall()})
	s.wan(t, move("--timeout", "1s", "--find", "0")...).check(t, exitUnknown, "", "--timeout 1s has passed", s.job(t).ClientRequestID)
	s.wan(t, move("--timeout", "1s")...).check(t, exitRunning, "", "--timeout 1s has passed", "To resume: wan wait "+s.Ledger().Jobs[1].ID)
	ctx, cancel := context.WithCancel(t.Context())
	s.ClearFaults()
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "interrupted", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			cancel()
			<-r.Context().Done()
		})
	}}})
	result := runWan(t, ctx, new(buffer), move("--base-url", s.URL)...)
	result.check(t, exitRunning, "", "interrupted", "To resume: wan wait "+s.Ledger().Jobs[2].ID)
}

// Without --base-url there is none in the command that goes on.
func TestTimeoutOfEnvironment(t *testing.T) {
	s := newServer(t, queued())
	t.Setenv("AIML_API_BASE", s.URL)
	result := runWan(t, t.Context(), new(buffer), move("--timeout", "1s")...)
	result.check(t, exitRunning, "", "To resume: wan wait "+s.job(t).ID+"\n")
}

func TestCancelled(t *testing.T) {
	s := newServer(t, queued())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stderr := &buffer{onText: func(text string) {
		if strings.Contains(text, "submitted ") {
			cancel()
		}
	}}
	result := runWan(t, ctx, stderr, move("--timeout", "0", "--base-url", s.URL)...)
	id := s.job(t).ID
	result.check(t, exitRunning, "", "To resume: wan wait "+id, "interrupted")
}

var requestID = regexp.MustCompile(`wan find (wan-[A-Z2-7]+)`)

func TestUnknown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cancelled := simulator.Effect{Name: "cancelled", Wrap: func(next http.Handler) http.Handler {
		stall := simulator.Stall().Wrap(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cancel()
			stall.ServeHTTP(w, r)
		})
	}}
	for _, test := range []struct {
		effect  simulator.Effect
		created int
	}{
		{simulator.Drop(), 1},
		{simulator.HTML(http.StatusBadGateway), 0},
		{simulator.Empty(http.StatusGatewayTimeout), 0},
		{cancelled, -1}, // either
	} {
		t.Run(test.effect.Name, func(t *testing.T) {
			s := newServer(t)
			s.Inject(simulator.Fault{On: simulator.Submit, Effect: test.effect})
			result := runWan(t, ctx, new(buffer), move("--base-url", s.URL, "--find", "0")...)
			result.check(t, exitUnknown, "", "may be charged")
			l := s.Ledger()
			if test.created >= 0 && l.Created != test.created || l.Created > 1 {
				t.Errorf("%d jobs were created, want %d", l.Created, test.created)
			}
			id := requestID.FindStringSubmatch(result.stderr)
			if id == nil || l.Created == 1 && l.Jobs[0].ClientRequestID != id[1] {
				t.Errorf("the client request id isn't named:\n%s", result.stderr)
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	s := newServer(t)
	s.wan(t, "get", "unknown").check(t, exitTrouble, "", "404", "unknown")
	s.wan(t, "wait", "unknown").check(t, exitTrouble, "", "404", "unknown")
	s.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Status(http.StatusBadRequest, "Body validation error: no")})
	s.wan(t, move()...).check(t, exitTrouble, "", "rejected", "400", "Body validation error: no")

	s.Script(simulator.Timeline{{Status: "completed", Set: map[string]any{"video": nil}}})
	s.wan(t, move("--timeout", "3s")...).check(t, exitRunning, "", "no video URL", "To resume: wan wait "+s.job(t).ID)
}

// A video that can't be saved was charged all the same, so "nothing was sent" would be a lie.
func TestDownloadFails(t *testing.T) {
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "out.mp4")
	s.Inject(simulator.Fault{On: simulator.Download, Effect: simulator.HTML(http.StatusOK)})
	result := s.wan(t, move("-o", file)...)
	result.check(t, exitRunning, "", "not a complete video", "To resume: wan wait "+s.job(t).ID+" --base-url "+s.URL+" -o "+file)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file: %v", err)
	}
}

func TestOutputVanishes(t *testing.T) {
	s := newServer(t)
	dir := filepath.Join(t.TempDir(), "videos")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "rmdir", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)); err != nil {
				t.Error(err)
			}
			next.ServeHTTP(w, r)
		})
	}}})
	result := s.wan(t, move("-o", filepath.Join(dir, "out.mp4"))...)
	result.check(t, exitRunning, "", "submitted ", "not a directory", "To resume: wan wait "+s.job(t).ID)
}

// A video that is there already is replaced only if that is wanted, and then stays until the other one is complete.
func TestOutputIsReplaced(t *testing.T) {
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "out.mp4")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wan(t, move("-o", file)...).check(t, exitInput, "", "--output: "+file+" exists; choose another name, add {id} to it, or use --overwrite")
	s.nothingSent(t)
	s.Script(failing("a", "b"))
	s.wan(t, move("-o", file, "--overwrite")...)
	if data, _ := os.ReadFile(file); string(data) != "old" {
		t.Errorf("a failed generation leaves %q", data)
	}
	s.wan(t, move("-o", file, "--overwrite")...).check(t, exitDone, file+"\n", "saved "+file+", 35.6 KiB, 420000 credits, $0.21\n")
	sizeOnScreen(t, file)
}

// An input isn't an output, not even by another name and with --overwrite.
func TestOutputIsAnInput(t *testing.T) {
	s := newServer(t)
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	request := `{"video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"}`
	image, err := os.ReadFile(hero)
	if err := errors.Join(err, os.WriteFile(at("hero.png"), image, 0o600),
		os.WriteFile(at("animate-move.png"), image, 0o600), os.WriteFile(at("animate-replace-7.png"), image, 0o600),
		os.WriteFile(at("request.json"), []byte(request), 0o600),
		os.Symlink(at("hero.png"), at("link.mp4"))); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		move("--image-url", at("hero.png"), "-o", at("hero.png")),
		move("--image-url", at("hero.png"), "-o", at("link.mp4")),
		move("--image-url", at("animate-move.png"), "-o", at("{model}.png")),
		{"animate-replace", "--video-url", "https://example.com/v.mp4", "--image-url", at("animate-replace-7.png"), "--seed", "7", "-o", at("{model}-{seed}.png")},
		{"animate-move", "-f", at("request.json"), "-o", at("request.json")},
		{"vace-fun-pose", "--prompt", "p", "--video-url", "https://example.com/v.mp4", "--image-list", at("hero.png"), "-o", at("hero.png")},
	} {
		s.wan(t, append(args, "--overwrite")...).check(t, exitInput, "", "is an input of the request")
	}
	s.nothingSent(t)
}

// The places of several generations, and one that is taken only meanwhile.
func TestOutputIsTaken(t *testing.T) {
	s := newServer(t)
	directory := t.TempDir()
	s.wan(t, move("--no-wait")...)
	id := s.job(t).ID
	taken := filepath.Join(directory, strings.NewReplacer(":", "_", "/", "_").Replace(id)+".mp4")
	if err := os.WriteFile(taken, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	template := filepath.Join(directory, "{id}.mp4")
	s.wan(t, "wait", id, "other", "-o", template).check(t, exitInput, "", "--output: "+taken+" exists")

	later := filepath.Join(directory, "later.mp4")
	s.Inject(simulator.Fault{On: simulator.Poll, Times: 1, Effect: simulator.Effect{Name: "another process", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := os.WriteFile(later, []byte("precious"), 0o600); err != nil {
				t.Error(err)
			}
			next.ServeHTTP(w, r)
		})
	}}})
	s.wan(t, "wait", id, "-o", later).check(t, exitRunning, "", later+" exists", "To resume: wan wait "+id)
	for _, path := range []string{taken, later} {
		if data, err := os.ReadFile(path); err != nil || string(data) != "precious" {
			t.Errorf("%s: %d bytes, %v", path, len(data), err)
		}
	}
	s.wan(t, "wait", id, "-o", template, "--overwrite").check(t, exitDone, taken+"\n")
}

// Of several generations, the one that there is still something to wait for decides.
func TestWaitSeveralOutcomes(t *testing.T) {
	s := newServer(t)
	s.Script(simulator.Complete(time.Hour, 0), failing("a", "b"))
	s.wan(t, move("--no-wait")...)
	s.wan(t, move("--no-wait")...)
	jobs := s.Ledger().Jobs
	s.wan(t, "wait", "nobody-knows-me", jobs[1].ID, jobs[0].ID, "--timeout", "1s").check(t, exitRunning, "", "404", "failed: a: b", "--timeout 1s has passed")
	s.wan(t, "wait", "nobody-knows-me", jobs[1].ID).check(t, exitFailed, "", "404", "failed: a: b")
	s.wan(t, "wait", "", jobs[0].ID).check(t, exitInput, "", "the generation id is empty")
}

// Whatever status names a generation, it may be running.
func TestUnknownWithID(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound} {
		s := newServer(t)
		s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "named", Wrap: func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, `{"id":"gen-77","status":"queued"}`)
			})
		}}})
		s.wan(t, move("--find", "0", "-o", filepath.Join(t.TempDir(), "out.mp4"))...).check(t, exitUnknown, "", "gen-77", "To resume: wan wait gen-77 ")
	}
}
