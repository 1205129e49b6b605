package api_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

var updateSurface = flag.Bool("update", false, "rewrite testdata/surface.txt")

// TestSurface fails if the exported API differs from testdata/surface.txt, so that a change to it is visible in a diff.
// go test ./api -run TestSurface -update rewrites the file.
func TestSurface(t *testing.T) {
	var got bytes.Buffer
	for _, directory := range []string{
		"api", "api/batch", "conformance", "conformance/simulator", "conformance/suite", "spec", "spec/media",
	} {
		writeSurface(t, &got, directory)
	}
	const golden = "testdata/surface.txt"
	if *updateSurface {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("- %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("+ %s", line)
		}
	}
	if got.String() != string(want) {
		t.Error("the exported API has changed: go test ./api -run TestSurface -update, and see CONTRIBUTING.md about versions")
	}
}

// writeSurface writes the exported declarations of a package, without comments and function bodies.
func writeSurface(t *testing.T, w *bytes.Buffer, directory string) {
	t.Helper()
	root := os.DirFS("..")
	files, err := fs.Glob(root, path.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var declarations []string
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(set, name, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if !ast.FileExports(file) {
			continue
		}
		for _, declaration := range file.Decls {
			if general, ok := declaration.(*ast.GenDecl); ok && general.Tok == token.IMPORT {
				continue
			}
			if function, ok := declaration.(*ast.FuncDecl); ok {
				if function.Recv != nil && !exported(function.Recv.List[0].Type) {
					continue
				}
				function.Body = nil
			}
			var b bytes.Buffer
			if err := printer.Fprint(&b, token.NewFileSet(), declaration); err != nil {
				t.Fatal(err)
			}
			declarations = append(declarations, b.String())
		}
	}
	if declarations == nil {
		return
	}
	slices.Sort(declarations)
	fmt.Fprintf(w, "package %s\n\n%s\n\n", directory, strings.Join(declarations, "\n"))
}

// exported reports whether a receiver's type is exported.
func exported(expr ast.Expr) bool {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	name, ok := expr.(*ast.Ident)
	return !ok || name.IsExported()
}
