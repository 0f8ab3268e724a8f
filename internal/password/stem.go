package password

import (
	"slices"
	"strings"
	"unicode"
)

// stem gives what is left of a password when its decoration is taken off:
// small letters, digits and signs at both ends cut, repeats folded.
// "Passssword2024!" and "passwordpassword" have the stem "pasword", and so has
// "password", which is why stems are only ever compared with stems.
func stem(password string) string {
	return fold(cut(plain(password)))
}

// cut gives s without the digits and signs at its ends.
func cut(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
}

// fold gives s with everything that repeats at once written once:
// "aaaa" is "a", "abcabcabc" is "abc", "banana" is "ban".
func fold(s string) string {
	text := []rune(s)
	for {
		folded := foldOnce(text)
		if len(folded) == len(text) {
			return string(folded)
		}
		text = folded
	}
}

// foldOnce goes through text from the left, and at each place writes once
// whatever repeats there over the longest stretch.
func foldOnce(text []rune) []rune {
	var folded []rune
	for len(text) > 0 {
		unit, stretch := repeat(text)
		folded = append(folded, text[:unit]...)
		text = text[stretch:]
	}
	return folded
}

// repeat finds what text begins with twice or more: the length of the unit, and
// of the stretch over which it goes on, a part of a unit at the end included.
// Both are 1 where nothing repeats.
func repeat(text []rune) (unit, stretch int) {
	unit, stretch = 1, 1
	for u := 1; u <= len(text)/2; u++ {
		end := u
		for end < len(text) && text[end] == text[end-u] {
			end++
		}
		if end >= 2*u && end > stretch {
			unit, stretch = u, end
		}
	}
	return unit, stretch
}

// spellings gives s as it stands and with the usual signs read as the letters
// they resemble. "1" and its like resemble two letters, so there are two ways.
func spellings(s string) []string {
	asL := strings.Map(letter, s)
	asI := strings.Map(func(r rune) rune {
		if strings.ContainsRune("1!|", r) {
			return 'i'
		}
		return letter(r)
	}, s)
	return slices.Compact([]string{s, asL, asI})
}

// letter gives the letter that r resembles, or r itself.
func letter(r rune) rune {
	if l, ok := resembles[r]; ok {
		return l
	}
	return r
}

var resembles = map[rune]rune{
	'0': 'o', '1': 'l', '!': 'l', '|': 'l', '3': 'e', '4': 'a', '@': 'a',
	'5': 's', '$': 's', '7': 't', '+': 't', '8': 'b', '9': 'g',
}
