package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/aimlvideo/wan-go/api/cmd/internal/help"
	"github.com/aimlvideo/wan-go/api/cmd/internal/login"
	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

func TestSummaries(t *testing.T) {
	slugs, descriptions := summaries()
	for i, document := range spec.Models() {
		if len(slugs) != len(spec.Models()) || slugs[i] != document.Slug || descriptions[i] != document.OpenAPI.Info.Description {
			t.Fatalf("%q, %q", slugs, descriptions)
		}
	}
}

func TestAuth(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	s := newServer(t)
	t.Setenv("AIML_API_KEY", "")
	logIn := func(stdin string) outcome {
		var stdout, stderr buffer
		code := run(t.Context(), []string{"auth", "login"}, strings.NewReader(stdin), &stdout, &stderr)
		return outcome{code, stdout.String(), stderr.String()}
	}
	logIn(`"`+s.Key+`"`).check(t, exitInput, "", "API key: it is in quotes")
	logIn("\n").check(t, exitInput, "", "API key: it is empty")
	runWan(t, t.Context(), new(buffer), "auth", "status").check(t, exitInput, "", "no API key")

	if result := logIn(s.Key + "\n"); result.code != exitDone || strings.Contains(result.stdout+result.stderr, s.Key) {
		t.Fatalf("%+v", result)
	}
	path, err := login.Path()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	runWan(t, t.Context(), new(buffer), "auth", "status").check(t, exitDone, "the key comes from "+path+"\n")
	s.wan(t, move()...).check(t, exitDone, s.URL+s.job(t).Result+"\n")

	t.Setenv("AIML_API_KEY", "another-key-0123456789") // wins
	s.wan(t, move()...).check(t, exitAccount, "")
	t.Setenv("AIML_API_KEY", "")
	runWan(t, t.Context(), new(buffer), "auth", "logout").check(t, exitDone, "removed "+path+"\n")
	s.wan(t, move()...).check(t, exitInput, "", "no API key")
}

func TestBatch(t *testing.T) {
	var ran []string
	c := &console{exec: func(path string, args []string) error {
		ran = append([]string{path}, args...)
		return nil
	}}
	t.Setenv("PATH", t.TempDir())
	command := newBatch(c)
	if err := command.RunE(command, []string{"run", "jobs.jsonl", "--json"}); !is[*usageError](err) || !strings.Contains(err.Error(), "go install") {
		t.Errorf("%v", err)
	}
	name := "wan-batch"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	program := filepath.Join(os.Getenv("PATH"), name)
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := command.RunE(command, []string{"run", "jobs.jsonl", "--json"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{program, "wan batch", "run", "jobs.jsonl", "--json"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, want %q", ran, want)
	}
}

func TestGetSeveral(t *testing.T) {
	s := newServer(t)
	s.wan(t, move("--no-wait")...)
	s.wan(t, move("--no-wait")...)
	jobs := s.Ledger().Jobs
	want := jobs[0].ID + "\tcompleted " + s.URL + jobs[0].Result + "\n" + jobs[1].ID + "\tcompleted " + s.URL + jobs[1].Result + "\n"
	// At the same time, in the order of the arguments: the first poll is answered only after the second has come.
	second := make(chan struct{})
	s.Inject(simulator.Fault{On: simulator.Poll, Times: 2, Effect: simulator.Effect{Name: "in reverse", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("generation_id") == jobs[0].ID {
				<-second
			} else {
				defer close(second)
			}
			next.ServeHTTP(w, r)
		})
	}}})
	s.withInput(t, jobs[1].ID, "get", jobs[0].ID, "-").check(t, exitDone, want)
	s.wan(t, "get", "nobody-knows-me", jobs[1].ID).check(t, exitTrouble, jobs[1].ID+"\tcompleted "+s.URL+jobs[1].Result+"\n", "404")
}

func TestQuietNoWait(t *testing.T) {
	s := newServer(t)
	result := s.wan(t, move("-q", "--no-wait")...)
	if result.stdout != s.job(t).ID+"\n" || result.stderr != "" {
		t.Errorf("%+v", result)
	}
}

func TestPromptFile(t *testing.T) {
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "prompt.txt")
	if err := os.WriteFile(file, []byte("a dancer\nin the rain\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pose := []string{"vace-fun-pose", "--video-url", "https://example.com/v.mp4", "--prompt-file", file}
	s.wan(t, pose...)
	if body := string(s.job(t).Body); !strings.Contains(body, `"prompt":"a dancer\nin the rain"`) {
		t.Errorf("%s", body)
	}
	s.wan(t, append(pose, "--prompt", "p")...).check(t, exitInput, "", "exclude each other")
	s.wan(t, pose[0], pose[1], pose[2], pose[3], "none.txt").check(t, exitInput, "", "--prompt-file: none.txt: no such file")
}

// Media may come from standard input, whatever its size turns out to be.
func TestMediaFromStdin(t *testing.T) {
	s := newServer(t)
	image, err := os.ReadFile(hero)
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	s.withInput(t, string(image), "animate-move", "--video-url", "https://example.com/v.mp4", "--image-url", "-").check(t, exitDone, s.URL+s.job(t).Result+"\n")
	if body := string(s.job(t).Body); !strings.Contains(body, `"image_url":"data:image/png;base64,`) {
		t.Errorf("%.200s", body)
	}
	big := string(image) + strings.Repeat("x", 1<<20)
	s.withInput(t, big, "animate-move", "--video-url", "https://example.com/v.mp4", "--image-url", "-", "--max-media", "1").
		check(t, exitInput, "", "--image-url: more than the 1 MiB of --max-media")
	if left, _ := os.ReadDir(temporary); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestOpen(t *testing.T) {
	s := newServer(t)
	s.wan(t, move("--open")...).check(t, exitInput, "", "--open: it needs -o FILE")
	s.nothingSent(t)
}

// No line of any help, nor of wan models, is wider than the terminal, unless a single word is. No word is broken.
func TestWidth(t *testing.T) {
	slugs, _ := summaries()
	texts := map[string]func(w io.Writer, width int){"the models": func(w io.Writer, width int) { printModels(w, spec.Models(), width) }}
	var add func(*cobra.Command)
	add = func(command *cobra.Command) {
		texts[command.CommandPath()] = func(w io.Writer, width int) { help.Write(w, command, width, printFlags) }
		for _, sub := range command.Commands() {
			add(sub)
		}
	}
	add(newRoot(newConsole(t.Context(), nil, io.Discard, io.Discard), slugs, new(error)))
	for name, write := range texts {
		var whole strings.Builder
		write(&whole, 10000)
		words := strings.Fields(strings.ReplaceAll(whole.String(), "[=true|false]", " [=true|false]"))
		for _, width := range []int{40, 60, 100} {
			var b strings.Builder
			write(&b, width)
			for line := range strings.Lines(b.String()) {
				if n := utf8.RuneCountInString(line) - 1; n > width && len(strings.Fields(strings.TrimSuffix(line, " \\\n"))) > 1 {
					t.Errorf("%s, %d columns: %q has %d", name, width, line, n)
				}
			}
			for word := range strings.FieldsSeq(strings.ReplaceAll(b.String(), "[=true|false]", " [=true|false]")) {
				if word != `\` && !slices.Contains(words, word) && !slices.Contains(words, "("+word+")") {
					t.Errorf("%s, %d columns: %q is a part of a word", name, width, word)
				}
			}
		}
	}
}

func TestVerboseShowsBody(t *testing.T) {
	s := newServer(t)
	s.wan(t, "get", "nobody-knows-me", "--verbose").check(t, exitTrouble, "", `response body: {`)
}

var errAny = errors.New("any")

// Whatever the error, it can't look like bad input once a generation is accepted.
func TestExitCodeOfAccepted(t *testing.T) {
	for _, err := range []error{errAny, inputError(errAny)} {
		if code := exitCode(&acceptedError{err}); code != exitRunning {
			t.Errorf("%T: exit code %d", err, code)
		}
	}
}

// --no-validate leaves the judgement to the server.
func TestNoValidate(t *testing.T) {
	s := newServer(t)
	_, high := frameBounds(t, "vace-fun-pose")
	args := []string{"vace-fun-pose", "--video-url", "https://example.com/v.mp4", "--prompt", "p", "--num-frames", fmt.Sprint(high + 1)}
	s.wan(t, args...).check(t, exitInput, "", "--num-frames")
	s.nothingSent(t)
	s.wan(t, append(args, "--no-validate")...).check(t, exitTrouble, "", "submission rejected", "400")
	if dry := s.wan(t, append(args, "--no-validate", "--dry-run")...); dry.code != exitDone || !strings.Contains(dry.stderr, "doesn't conform to the spec of vace-fun-pose: --num-frames") {
		t.Errorf("%+v", dry)
	}
}

// Retries are shown: of a submission with the pause, of a download with how far it has come.
func TestRetriesAreShown(t *testing.T) {
	s := newServer(t)
	s.Inject(simulator.Fault{On: simulator.Submit, Times: 1, Effect: simulator.Status(http.StatusTooManyRequests)},
		simulator.Fault{On: simulator.Download, Times: 1, Effect: simulator.Truncate()})
	file := filepath.Join(t.TempDir(), "out.mp4")
	s.wan(t, move("-o", file)...).check(t, exitDone, file+"\n", "submission retried in ", "429", "download resumed at ")
}
