package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// allTests gives the names of the tests in the whole tree.
func allTests(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == "node_modules" {
			return errorOrSkip(err)
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && isTestName.MatchString(f.Name.Name) {
				names[f.Name.Name] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func errorOrSkip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

var (
	isTestName = regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)
	namedTest  = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
)

// Every attack of the threat model names the tests that hold its defence, so
// that neither can go without the other.
func TestEveryAttackOfTheThreatModelNamesItsTests(t *testing.T) {
	tests := allTests(t)
	page, err := os.ReadFile("../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	attacks, held := 0, false
	for line := range strings.Lines(string(page)) {
		switch {
		case !strings.HasPrefix(line, "|"):
			held = false
			continue
		case strings.HasSuffix(line, "| Held by |\n"):
			held = true
			continue
		case !held || strings.HasPrefix(line, "|---"):
			continue
		}
		attacks++
		cells := strings.Split(strings.Trim(line, "|\n "), " | ")
		if len(cells) != 4 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		named := namedTest.FindAllStringSubmatch(cells[3], -1)
		if len(named) == 0 {
			t.Errorf("no test holds it: %s", cells[0])
		}
		for _, n := range named {
			if !tests[n[1]] {
				t.Errorf("%s: there is no test %s", cells[0], n[1])
			}
		}
	}
	if attacks < 60 {
		t.Errorf("the page has %d attacks: has a table lost its head?", attacks)
	}
}
