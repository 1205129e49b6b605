package api_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/conformance/simulator"
	"github.com/aimlvideo/wan-go/spec"
)

// importPaths are the packages that the README's snippets use, by name.
var importPaths = map[string]string{
	"wan":            "github.com/aimlvideo/wan-go/api",
	"animatemove":    "github.com/aimlvideo/wan-go/gen/animatemove",
	"animatereplace": "github.com/aimlvideo/wan-go/gen/animatereplace",
	"vacefunpose":    "github.com/aimlvideo/wan-go/gen/vacefunpose",
	"vacefunreframe": "github.com/aimlvideo/wan-go/gen/vacefunreframe",
	"media":          "github.com/aimlvideo/wan-go/spec/media",
	"conformance":    "github.com/aimlvideo/wan-go/conformance",
	"simulator":      "github.com/aimlvideo/wan-go/conformance/simulator",
	"context":        "context", "errors": "errors", "fmt": "fmt", "log": "log", "http": "net/http", "time": "time",
}

var (
	snippets    = regexp.MustCompile("(?s)```go\n(.*?)```")
	qualifiers  = regexp.MustCompile(`\b([a-z]+)\.[A-Z]`)
	assignments = regexp.MustCompile(`(?m)^(\w+)(?:, (\w+))? :=`)
)

// TestREADME compiles every Go snippet of the README into one program and runs them all against a simulator.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := slices.DeleteFunc(snippets.FindAllStringSubmatch(string(readme), -1), func(snippet []string) bool {
		return strings.HasPrefix(snippet[1], "func Test") // needs a server of the reader's own
	})
	if len(found) < 7 {
		t.Fatalf("the README has only %d snippets", len(found))
	}
	packages := []string{"wan", "context", "fmt", "log"}
	var functions, calls strings.Builder
	for i, snippet := range found {
		code := snippet[1]
		for _, q := range qualifiers.FindAllStringSubmatch(code, -1) {
			if importPaths[q[1]] != "" && !slices.Contains(packages, q[1]) {
				packages = append(packages, q[1])
			}
		}
		// What a snippet ends with is what the reader goes on with.
		end := "return err\n"
		for _, names := range assignments.FindAllStringSubmatch(code, -1) {
			for _, name := range names[1:] {
				if name != "" && name != "err" {
					end = "_ = " + name + "\n" + end
				}
			}
		}
		if strings.HasPrefix(strings.TrimSpace(code[strings.LastIndex(strings.TrimSpace(code), "\n")+1:]), "return") {
			end = ""
		}
		fmt.Fprintf(&functions, "func snippet%d(ctx context.Context, client *wan.Client, id string, t *test) error {\n_, _, _, _ = ctx, client, id, t\n%s%s}\n", i, code, end)
		fmt.Fprintf(&calls, "report(%d, snippet%d(ctx, client, id, new(test)))\n", i, i)
	}
	reframe, ok := spec.BySlug("vace-fun-reframe")
	if !ok {
		t.Fatal("there is no vace-fun-reframe")
	}
	var program strings.Builder
	program.WriteString("package main\nimport (\n")
	for _, name := range packages {
		fmt.Fprintf(&program, "%s %q\n", name, importPaths[name])
	}
	program.WriteString(`)
// test stands for a *testing.T.
type test struct{}
func (*test) Helper() {}
func (*test) Cleanup(func()) {}
func (*test) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }

func report(i int, err error) {
	if err != nil {
		log.Fatalf("snippet %d: %v", i, err)
	}
	fmt.Println("snippet", i)
}

func main() {
	ctx := context.Background()
	client, err := wan.New()
	if err != nil {
		log.Fatal(err)
	}
	job, err := client.Submit(ctx, map[string]any{"model": "` + reframe.Model + `", "video_url": wan.File("dance.mp4")})
	if err != nil {
		log.Fatal(err)
	}
	id := job.ID()
	` + calls.String() + "}\n" + functions.String())

	directory := t.TempDir()
	if err := os.CopyFS(directory, os.DirFS("../conformance/testdata")); err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(directory, "main.go")
	if err := os.WriteFile(source, []byte(program.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(directory, "program")
	if output, err := exec.Command("go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, output, program.String())
	}
	srv := simulator.Start(t, simulator.WithTimeline(simulator.Complete(0, 0)))
	command := exec.Command(binary)
	command.Dir = directory
	command.Env = append(os.Environ(), "AIML_API_KEY="+srv.Key, "AIML_API_BASE="+srv.URL)
	output, err := command.CombinedOutput()
	if err != nil || strings.Count(string(output), "snippet ") != len(found) {
		t.Errorf("%v\n%s", err, output)
	}
	if l := srv.Ledger(); l.Created != 5 || l.Downloads != 1 {
		t.Errorf("the snippets made %d jobs and %d downloads", l.Created, l.Downloads)
	}
}
