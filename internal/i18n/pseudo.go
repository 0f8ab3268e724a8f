package i18n

import (
	"regexp"
	"strings"
	"unicode/utf8"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// pseudo makes the language of tests out of English.
func pseudo(source catalogue) catalogue {
	made := catalogue{Language: Language{Tag: Pseudo, Name: disguise("Pseudo")}}
	for _, m := range source.messages {
		copied := &goi18n.Message{ID: m.ID}
		for form, text := range forms(m) {
			*pluralForm(copied, form) = disguise(text)
		}
		made.messages = append(made.messages, copied)
	}
	return made
}

var placeholder = regexp.MustCompile(`\{\{.*?\}\}`)

var accents = strings.NewReplacer(
	"A", "Å", "C", "Ç", "D", "Ð", "E", "É", "G", "Ĝ", "H", "Ĥ", "I", "Î", "K", "Ķ", "L", "Ļ", "N", "Ñ", "O", "Ö", "R", "Ŕ", "S", "Š", "T", "Ţ", "U", "Û", "W", "Ŵ", "Y", "Ý", "Z", "Ž",
	"a", "å", "c", "ç", "d", "ð", "e", "é", "g", "ĝ", "h", "ĥ", "i", "î", "k", "ķ", "l", "ļ", "n", "ñ", "o", "ö", "r", "ŕ", "s", "š", "t", "ţ", "u", "û", "w", "ŵ", "y", "ý", "z", "ž",
)

// disguise puts accents on letters, leaves placeholders alone, and lengthens.
func disguise(text string) string {
	var b strings.Builder
	b.WriteByte('[')
	rest := text
	for _, at := range placeholder.FindAllStringIndex(text, -1) {
		skipped := len(text) - len(rest)
		b.WriteString(accents.Replace(text[skipped:at[0]]) + text[at[0]:at[1]])
		rest = text[at[1]:]
	}
	b.WriteString(accents.Replace(rest))
	b.WriteString(padding(utf8.RuneCountInString(text) * 2 / 5))
	b.WriteByte(']')
	return b.String()
}

// padding gives n characters or one less, in words, so that lines can still
// break.
func padding(n int) string {
	filler := []rune(strings.Repeat(" lörém ipsüm", n/12+1))
	return strings.TrimRight(string(filler[:n]), " ")
}
