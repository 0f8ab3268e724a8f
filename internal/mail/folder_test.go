package mail_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/mail"
)

func TestTheOutboxHoldsLettersThatAPersonCanRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "outbox")
	letter := example(t, "reset")
	putInto(t, dir, render(t, catalogues(t), letter, "de"))

	file := filepath.Join(dir, "20261123T143500Z-reset-example.eml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"http://localhost:8080" + letter.Values.Link, "vermutlich Sie selbst", "Gültigkeit: 30 Minuten"} {
		if !strings.Contains(string(raw), words) {
			t.Errorf("%q cannot be read in\n%s", words, raw)
		}
	}
	expectMode(t, file, 0o600)
	expectMode(t, dir, 0o700)
}

func TestALetterSentTwiceIsOneFile(t *testing.T) {
	dir := t.TempDir()
	m := render(t, catalogues(t), example(t, "reset"), "en")
	putInto(t, dir, m)
	putInto(t, dir, m)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

func TestALetterThatCannotBeKeptLeavesNothingAndIsTriedAgain(t *testing.T) {
	dir := t.TempDir()
	folder, err := mail.NewFolder(dir, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	m := render(t, catalogues(t), example(t, "reset"), "en")
	// A folder stands where the file should go, so only the last step fails.
	taken := filepath.Join(dir, "20261123T143500Z-reset-example.eml")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := folder.Send(t.Context(), m); err == nil || mail.Permanent(err) {
		t.Errorf("%v, permanent %t", err, mail.Permanent(err))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d entries left, %v", len(entries), err)
	}
}

func TestAnOutboxThatCannotBeMadeIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := mail.NewFolder(filepath.Join(file, "outbox"), "localhost"); err == nil {
		t.Error("a folder inside a file")
	}
}

func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	dir := t.TempDir()
	folder, err := mail.NewFolder(dir, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := folder.Send(over, render(t, catalogues(t), example(t, "reset"), "en")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files", len(entries))
	}
}

func putInto(t *testing.T, dir string, m mail.Message) {
	t.Helper()
	folder, err := mail.NewFolder(dir, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func expectMode(t *testing.T, name string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has mode %o, want %o", name, got, want)
	}
}
