package store

import (
	"database/sql/driver"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
	"modernc.org/sqlite"
)

// SQLite's own LOWER knows the letters A to Z only, and its own search words only.
func init() {
	sqlite.MustRegisterDeterministicScalarFunction("searched", 3, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return searchedText(textOf(args[0]), textOf(args[1]), textOf(args[2])), nil
	})
	sqlite.MustRegisterDeterministicScalarFunction("pieces", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return strings.Join(piecesOf(textOf(args[0])), " "), nil
	})
}

func textOf(value driver.Value) string {
	text, _ := value.(string)
	return text
}

// searchedText is what a person is searched by: the canonical address has the
// domain in ASCII, the other one as it is shown.
func searchedText(canonical, address, name string) string {
	if address = folded(address); address == canonical {
		return canonical + " " + folded(name)
	}
	return canonical + " " + address + " " + folded(name)
}

// folded is a text without regard to its capitals, in whatever script.
func folded(text string) string {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return cases.Fold().String(text)
		}
	}
	return strings.ToLower(text)
}

// typed is what somebody searches for as it stands in the texts that are searched.
func typed(search string) string { return folded(norm.NFC.String(search)) }

// longestPiece is how many letters a piece has. The last ones of a text are shorter.
const longestPiece = 3

// piecesOf are the pieces that begin at each letter of a text, each once and in the
// letters of a word: a text holds another only if it has all of its whole pieces.
func piecesOf(text string) []string {
	letters := []rune(text)
	for i, letter := range letters {
		letters[i] = inWord(letter)
	}
	pieces := make([]string, len(letters))
	for i := range letters {
		pieces[i] = string(letters[i:min(i+longestPiece, len(letters))])
	}
	slices.Sort(pieces)
	return slices.Compact(pieces)
}

// inWord is a letter that SQLite takes for part of a word: for signs of ASCII it is
// one of those that nobody writes.
func inWord(letter rune) rune {
	if letter < utf8.RuneSelf && !('a' <= letter && letter <= 'z') && !('0' <= letter && letter <= '9') {
		return 0xE000 + letter
	}
	return letter
}

// match is a text as SQLite's index of pieces is asked for it. What is shorter than
// a piece is the beginning of one.
func match(text string) string {
	pieces := piecesOf(text)
	if n := utf8.RuneCountInString(text); n < longestPiece {
		letters := []rune(text)
		for i, letter := range letters {
			letters[i] = inWord(letter)
		}
		return `"` + string(letters) + `" *`
	}
	pieces = slices.DeleteFunc(pieces, func(p string) bool { return utf8.RuneCountInString(p) < longestPiece })
	return `"` + strings.Join(pieces, `" AND "`) + `"`
}
