package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgressIsTakenAwayBeforeWhateverIsCopied(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	wipes := 0
	if _, err := io.Copy(wiped{file, func() { wipes++ }}, struct{ io.Reader }{strings.NewReader("a line\n")}); err != nil || wipes == 0 {
		t.Errorf("wiped %d times: %v", wipes, err)
	}
}
