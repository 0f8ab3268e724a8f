package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A setting that nothing reads would promise an operator what does not happen.
func TestEverySettingIsReadBySomething(t *testing.T) {
	read := map[string]bool{}
	for _, folder := range []string{"internal", "cmd"} {
		selectors(t, filepath.Join("..", "..", folder), read)
	}
	for _, s := range Settings {
		field := reflect.TypeFor[Config]().Field(s.field).Name
		if !read[field] {
			t.Errorf("nothing reads %s (Config.%s)", s.Name, field)
		}
	}
}

// selectors collects the names after a dot in the program's own code, this
// package and tests left out.
func selectors(t *testing.T, folder string, names map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "config":
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for n := range ast.Preorder(file) {
			if s, ok := n.(*ast.SelectorExpr); ok {
				names[s.Sel.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
