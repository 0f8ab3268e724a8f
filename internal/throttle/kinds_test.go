package throttle_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/twinlock/twinlock/internal/throttle"
)

// Whoever goes through all kinds of counts misses none: each is a constant, and
// each constant is on the list.
func TestEveryKindIsOnTheList(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "throttle.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Kind" {
				text, err := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
				if err != nil || !slices.Contains(throttle.Kinds, throttle.Kind(text)) {
					t.Errorf("%s is not on the list: %v", text, err)
				}
				found++
			}
		case *ast.CallExpr:
			if called, ok := n.Fun.(*ast.Ident); ok && called.Name == "bucket" {
				if _, literal := n.Args[0].(*ast.BasicLit); literal {
					t.Error("a bucket's kind is no constant")
				}
			}
		}
		return true
	})
	if found != len(throttle.Kinds) {
		t.Errorf("%d kinds, %d on the list", found, len(throttle.Kinds))
	}
}
