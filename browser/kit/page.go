package kit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Block is a fenced block of a page of the documentation. Behind its language
// stands the place of the file that it is, and in parentheses which of several.
type Block struct {
	Language, Place, Text string
}

// Blocks reads the blocks of a page, which is named from the top of the tree.
func Blocks(t testing.TB, page string) (blocks []Block) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", page))
	if err != nil {
		t.Fatal(err)
	}
	var open *Block
	for line := range strings.Lines(string(raw)) {
		info, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && open == nil:
			language, place, _ := strings.Cut(info, " ")
			open = &Block{Language: language, Place: place}
		case fence:
			blocks, open = append(blocks, *open), nil
		case open != nil:
			open.Text += line
		}
	}
	if open != nil {
		t.Fatalf("%s: a block has no end", page)
	}
	return blocks
}

// BlockOf gives the one block of a page for a place.
func BlockOf(t testing.TB, page, place string) string {
	t.Helper()
	var found []string
	for _, b := range Blocks(t, page) {
		if b.Place == place {
			found = append(found, b.Text)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%s has %d blocks for %s", page, len(found), place)
	}
	return found[0]
}

// replaced gives a text with other names for what is different here: pairs of
// old and new. What is to be replaced must be there.
func replaced(t testing.TB, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("nothing says %q in:\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}
