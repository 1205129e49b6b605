package spec_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/aimlvideo/wan-go/spec"
)

// TestEveryModelIsListed names what is missing for a model outside of spec/. CONTRIBUTING.md says how to add one.
func TestEveryModelIsListed(t *testing.T) {
	readme, generate, facade := string(read(t, "../README.md")), string(read(t, "../generate.go")), string(read(t, "../api/models.go"))
	for _, d := range spec.Models() {
		name := strings.ReplaceAll(d.Slug, "-", "")
		method := regexp.MustCompile(`(?i)func \(c \*Client\) ` + name + `\(ctx context\.Context, request ` + name + `\.Request,`)
		directive := fmt.Sprintf("-package %s -o gen/%[1]s/%[1]s.gen.go spec/%s.yaml\n", name, d.Slug)
		row := regexp.MustCompile("(?im)^\\| `" + d.Slug + "` \\| `" + d.Model + "` \\| .*`gen/" + name + "` \\| `Client\\." + name + "` \\|$")
		switch {
		case !strings.Contains(generate, directive):
			t.Errorf("generate.go has no line for %s: add one that ends with %q", d.Slug, directive)
		case !method.MatchString(facade):
			t.Errorf("api/models.go has no method for %s: add one that takes %s.Request", d.Slug, name)
		case !strings.Contains(facade, "string("+name+".ModelID):"):
			t.Errorf("api/models.go doesn't list %s in models: add its ID with the type of its request", d.Slug)
		case !row.MatchString(readme):
			t.Errorf("README.md has no row for %s in the table of models", d.Slug)
		}
	}
}
