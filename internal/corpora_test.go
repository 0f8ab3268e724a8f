package internal

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// go test reads the inputs of a target that there is, and says nothing of others.
func TestEveryCorpusIsRunByATargetOfItsRoom(t *testing.T) {
	kept, err := filepath.Glob("*/testdata/fuzz/*")
	if err != nil {
		t.Fatal(err)
	}
	ofCommands, err := filepath.Glob("../cmd/*/testdata/fuzz/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, corpus := range append(kept, ofCommands...) {
		room := filepath.Join(corpus, "..", "..", "..")
		if !fuzzes(t, room, filepath.Base(corpus)) {
			t.Errorf("%s: no test of the room is a target of this name", corpus)
		}
	}
}

func fuzzes(t *testing.T, room, target string) bool {
	t.Helper()
	tests, err := filepath.Glob(filepath.Join(room, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(target) + `\(f \*testing\.F\)`)
	for _, file := range tests {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}
