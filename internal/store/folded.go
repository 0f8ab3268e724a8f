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
		return piecesOf(textOf(args[0])), nil
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

// piecesOf are the pieces that begin at each letter of a text, in the letters of a
// word and with a space after each: a text holds another only if it has all of its
// whole pieces.
func piecesOf(text string) string {
	var letters []byte
	var begins []int
	for _, letter := range text {
		begins = append(begins, len(letters))
		letters = utf8.AppendRune(letters, inWord(letter))
	}
	begins = append(begins, len(letters))
	pieces := make([]byte, 0, (longestPiece+1)*len(letters))
	for i := range len(begins) - 1 {
		pieces = append(pieces, letters[begins[i]:begins[min(i+longestPiece, len(begins)-1)]]...)
		pieces = append(pieces, ' ')
	}
	return string(pieces)
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
	pieces := strings.Split(strings.TrimSuffix(piecesOf(text), " "), " ")
	if len(pieces) < longestPiece {
		return `"` + pieces[0] + `" *`
	}
	pieces = pieces[:len(pieces)-longestPiece+1] // those after them are shorter
	slices.Sort(pieces)
	return `"` + strings.Join(slices.Compact(pieces), `" AND "`) + `"`
}
