package spec_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// invented are models that don't exist, in the shapes of the vendor's others: talk has enums of numbers and audio, cast
// arrays of objects, morph a choice of schemas. testdata/invented has the vendor's form of each and our spec of it.
var invented = []string{"talk", "cast", "morph"}

// A module is this module with the invented models, as an overlay: the specs, the generated packages and the methods of
// package api.
type module struct {
	root    string
	overlay string
}

// TestInventedModels adds models as CONTRIBUTING.md says, then generates, compiles and runs everything with them.
func TestInventedModels(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the command")
	}
	for _, directory := range []string{"gen/templates", "api", "api/cmd/wan", "conformance", "conformance/suite", "conformance/simulator", "spec/drift"} {
		if _, err := os.ReadDir(filepath.Join("..", directory)); err != nil { // so that go test knows what the result depends on
			t.Fatal(err)
		}
	}
	m := newModule(t)
	wan := filepath.Join(t.TempDir(), "wan")
	m.run(t, "go", "build", "-overlay", m.overlay, "-o", wan, "./api/cmd/wan")
	t.Run("curation", func(t *testing.T) {
		m.run(t, "go", "test", "-overlay", m.overlay, "./spec", "-run",
			"^(TestEverythingIsDescribed|TestRequestExamples|TestValidationSeesExamples|TestPropertiesKeepTheirOrder|TestOnePath|TestLookUp)$")
	})
	t.Run("drift", func(t *testing.T) { m.drift(t) })
	t.Run("facade", func(t *testing.T) {
		program := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(program, read(t, "testdata/invented/main.go.txt"), 0o600); err != nil {
			t.Fatal(err)
		}
		m.run(t, "go", "run", "-overlay", m.overlay, program)
	})
	url, key := simulate(t, wan)
	t.Run("suite", func(t *testing.T) {
		args := []string{"conformance", "--target", url, "--key", key, "--spend", "-1", "--strictness", "exact"}
		for _, slug := range invented {
			args = append(args, "--model", slug)
		}
		m.run(t, wan, args...)
	})
	t.Run("command", func(t *testing.T) { m.command(t, wan) })
}

func newModule(t *testing.T) *module {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	m := &module{root, filepath.Join(temp, "overlay.json")}
	if err := os.WriteFile(filepath.Join(temp, "generation.yaml"), read(t, "generation.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	directive := regexp.MustCompile(`(?m)^//go:generate (.*) -package vacefundepth -o \S+ \S+$`).FindSubmatch(read(t, "../generate.go"))
	if directive == nil {
		t.Fatal("generate.go has no line for vacefundepth")
	}
	method := regexp.MustCompile(`(?s)func \(c \*Client\) VaceFunDepth\(.*?\n}\n`).FindString(string(read(t, "../api/models.go")))
	facade := strings.Builder{}
	facade.WriteString("package api\nimport (\n\"context\"\n\"reflect\"\n")
	replace := map[string]string{}
	put := func(path, text string) {
		file := filepath.Join(temp, strings.ReplaceAll(path, "/", "-"))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, path)] = file
	}
	for _, slug := range invented {
		facade.WriteString("\"github.com/aimlvideo/wan-go/gen/" + slug + "\"\n")
	}
	facade.WriteString(")\n")
	for _, slug := range invented {
		put("spec/"+slug+".yaml", assemble(t, slug))
		generated := "gen/" + slug + "/" + slug + ".gen.go"
		put(generated, "")
		args := append(strings.Fields(string(directive[1])), "-package", slug, "-o", replace[filepath.Join(root, generated)], filepath.Join(temp, "spec-"+slug+".yaml"))
		m.run(t, args[0], args[1:]...)
		facade.WriteString(strings.NewReplacer("VaceFunDepth", strings.ToUpper(slug[:1])+slug[1:], "vacefundepth", slug).Replace(method))
		facade.WriteString("\nfunc init() { models[string(" + slug + ".ModelID)] = reflect.TypeFor[" + slug + ".Request]() }\n")
	}
	put("api/invented.go", facade.String())
	encoded, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.overlay, encoded, 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// assemble makes the spec of an invented model from that of vace-fun-depth.
func assemble(t *testing.T, slug string) string {
	t.Helper()
	text := strings.NewReplacer("vace-fun-depth", slug, "alibaba/wan2.2-vace-fun-a14b-depth", "acme/"+slug+"-1").Replace(string(read(t, "vace-fun-depth.yaml")))
	var document map[string]any
	var own struct {
		Description string         `yaml:"description"`
		Examples    map[string]any `yaml:"examples"`
		Request     map[string]any `yaml:"request"`
	}
	for data, into := range map[string]any{text: &document, string(read(t, "testdata/invented/"+slug+".yaml")): &own} {
		if err := yaml.Unmarshal([]byte(data), into); err != nil {
			t.Fatal(err)
		}
	}
	at := func(path string) map[string]any {
		found := document
		for step := range strings.FieldsSeq(path) {
			found = found[step].(map[string]any)
		}
		return found
	}
	at("info")["description"] = own.Description
	at("components schemas")["Request"] = own.Request
	for name, value := range own.Examples {
		at("paths /v2/video/generations post requestBody content application/json examples " + name)["value"] = value
	}
	var encoded strings.Builder
	encoder := yaml.NewEncoder(&encoded)
	encoder.SetIndent(2)
	if err := encoder.Encode(document); err != nil {
		t.Fatal(err)
	}
	return encoded.String()
}

// drift compares the vendor's form with our spec: after the texts are recorded, nothing is left but what we add.
func (m *module) drift(t *testing.T) {
	texts := filepath.Join(t.TempDir(), "texts.yaml")
	if err := os.WriteFile(texts, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "-overlay", m.overlay, "./spec/drift", "--texts", texts, "--accept"}
	for _, slug := range invented {
		args = append(args, "spec/testdata/invented/"+slug+".json")
	}
	command := exec.Command("go", args...)
	command.Dir = m.root
	output, _ := command.CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if !strings.HasPrefix(line, "known") {
			t.Error(line)
		}
	}
}

// simulate starts the command's simulator and returns its URL and key.
func simulate(t *testing.T, wan string) (url, key string) {
	t.Helper()
	key = "key-of-the-test"
	command := exec.CommandContext(t.Context(), wan, "simulate", "--addr", "127.0.0.1:0", "--key", key, "--queued", "0s", "--generating", "0s", "--log", "none")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !ok {
		t.Fatalf("%q, %v", line, err)
	}
	return url, key
}

// command runs command lines.
func (m *module) command(t *testing.T, wan string) {
	const talk = "talk --image-url conformance/testdata/hero.png --audio-url "
	speech := filepath.Join(t.TempDir(), "speech.mp3")
	if err := os.WriteFile(speech, []byte("ID3\x04\x00\x00\x00\x00\x00\x23TSSE"), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, test := range []struct{ args, want string }{ // want is the error, if any
		{talk + speech + " --duration 10 --fps 23.976 --mirror=false --strength 1", ""},
		{talk + speech + " --duration 7", "--duration: expected one of 5, 10, received 7"},
		{talk + speech + " --duration ten", "--duration: expected one of 5, 10, received \"ten\""},
		{talk + speech + " --fps 25", "--fps: expected one of 23.976, 24, received 25"},
		{talk + speech + " --mirror", "--mirror: expected false, received true"},
		{talk + speech + " --strength 1.5", "--strength: expected a number from 0 to 1, received 1.5"},
		{talk + "conformance/testdata/hero.png", "--audio-url: conformance/testdata/hero.png: image/png, not audio"},
		{"cast --prompt p", "--elements is required"},
		{"cast --prompt p -f " + write("cast.json", `{"elements": [{"reference_image_urls": ["conformance/testdata/hero.png"], "weight": 9}], "camera": {"mode": "free"}}`), ""},
		{"cast --prompt p -f " + write("cast.json", `{"elements": [{"reference_image_urls": [], "weight": 10}]}`), "--elements: expected"},
		{"cast --prompt p -f " + write("cast.json", `{"elements": [{"reference_image_urls": ["conformance/testdata/dance.mp4"]}]}`), "not an image"},
		{"cast --prompt p --shots one --shots two --elements x", "--elements"},
		{"morph --prompt p --loop --duration 10", ""},
		{"morph --loop", "prompt"},
		{"morph -f " + write("morph.json", `{"image_url": ["conformance/testdata/hero.png", "https://example.com/a.png"], "first_frame": {"type": "image", "url": "conformance/testdata/hero.png"}}`), ""},
		{"morph -f " + write("morph.json", `{"prompt": "p", "first_frame": {"type": "image"}}`), "first-frame"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Parallel()
			output := filepath.Join(t.TempDir(), "out.mp4")
			command := exec.Command(wan, append(strings.Fields(test.args), "--simulate", "-o", output)...)
			command.Dir = m.root
			command.Env = append(os.Environ(), "XDG_STATE_HOME="+t.TempDir())
			printed, err := command.CombinedOutput()
			_, missing := os.Stat(output)
			if (test.want == "") != (err == nil && missing == nil) || !strings.Contains(string(printed), test.want) {
				t.Errorf("%v, want %q in\n%s", err, test.want, printed)
			}
		})
	}
	help := m.run(t, wan, "talk", "--help")
	completion := m.run(t, wan, "__complete", "talk", "--duration", "")
	audio := m.run(t, wan, "__complete", "talk", "--audio-url", "")
	if !strings.Contains(help, "--duration 5|10 (default 5)") || !slices.Equal(strings.Fields(completion)[:2], []string{"5", "10"}) || !strings.Contains(audio, "mp3") {
		t.Errorf("help:\n%s\ncompletion of --duration:\n%s\nof --audio-url:\n%s", help, completion, audio)
	}
}

// run runs a program in the root of the module.
func (m *module) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir = m.root
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, output)
	}
	return string(output)
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
