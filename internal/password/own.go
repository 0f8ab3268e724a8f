package password

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ownWords takes names, addresses and titles apart into words in small letters,
// the product's own among them, and leaves out those of one or two characters.
func ownWords(own []string) []string {
	words := []string{"twinlock"}
	for _, s := range own {
		for _, word := range strings.FieldsFunc(plain(s), apart) {
			if utf8.RuneCountInString(word) >= 3 {
				words = append(words, word)
			}
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func apart(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// madeOf reports whether password is little else than the given words: whether
// some are in it and, with them taken out, fewer than four different letters
// are left. Digits and signs do not count as something of one's own.
func madeOf(password string, words []string) bool {
	text := legible(password)
	taken := take(text, words)
	left := map[rune]bool{}
	for i, r := range text {
		if !taken[i] && unicode.IsLetter(r) {
			left[r] = true
		}
	}
	return slices.Contains(taken, true) && len(left) < 4
}

// legible gives the password's letters, digits and the signs that resemble
// letters: "twin-lock" is read as "twinlock".
func legible(password string) []rune {
	text := strings.Map(func(r rune) rune {
		if apart(r) && letter(r) == r {
			return -1
		}
		return r
	}, plain(password))
	return []rune(text)
}

// take marks every place in text where one of the words stands.
func take(text []rune, words []string) []bool {
	taken := make([]bool, len(text))
	for _, word := range words {
		word := []rune(word)
		for i := 0; i+len(word) <= len(text); i++ {
			if alike(text[i:i+len(word)], word) {
				for j := range word {
					taken[i+j] = true
				}
			}
		}
	}
	return taken
}

// alike reports whether a and b are the same word in any spelling.
func alike(a, b []rune) bool {
	return slices.EqualFunc(a, b, func(x, y rune) bool { return shape(x) == shape(y) })
}

// shape is letter, with "i" and "l" taken for one.
func shape(r rune) rune {
	if l := letter(r); l != 'i' {
		return l
	}
	return 'l'
}
