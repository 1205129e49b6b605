package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
)

// withInput is wan with something on standard input.
func (s *server) withInput(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr buffer
	code := run(t.Context(), append(args, "--base-url", s.URL), strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

func TestNoWait(t *testing.T) {
	s := newServer(t)
	result := s.wan(t, move("--no-wait")...)
	id := s.job(t).ID
	result.check(t, exitDone, id+"\n", "submitted "+id)
	if polls := s.Ledger().Polls; polls != 0 {
		t.Errorf("%d polls", polls)
	}
	s.wan(t, move("--no-wait", "--json")...).check(t, exitDone, `{"id":"`+s.Ledger().Jobs[1].ID+`","outcome":"submitted","client_request_id":"`+s.Ledger().Jobs[1].ClientRequestID+`"}`+"\n")
}

// Several generations are waited for at once, with ids from the command line and from standard input.
func TestWaitSeveral(t *testing.T) {
	s := newServer(t)
	s.Script(simulator.Complete(0, 0), simulator.Complete(0, 0), failing("NSFW", "refused"))
	for range 3 {
		s.wan(t, move("--no-wait")...)
	}
	jobs := s.Ledger().Jobs
	directory := t.TempDir()
	result := s.withInput(t, jobs[1].ID+"\n\n "+jobs[2].ID+"\n", "wait", jobs[0].ID, "-", "-o", filepath.Join(directory, "{model}-{id}.mp4"))
	if result.code != exitFailed || !strings.Contains(result.stderr, "NSFW: refused") || strings.Contains(result.stderr, "To go on") {
		t.Errorf("%+v", result)
	}
	for _, job := range jobs[:2] {
		path := filepath.Join(directory, "animate-move-"+strings.NewReplacer(":", "_", "/", "_").Replace(job.ID)+".mp4")
		if _, err := os.Stat(path); err != nil || !strings.Contains(result.stdout, path+"\n") {
			t.Errorf("%v; printed\n%s", err, result.stdout)
		}
	}
	s.withInput(t, " \n", "wait", "-").check(t, exitInput, "", "standard input holds no id")
}

func TestOutputTemplate(t *testing.T) {
	s := newServer(t)
	directory := t.TempDir()
	args := []string{"animate-replace", "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png", "--seed", "7"}
	s.wan(t, append(args, "-o", filepath.Join(directory, "{model}-{seed}.mp4"))...).check(t, exitDone, filepath.Join(directory, "animate-replace-7.mp4")+"\n")
}

// A request comes from a file, with flags on top of it.
func TestRequestFile(t *testing.T) {
	s := newServer(t)
	file := filepath.Join(t.TempDir(), "request.json")
	request := `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"` + dance + `","image_url":"https://example.com/i.png","resolution":"480p","mood":"happy","shift":1.50}`
	if err := os.WriteFile(file, []byte(request), 0o600); err != nil {
		t.Fatal(err)
	}
	s.wan(t, "animate-move", "-f", file, "--resolution", "720p").check(t, exitDone, s.URL+s.job(t).Result+"\n")
	var body map[string]any
	if err := json.Unmarshal(s.job(t).Body, &body); err != nil {
		t.Fatal(err)
	}
	if body["resolution"] != "720p" || body["mood"] != "happy" || !strings.HasPrefix(body["video_url"].(string), "data:video/mp4;base64,") {
		t.Errorf("%s", s.job(t).Body)
	}

	s.withInput(t, request, "animate-move", "-f", "-", "--no-wait").check(t, exitDone, s.Ledger().Jobs[1].ID+"\n")
	s.withInput(t, request, "animate-replace", "-f", "-").check(t, exitInput, "", "--file: - is for the model alibaba/wan2.2-14b-animate-move")
	s.withInput(t, "[]", "animate-move", "-f", "-").check(t, exitInput, "", "--file: - holds no JSON object")
	s.withInput(t, "", "animate-move", "-f", "nowhere.json").check(t, exitInput, "", "--file: nowhere.json can't be read: no such file")
	s.withInput(t, `{"image_url":"hero.png","shift":"1"}`, "animate-move", "-f", "-").check(t, exitInput, "", "--video-url is required", "--shift: expected a number")
}

func TestDryRun(t *testing.T) {
	s := newServer(t)
	t.Setenv("AIML_API_KEY", "") // it needs none
	result := s.wan(t, "vace-fun-pose", "--video-url", dance, "--prompt", "a & b", "--image-list", "https://example.com/i.png", "--seed", "12345678901234567890", "--dry-run")
	result.check(t, exitDone, `POST /v2/video/generations
Content-Type: application/json
Content-Length: 40279

{
  "image_list": [
    "https://example.com/i.png"
  ],
  "model": "alibaba/wan2.2-vace-fun-a14b-pose",
  "prompt": "a & b",
  "seed": 12345678901234567890,
  "video_url": "data:video/mp4;base64,... (40104 characters)"
}

The document of vace-fun-pose has nothing against it. Nothing was sent.
`)
	s.wan(t, move("--dry-run", "--shift", "x")...).check(t, exitInput, "", "--shift: expected a number")
	s.nothingSent(t)
}

// In a pipe, each change of status is a line; --quiet is silent but for the id.
func TestProgressLines(t *testing.T) {
	s := newServer(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	result := s.wan(t, move()...)
	id := s.job(t).ID
	result.check(t, exitDone, s.URL+s.job(t).Result+"\n", "submitted "+id+"\ncompleted after 0s\n")
	quiet := s.wan(t, move("--quiet")...)
	if want := "submitted " + s.Ledger().Jobs[1].ID + "\n"; quiet.stderr != want {
		t.Errorf("--quiet says %q, want %q", quiet.stderr, want)
	}
}

func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"vace-fun-pose --resolution ":           "auto\n240p\n360p\n480p\n580p\n720p\n",
		"vace-fun-reframe --aspect-ratio ":      "auto\n16:9\n1:1\n9:16\n",
		"animate-move --enable-safety-checker=": "true\nfalse\n",
		"animate-":                              "animate-move\tAnimates the character of a picture\nanimate-replace",
	} {
		result := runWan(t, t.Context(), new(buffer), append([]string{"__complete"}, strings.Split(args, " ")...)...)
		if result.code != exitDone || !strings.HasPrefix(result.stdout, want) {
			t.Errorf("%s: %q", args, result.stdout)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if result := runWan(t, t.Context(), new(buffer), "completion", shell); result.code != exitDone || !strings.Contains(result.stdout, "wan") {
			t.Errorf("%s: %+v", shell, result)
		}
	}
}

func TestVersion(t *testing.T) {
	if result := runWan(t, t.Context(), new(buffer), "--version"); result.code != exitDone || !strings.HasPrefix(result.stdout, "wan version ") {
		t.Errorf("%+v", result)
	}
}
