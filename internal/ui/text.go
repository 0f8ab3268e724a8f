package ui

import (
	"time"

	"github.com/twinlock/twinlock/internal/i18n"
)

// Text is something to be said in whatever language the page is in. The zero
// Text says nothing.
type Text struct {
	key    string
	count  int
	plural bool
	pairs  []any
	words  string
	each   map[string]string
}

// T is the text of a catalogue's key. Pairs fill its placeholders; a value
// that is a Text, a time.Duration or a time.Time is said in the same language,
// the time in UTC.
func T(key string, pairs ...any) Text { return Text{key: key, pairs: pairs} }

// N is T for a text that depends on a number, {{.Count}}.
func N(key string, n int, pairs ...any) Text {
	return Text{key: key, count: n, plural: true, pairs: pairs}
}

// Words is text that is the same in every language: a name, an address.
func Words(words string) Text { return Text{words: words} }

// InEach is text that brings its own words for each language, by its tag.
// A language that it lacks is said in English.
func InEach(words map[string]string) Text { return Text{words: words["en"], each: words} }

// IsZero tells that there is nothing to say.
func (t Text) IsZero() bool { return t.key == "" && t.words == "" }

// In says the text in a language; "" for the zero Text.
func (t Text) In(texts *i18n.Texts) string {
	switch own := t.each[texts.Tag()]; {
	case own != "":
		return own
	case t.key == "":
		return t.words
	case t.plural:
		return texts.N(t.key, t.count, inLanguage(texts, t.pairs)...)
	default:
		return texts.T(t.key, inLanguage(texts, t.pairs)...)
	}
}

// inLanguage says the values of pairs that are not yet words.
func inLanguage(texts *i18n.Texts, pairs []any) []any {
	said := make([]any, len(pairs))
	for i, value := range pairs {
		switch value := value.(type) {
		case Text:
			said[i] = value.In(texts)
		case time.Duration:
			said[i] = texts.Duration(value)
		case time.Time:
			said[i] = texts.DateTime(value, nil)
		default:
			said[i] = value
		}
	}
	return said
}
