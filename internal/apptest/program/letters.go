package program

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Letters gives the letters to an address, oldest first, as they were written.
func (s *Server) Letters(to string) (letters []string) {
	paths, _ := filepath.Glob(filepath.Join(s.Data, "outbox", "*.eml"))
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(raw), to) {
			letters = append(letters, plainText(raw))
		}
	}
	return letters
}

// plainText undoes the quoting of a letter far enough to be searched.
func plainText(raw []byte) string {
	text := bytes.ReplaceAll(raw, []byte("=\r\n"), nil)
	text = bytes.ReplaceAll(text, []byte("=3D"), []byte("="))
	return string(text)
}

// Letter waits for a letter to an address that has all these words in it.
func (s *Server) Letter(to string, words ...string) (letter string) {
	s.t.Helper()
	Eventually(s.t, fmt.Sprintf("a letter to %s with %q", to, words), func() bool {
		for _, l := range s.Letters(to) {
			if hasAll(l, words) {
				letter = l
				return true
			}
		}
		return false
	})
	return letter
}

func hasAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

var link = regexp.MustCompile(`https?://[^\s"<>]+\?token=[A-Za-z0-9_-]{43}`)

// Link is the one link of a letter.
func (s *Server) Link(letter string) string {
	s.t.Helper()
	found := link.FindString(letter)
	if found == "" {
		s.t.Fatalf("no link in the letter:\n%s", letter)
	}
	return found
}
