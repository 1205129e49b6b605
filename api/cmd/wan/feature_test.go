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
	result.check(t, exitDone, id+"\n", "submitted "+id, "To resume: wan wait "+id+" --base-url "+s.URL+"\n")
	s.wan(t, move("--no-wait", "-o", filepath.Join(t.TempDir(), "a b.mp4"))...).check(t, exitDone, s.Ledger().Jobs[1].ID+"\n", "a b.mp4'\n")
	if polls := s.Ledger().Polls; polls != 0 {
		t.Errorf("%d polls", polls)
	}
	result = s.wan(t, move("--no-wait", "--json")...)
	last := s.Ledger().Jobs[2]
	result.check(t, exitDone, `{"id":"`+last.ID+`","outcome":"submitted","client_request_id":"`+last.ClientRequestID+`"}`+"\n")
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
	if result.code != exitFailed || !strings.Contains(result.stderr, "NSFW: refused") || strings.Contains(result.stderr, "To resume") {
		t.Errorf("%+v", result)
	}
	for _, job := range jobs[:2] {
		path := filepath.Join(directory, "animate-move-"+strings.NewReplacer(":", "_", "/", "_").Replace(job.ID)+".mp4")
		if _, err := os.Stat(path); err != nil || !strings.Contains(result.stdout, path+"\n") {
			t.Errorf("%v; printed\n%s", err, result.stdout)
		}
	}
	s.withInput(t, " \n", "wait", "-").check(t, exitInput, "", "no id on standard input")
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
	s.wan(t, "animate-move", "-f", file, "--resolution", "720p").check(t, exitInput, "",
		`request.json: animate-move has no property "mood"; --allow-unknown sends it anyway`)
	s.nothingSent(t)
	result := s.wan(t, "animate-move", "-f", file, "--resolution", "720p", "--allow-unknown")
	result.check(t, exitDone, s.URL+s.job(t).Result+"\n")
	if dry := s.wan(t, "animate-move", "-f", file, "--allow-unknown", "--dry-run"); !strings.Contains(dry.stderr, "doesn't list all properties of the request") {
		t.Errorf("%+v", dry)
	}
	var body map[string]any
	if err := json.Unmarshal(s.job(t).Body, &body); err != nil {
		t.Fatal(err)
	}
	if body["resolution"] != "720p" || body["mood"] != "happy" || !strings.HasPrefix(body["video_url"].(string), "data:video/mp4;base64,") {
		t.Errorf("%s", s.job(t).Body)
	}

	s.withInput(t, request, "animate-move", "-f", "-", "--no-wait", "--allow-unknown").check(t, exitDone, s.Ledger().Jobs[1].ID+"\n")
	s.withInput(t, request, "animate-replace", "-f", "-").check(t, exitInput, "", "--file: -: it is for the model alibaba/wan2.2-14b-animate-move")
	s.withInput(t, "null", "animate-move", "-f", "-").check(t, exitInput, "", "--file: -: not a JSON object")
	s.withInput(t, "[]", "animate-move", "-f", "-").check(t, exitInput, "", "--file: -: not a JSON object")
	s.withInput(t, `{"shift":1,"shift":2}`, "animate-move", "-f", "-").check(t, exitInput, "", "--file: -: /shift: expected the member once")
	s.withInput(t, `{"shift":1,}`, "animate-move", "-f", "-").check(t, exitInput, "", "--file: -: body: expected well-formed JSON, received something else at byte")
	s.withInput(t, `{"video_ulr":"x"}`, "animate-move", "-f", "-").check(t, exitInput, "", `no property "video_ulr"; did you mean video_url?`)
	s.withInput(t, "", "animate-move", "-f", "nowhere.json").check(t, exitInput, "", "--file: nowhere.json: no such file")
	s.withInput(t, `{"image_url":"hero.png","shift":"1"}`, "animate-move", "-f", "-").check(t, exitInput, "", "--video-url is required", "--shift: expected a number")
}

func TestDryRun(t *testing.T) {
	s := newServer(t)
	args := []string{"vace-fun-pose", "--video-url", dance, "--prompt", "a & b", "--image-list", "https://example.com/i.png",
		"--seed", "12345678901234567890", "--client-request-id", "mine", "--dry-run"}
	const body = `{
  "image_list": [
    "https://example.com/i.png"
  ],
  "model": "alibaba/wan2.2-vace-fun-a14b-pose",
  "prompt": "a & b",
  "seed": 12345678901234567890,
  "video_url": "data:video/mp4;base64,... (40104 characters)"
}
`
	for _, key := range []string{"canary-key-7f3b9c2e", ""} { // it needs none
		t.Setenv("AIML_API_KEY", key)
		s.wan(t, args...).check(t, exitDone, "POST "+s.URL+`/v2/video/generations
Content-Length: 40279
Accept: application/json
Authorization: Bearer ...
Content-Type: application/json
User-Agent: wan-go
X-Client-Request-Id: mine

`+body, "The request conforms to the spec of vace-fun-pose. Nothing was submitted.\n")
	}
	s.wan(t, append(args, "--json")...).check(t, exitDone, body)
	t.Setenv("AIML_API_KEY", "bad\nkey")
	s.wan(t, args...).check(t, exitInput, "", "API key: ")
	t.Setenv("AIML_API_KEY", "")
	// Only media are shortened, and those that are given as data URIs, too.
	s.wan(t, "vace-fun-pose", "--video-url", "DATA:video/mp4;base64,AAAA", "--prompt", "data:x, a dancer", "--dry-run", "--json").check(t, exitDone, `{
  "model": "alibaba/wan2.2-vace-fun-a14b-pose",
  "prompt": "data:x, a dancer",
  "video_url": "DATA:video/mp4;base64,... (4 characters)"
}
`)
	// It checks all that a real run does before it submits.
	for want, more := range map[string][]string{
		"--shift: expected a number":               {"--shift", "x"},
		"--video-url: missing.mp4: no such file":   {"--video-url", "missing.mp4"},
		"is a directory":                           {"-o", t.TempDir()},
		"client request id: it must have 1 to 128": {"--client-request-id", "a b"},
		"use https or --insecure-http":             {"--base-url", "http://example.com"},
		"--output: " + hero + " exists":            {"-o", hero},
	} {
		s.wan(t, move(append(more, "--dry-run")...)...).check(t, exitInput, "", want)
	}
	s.nothingSent(t)
}

// In a pipe, each change of status is a line; --quiet is silent but for the id.
func TestProgressLines(t *testing.T) {
	s := newServer(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	result := s.wan(t, move()...)
	id := s.job(t).ID
	result.check(t, exitDone, s.URL+s.job(t).Result+"\n",
		"submitting as "+s.job(t).ClientRequestID+"\nsubmitted "+id+"\ncompleted after 0s\n")
	quiet := s.wan(t, move("--quiet")...)
	if job := s.Ledger().Jobs[1]; quiet.stderr != "submitting as "+job.ClientRequestID+"\nsubmitted "+job.ID+"\n" {
		t.Errorf("--quiet says %q, not the two ids", quiet.stderr)
	}
}

func TestCompletion(t *testing.T) {
	for args, want := range map[string]string{
		"vace-fun-pose --resolution ":           "auto\n240p\n360p\n480p\n580p\n720p\n",
		"vace-fun-reframe --aspect-ratio ":      "auto\n16:9\n1:1\n9:16\n",
		"animate-move --enable-safety-checker=": "true\nfalse\n",
		"animate-":                              "animate-move\tAnimates ",
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
