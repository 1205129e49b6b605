package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

func TestModels(t *testing.T) {
	tests := []struct {
		args          []string
		width, height int
	}{
		{[]string{"animate-move", "--video-url", dance, "--image-url", hero}, 854, 480},
		{[]string{"animate-move", "--video-url", dance, "--image-url", hero, "--resolution", "720p"}, 1280, 720},
		{[]string{"animate-replace", "--video-url", dance, "--image-url", hero, "--resolution", "720p"}, 1280, 720},
		{[]string{"vace-fun-pose", "--video-url", dance, "--prompt", "a dancer"}, 854, 480},
		{[]string{"vace-fun-pose", "--video-url", dance, "--prompt", "a dancer", "--aspect-ratio", "1:1", "--image-list", hero, "--image-list", hero}, 480, 480},
		{[]string{"vace-fun-reframe", "--video-url", dance}, 854, 480},
		{[]string{"vace-fun-reframe", "--video-url", dance, "--aspect-ratio", "9:16"}, 480, 854},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			s := newServer(t)
			file := filepath.Join(t.TempDir(), "out.mp4")
			result := s.wan(t, append(test.args, "-o", file)...)
			job := s.job(t)
			result.check(t, exitDone, file+"\n", "submitted "+job.ID+"\n")
			if width, height := sizeOnScreen(t, file); width != test.width || height != test.height {
				t.Errorf("the video is %dx%d, want %dx%d", width, height, test.width, test.height)
			}
			document, _ := spec.BySlug(test.args[0])
			if job.Model != document.Model || job.ClientRequestID == "" {
				t.Errorf("the job is %+v", job)
			}
			if l := s.Ledger(); l.Rejected != 0 || l.Leaks != 0 || l.Downloads == 0 {
				t.Errorf("the ledger is %+v", l)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); left != nil {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// What the files hold has to arrive, not only that they do.
func TestFilesAreSent(t *testing.T) {
	dataURI := func(mediaType, path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString(data)
	}
	body, err := json.Marshal(map[string]any{
		"model":      "alibaba/wan2.2-vace-fun-a14b-pose",
		"video_url":  dataURI("video/mp4", dance),
		"image_list": []string{dataURI("image/png", hero), "https://example.com/coat.png", "data:image/png;base64,AAAA"},
		"prompt":     "a <dancer> & her \"coat\"",
	})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	s := newServer(t)
	result := s.wan(t, "vace-fun-pose", "--video-url", dance, "--prompt", "a <dancer> & her \"coat\"",
		"--image-list", hero, "--image-list", "https://example.com/coat.png", "--image-list", "data:image/png;base64,AAAA")
	job := s.job(t)
	result.check(t, exitDone, s.URL+job.Result+"\n")
	if job.BodySize != len(body) || job.BodySHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the body has %d bytes, want %d; it is %s", job.BodySize, len(body), job.Body)
	}
}

// Each property has a flag, which sends a value of the property's type: the example with all of them comes out.
func TestAllFlags(t *testing.T) {
	for _, document := range spec.Models() {
		t.Run(document.Slug, func(t *testing.T) {
			example := document.Operation.RequestBody.Value.Content["application/json"].Examples["full"].Value.Value.(map[string]any)
			args := []string{document.Slug}
			for _, p := range document.Properties() {
				value, ok := example[p.Name]
				flag := "--" + strings.ReplaceAll(p.Name, "_", "-")
				switch value := value.(type) {
				case []any:
					for _, element := range value {
						args = append(args, flag, fmt.Sprint(element))
					}
				case bool:
					args = append(args, fmt.Sprintf("%s=%t", flag, value))
				default:
					if p.Name != "model" {
						args = append(args, flag, fmt.Sprint(value))
					}
				}
				if !ok {
					t.Errorf("the example has no %s", p.Name)
				}
			}
			s := newServer(t)
			if result := s.wan(t, args...); result.code != exitDone {
				t.Fatalf("exit code %d:\n%s", result.code, result.stderr)
			}
			want, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.job(t).Body; !reflect.DeepEqual(decode(t, got), decode(t, want)) {
				t.Errorf("sent\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func decode(t *testing.T, data []byte) (value any) {
	t.Helper()
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return value
}

// What isn't given isn't sent, since the server's defaults may change; 0 and false are sent.
func TestOnlyGivenFlagsAreSent(t *testing.T) {
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{nil, ``},
		{[]string{"--shift", "0", "--enable-safety-checker=false"}, `,"shift":0,"enable_safety_checker":false`},
		{[]string{"--enable-safety-checker", "--shift", "2.5"}, `,"shift":2.5,"enable_safety_checker":true`},
		{[]string{"--shift", "1", "--shift", "-1e1"}, `,"shift":-10`},
	} {
		s := newServer(t)
		s.wan(t, move(test.flags...)...)
		want := `{"model":"alibaba/wan2.2-14b-animate-move","video_url":"https://example.com/v.mp4","image_url":"https://example.com/i.png"` + test.want + `}`
		if got := s.job(t).Body; !reflect.DeepEqual(decode(t, got), decode(t, []byte(want))) {
			t.Errorf("%v: sent %s, want %s", test.flags, got, want)
		}
	}
}

// A float64 can't hold each integer.
func TestLongSeed(t *testing.T) {
	s := newServer(t)
	var body []byte
	s.Inject(simulator.Fault{On: simulator.Submit, Effect: simulator.Effect{Name: "look", Wrap: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			next.ServeHTTP(w, r)
		})
	}}})
	result := s.wan(t, "animate-replace", "--video-url", "https://example.com/v.mp4", "--image-url", "https://example.com/i.png", "--seed", "9007199254740993")
	if result.code != exitDone || !strings.Contains(string(body), `"seed":9007199254740993`) {
		t.Errorf("exit code %d, sent %s", result.code, body)
	}
}

func TestWrongInput(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, text := file("empty.mp4", ""), file("text.png", "no image")
	pose := func(more ...string) []string {
		return append([]string{"vace-fun-pose", "--video-url", "https://example.com/v.mp4", "--prompt", "p"}, more...)
	}
	images := []string{}
	for range 5 {
		images = append(images, "--image-list", hero)
	}
	low, high := frameBounds(t, "vace-fun-pose")
	frames := fmt.Sprintf("from %d to %d", low, high)
	_, reframe := frameBounds(t, "vace-fun-reframe")
	tests := []struct {
		name string
		args []string
		want []string // what stderr says
	}{
		{"unknown flag", move("--mood", "happy"), []string{"--mood"}},
		{"flag of another model", move("--num-frames", "81"), []string{"--num-frames"}},
		{"model", move("--model", "x"), []string{"--model"}},
		{"flag without a value", move("--resolution"), []string{"--resolution"}},
		{"argument", move("more"), []string{`"more"`}},
		{"below the bounds", pose("--num-frames", fmt.Sprint(low-1)), []string{"--num-frames", frames, fmt.Sprint("received ", low-1)}},
		{"above the bounds", pose("--num-frames", fmt.Sprint(high+1)), []string{"--num-frames", frames, fmt.Sprint("received ", high+1)}},
		{"bounds of another model", []string{"vace-fun-reframe", "--video-url", dance, "--num-frames", fmt.Sprint(reframe + 1)}, []string{"--num-frames", fmt.Sprint(" to ", reframe)}},
		{"fraction", pose("--num-frames", "81.5"), []string{"--num-frames", "an integer", "received 81.5"}},
		{"number too large for anybody", pose("--guidance-scale", "1e999"), []string{"--guidance-scale", "a number"}},
		{"too many", pose(images...), []string{"--image-list", "at most 4", "an array of 5"}},
		{"enum", move("--resolution", "1080p"), []string{"--resolution", "480p, 580p, 720p", `"1080p"`}},
		{"empty enum", move("--resolution", ""), []string{"--resolution", "480p, 580p, 720p"}},
		{"text for a number", move("--shift", "much"), []string{"--shift", "a number", `"much"`}},
		{"text for a boolean", move("--enable-safety-checker=perhaps"), []string{"--enable-safety-checker", "a boolean", `"perhaps"`}},
		{"null", move("--shift", "null"), []string{"--shift", "a number", "null"}},
		{"object", move("--shift", `{"a":1,"a":2}`), []string{"--shift"}},
		{"nothing required", []string{"animate-move"}, []string{"--video-url is required", "--image-url is required"}},
		{"no prompt", []string{"vace-fun-pose", "--video-url", dance}, []string{"--prompt is required"}},
		{"several", pose("--num-frames", "1", "--resolution", "1p"), []string{"--num-frames", "--resolution"}},
		{"not http", move("--video-url", "ftp://example.com/v.mp4"), []string{"--video-url", "https URL"}},
		{"no data URI", move("--video-url", "data:nonsense"), []string{"--video-url", "a data URI"}},
		{"empty path", move("--video-url", ""), []string{"--video-url", "a URL"}},
		{"missing file", move("--video-url", "missing.mp4"), []string{"--video-url: missing.mp4: no such file or directory"}},
		{"missing file in a list", pose("--image-list", hero, "--image-list", "missing.png"), []string{"--image-list: missing.png: no such file"}},
		{"image for a video", move("--video-url", hero), []string{"--video-url: " + hero + ": image/png, not a video"}},
		{"video for an image", move("--image-url", dance), []string{"--image-url: " + dance + ": video/mp4"}},
		{"text for an image", move("--image-url", text), []string{"--image-url: " + text + ": text/plain"}},
		{"empty file", move("--video-url", empty), []string{"--video-url: " + empty + ": empty"}},
		{"directory", move("--video-url", dir), []string{"--video-url: " + dir + ": a directory"}},
		{"empty prompt", []string{"vace-fun-pose", "--video-url", "https://example.com/v.mp4", "--prompt", ""}, []string{"--prompt is empty"}},
		{"a path as a URL", move("--video-url", "file://"+dir+"/a%20b.mp4"), []string{"--video-url: " + dir + "/a b.mp4: no such file"}},
		{"output is a device", move("-o", os.DevNull), []string{"--output: " + os.DevNull + " isn't a regular file"}},
		{"timeout", move("--timeout", "soon"), []string{"--timeout", "soon"}},
		{"name too long", move("-o", filepath.Join(dir, strings.Repeat("x", 300))), []string{"--output: create ", "file name too long"}},
		{"name too long with the id", move("-o", filepath.Join(dir, strings.Repeat("x", 200)+"{id}.mp4")), []string{"--output: create ", "file name too long"}},
		{"directory name too long", move("-o", filepath.Join(dir, strings.Repeat("x", 300), "out.mp4")), []string{"--output: create ", "file name too long"}},
		{"output below a file", move("-o", filepath.Join(text, "out.mp4")), []string{"--output: "}},
		{"output is a directory", move("-o", dir), []string{"--output: " + dir + " is a directory"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newServer(t)
			result := s.wan(t, test.args...)
			result.check(t, exitInput, "", append(test.want, `See "wan `+test.args[0]+` --help".`)...)
			if lines := strings.Count(result.stderr, "\n"); lines != 2 {
				t.Errorf("%d lines on stderr, want 2", lines)
			}
			s.nothingSent(t)
		})
	}
}

// frameBounds are the bounds of num_frames.
func frameBounds(t *testing.T, slug string) (low, high int) {
	t.Helper()
	document, ok := spec.BySlug(slug)
	if !ok {
		t.Fatalf("no model %s", slug)
	}
	schema := document.Request().Properties["num_frames"].Value
	return int(*schema.Min), int(*schema.Max)
}

// Not even a URL's query may be shown.
func TestWrongInputIsNotShown(t *testing.T) {
	s := newServer(t)
	base64 := strings.Repeat("U0VDUkVU", 300) // of an unknown type, so taken for a path
	if result := s.wan(t, move("--video-url", base64)...); result.code != exitInput || len(result.stderr) > 300 || strings.Contains(result.stderr, base64[:200]) {
		t.Errorf("%+v", result)
	}
	for _, value := range []string{"ftp://example.com/v.mp4?sig=SECRET", "data:text/plain,SECRET", "data:video/mp4;base64,SECRET*"} {
		result := s.wan(t, move("--video-url", value)...)
		result.check(t, exitInput, "", "--video-url")
		if strings.Contains(result.stderr, "SECRET") {
			t.Errorf("shown: %s", result.stderr)
		}
	}
}

func TestSimulateFlag(t *testing.T) {
	t.Parallel() // it takes the three seconds of a job
	file := filepath.Join(t.TempDir(), "out.mp4")
	args := []string{"vace-fun-reframe", "--video-url", dance, "--aspect-ratio", "9:16", "--simulate", "-o", file}
	result := runWan(t, context.Background(), new(buffer), args...)
	result.check(t, exitDone, file+"\n", "submitted ")
	if width, height := sizeOnScreen(t, file); width >= height {
		t.Errorf("the video is %dx%d, want a portrait", width, height)
	}
}

// A simulator in the process takes its jobs with it, so there is no going on. It doesn't look at the environment.
func TestSimulateFlagTimeout(t *testing.T) {
	t.Setenv("AIML_API_KEY", "not a key")
	t.Setenv("AIML_API_BASE", "not a URL")
	result := runWan(t, t.Context(), new(buffer), move("--simulate", "--timeout", "1s")...)
	result.check(t, exitRunning, "", "submitted ")
	if strings.Contains(result.stderr, "wan wait") {
		t.Errorf("a resume command is printed:\n%s", result.stderr)
	}
}

func TestHelp(t *testing.T) {
	for _, document := range spec.Models() {
		t.Run(document.Slug, func(t *testing.T) {
			result := runWan(t, t.Context(), new(buffer), document.Slug, "--help")
			if result.code != exitDone || result.stderr != "" {
				t.Fatalf("exit code %d, stderr %q", result.code, result.stderr)
			}
			request, command, ok := strings.Cut(result.stdout, "\nCommand:\n")
			_, request, ok2 := strings.Cut(request, "\nRequest:\n")
			if !ok || !ok2 {
				t.Fatalf("no sections in\n%s", result.stdout)
			}
			if n := strings.Count("\n"+request, "\n  --"); n != len(document.Properties())-1 {
				t.Errorf("%d flags, want one for each property but model, %d", n, len(document.Properties())-1)
			}
			for _, p := range document.Properties() {
				if p.Name != "model" {
					checkHelp(t, p, request)
				}
			}
			for _, want := range []string{"--output FILE", "--timeout", "--json", "--simulate", "--base-url", "--verbose"} {
				if !strings.Contains(command, want) {
					t.Errorf("no %s among the flags of the command:\n%s", want, command)
				}
			}
			for _, want := range []string{document.Model, exitCodes(), "wan " + document.Slug + " --", " --video-url dance.mp4"} {
				if !strings.Contains(result.stdout, want) {
					t.Errorf("the help doesn't say %q", want)
				}
			}
			for line := range strings.Lines(request) {
				if len(line) > 101 {
					t.Errorf("%d characters in the line %q", len(line), line)
				}
			}
		})
	}
}

// checkHelp looks for everything that the spec says about a property.
func checkHelp(t *testing.T, p spec.Property, help string) {
	t.Helper()
	flag := "--" + strings.ReplaceAll(p.Name, "_", "-")
	end := " "
	if p.Schema.Type.Is("boolean") {
		end = "[=true|false]"
	}
	_, text, ok := strings.Cut("\n"+help, "\n  "+flag+end)
	if !ok {
		t.Errorf("no %s", flag)
		return
	}
	text, _, _ = strings.Cut(text, "\n  --")
	head, paragraph, _ := strings.Cut(text, "\n")
	var want []string
	for _, value := range p.Schema.Enum {
		want = append(want, fmt.Sprint(value))
	}
	for _, bound := range []*float64{p.Schema.Min, p.Schema.Max} {
		if bound != nil {
			want = append(want, strconv.FormatFloat(*bound, 'f', -1, 64))
		}
	}
	if p.Schema.MaxItems != nil {
		want = append(want, fmt.Sprintf("up to %d times", *p.Schema.MaxItems))
	}
	if p.Schema.Default != nil {
		// Of a long one the beginning will do.
		want = append(want, fmt.Sprintf("(default %.40s", fmt.Sprint(p.Schema.Default)))
	}
	if p.Required {
		want = append(want, "(required)")
	}
	for _, kind := range []string{"integer", "number"} {
		if p.Schema.Type.Is(kind) {
			want = append(want, kind)
		}
	}
	for _, w := range want {
		if !strings.Contains(head, w) {
			t.Errorf("%s %s: it doesn't say %q", flag, head, w)
		}
	}
	if got := strings.Join(strings.Fields(paragraph), " "); got != withFlagNames(p.Schema.Description) {
		t.Errorf("%s: the text is\n%s\nwant\n%s", flag, got, withFlagNames(p.Schema.Description))
	}
}

// withFlagNames is a description as the help prints it: in one line, with flags in place of properties.
func withFlagNames(description string) string {
	text := propertyName.ReplaceAllStringFunc(description, func(name string) string {
		return "--" + strings.ReplaceAll(strings.Trim(name, "`"), "_", "-")
	})
	return strings.Join(strings.Fields(text), " ")
}

var propertyName = regexp.MustCompile("`[a-z]+(_[a-z]+)+`")

// Specs to come may have a long default, with or without spaces.
func TestRemark(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, ""},
		{0.0, " (default 0)"},
		{false, " (default false)"},
		{"short", " (default short)"},
		{strings.Repeat("x", 61), " (default " + strings.Repeat("x", 60) + " ...)"},
		{strings.Repeat("word ", 13), " (default " + strings.Repeat("word ", 11) + "word ...)"},
		{strings.Repeat("é", 31), " (default " + strings.Repeat("é", 30) + " ...)"},
		{"x" + strings.Repeat("é", 31), " (default x" + strings.Repeat("é", 29) + " ...)"},
	} {
		if got := remark(spec.Property{Schema: &openapi3.Schema{Default: test.value}}); got != test.want {
			t.Errorf("%v: got %q, want %q", test.value, got, test.want)
		}
	}
}
