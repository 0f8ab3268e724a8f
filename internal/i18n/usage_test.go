package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestEveryTextThatIsAskedForExists(t *testing.T) {
	source, _ := catalogues(t)
	for key, place := range usage(t).asked {
		if _, ok := source[key]; !ok {
			t.Errorf("%s asks for %s, which en.toml has not", place, key)
		}
	}
}

func TestEveryTextIsAskedFor(t *testing.T) {
	source, _ := catalogues(t)
	named := usage(t).named
	for key := range source {
		if !isNamed(key, source, named) {
			t.Errorf("en.toml: nothing asks for %s", key)
		}
	}
}

// isNamed tells that a key is written out somewhere, or that something is
// which begins it and is no key itself: "events." with a kind put after it.
func isNamed[M any](key string, source map[string]M, named map[string]bool) bool {
	if named[key] {
		return true
	}
	for words := range named {
		if _, isKey := source[words]; !isKey && strings.HasPrefix(key, words) {
			return true
		}
	}
	return false
}

// used is what the program's sources say about keys.
type used struct {
	asked map[string]string // by key: a place that says it
	named map[string]bool   // whatever begins like a key
}

// usage reads all sources of the module, tests left out.
func usage(t *testing.T) used {
	t.Helper()
	u := used{asked: map[string]string{}, named: map[string]bool{}}
	for _, room := range []string{"../../internal", "../../cmd"} {
		err := filepath.WalkDir(room, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			switch filepath.Ext(path) {
			case ".go":
				return u.readGo(path)
			case ".html", ".txt":
				return u.readTemplate(path)
			default:
				return nil
			}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(u.asked) == 0 {
		t.Fatal("no source was read")
	}
	return u
}

var (
	inTemplate = regexp.MustCompile(`"([a-z]+\.[^"\s]*)"`)
	wholeKey   = regexp.MustCompile(`^[a-z]+\.[a-zA-Z0-9]+$`)
	askedFor   = regexp.MustCompile(`\b[tn] "([^"]+)"`)
)

func (u used) readTemplate(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for _, found := range askedFor.FindAllSubmatch(text, -1) {
		u.asked[string(found[1])] = path
	}
	for _, found := range inTemplate.FindAllSubmatch(text, -1) {
		u.name(string(found[1]))
	}
	return nil
}

func (u used) readGo(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.CallExpr:
			if key, ok := literal(node.Args); ok && says(node.Fun) && wholeKey.MatchString(key) {
				u.asked[key] = path
			}
		case *ast.BasicLit:
			if words, ok := literal([]ast.Expr{node}); ok {
				u.name(words)
			}
		}
		return true
	})
	return nil
}

// says tells a call of T or N, of whatever package or value.
func says(called ast.Expr) bool {
	switch called := called.(type) {
	case *ast.Ident:
		return called.Name == "T" || called.Name == "N"
	case *ast.SelectorExpr:
		return called.Sel.Name == "T" || called.Sel.Name == "N"
	default:
		return false
	}
}

func literal(args []ast.Expr) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	lit, ok := args[0].(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	words, err := strconv.Unquote(lit.Value)
	return words, err == nil
}

// name keeps what may be a key or its beginning, up to what is put in.
func (u used) name(words string) {
	words, _, _ = strings.Cut(words, "%")
	words, _, _ = strings.Cut(words, "{{")
	if section, _, ok := strings.Cut(words, "."); ok && section != "" {
		u.named[words] = true
	}
}
