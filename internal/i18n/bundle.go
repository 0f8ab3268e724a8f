package i18n

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed *.toml
var files embed.FS

// Pseudo is the tag of the made-up language for tests: English with accents,
// some 40 percent longer, in brackets. What shows up without brackets did not
// come from a catalogue; what no longer fits will not fit in German either.
const Pseudo = "en-XA"

const english = "en"

// Language is one that a person may choose.
type Language struct {
	Tag  string // BCP 47: "de"
	Name string // in the language itself: "Deutsch"
}

// Bundle is every catalogue of the program. It does not change after loading
// and is safe for concurrent use.
type Bundle struct {
	catalogues []catalogue // English first, then by tag
	texts      map[string]*Texts
	matcher    language.Matcher
}

// Load reads the embedded catalogues. It fails where a file is not a
// catalogue; a text missing from a language is no failure.
func Load() (*Bundle, error) {
	catalogues, err := readCatalogues(files)
	if err != nil {
		return nil, err
	}
	return newBundle(catalogues)
}

// LoadWithPseudo is Load with the language Pseudo beside the real ones.
func LoadWithPseudo() (*Bundle, error) {
	catalogues, err := readCatalogues(files)
	if err != nil {
		return nil, err
	}
	return newBundle(append(catalogues, pseudo(catalogues[0])))
}

func readCatalogues(fsys fs.FS) ([]catalogue, error) {
	paths, err := fs.Glob(fsys, "*.toml")
	if err != nil {
		return nil, fmt.Errorf("list catalogues: %w", err)
	}
	var catalogues []catalogue
	for _, path := range paths {
		c, err := readCatalogue(fsys, path)
		if err != nil {
			return nil, err
		}
		catalogues = append(catalogues, c)
	}
	slices.SortFunc(catalogues, englishFirst)
	if len(catalogues) == 0 || catalogues[0].Tag != english {
		return nil, fmt.Errorf("list catalogues: %s.toml is missing", english)
	}
	return catalogues, nil
}

func englishFirst(a, b catalogue) int {
	switch english {
	case a.Tag:
		return -1
	case b.Tag:
		return 1
	default:
		return cmp.Compare(a.Tag, b.Tag)
	}
}

func newBundle(catalogues []catalogue) (*Bundle, error) {
	b := &Bundle{catalogues: catalogues, texts: map[string]*Texts{}}
	messages := goi18n.NewBundle(language.English)
	var matched []language.Tag
	for _, c := range catalogues {
		tag := language.Make(c.Tag)
		if err := messages.AddMessages(tag, c.messages...); err != nil {
			return nil, fmt.Errorf("load catalogue %s: %w", c.Tag, err)
		}
		if c.Tag != Pseudo {
			matched = append(matched, tag)
		}
	}
	for _, c := range catalogues {
		b.texts[c.Tag] = &Texts{tag: c.Tag, localizer: goi18n.NewLocalizer(messages, c.Tag)}
	}
	b.matcher = language.NewMatcher(matched)
	return b, nil
}

// Languages lists what a person may choose from, English first, the others by
// tag.
func (b *Bundle) Languages() []Language {
	languages := make([]Language, len(b.catalogues))
	for i, c := range b.catalogues {
		languages[i] = c.Language
	}
	return languages
}

// maxAcceptLanguage bounds, in bytes, what is read of the header: strangers
// write it, and parsing costs more than its length.
const maxAcceptLanguage = 256

// Choose gives the tag of the language to answer in: the one that the person
// chose if there is such a language, otherwise the best for the browser's
// Accept-Language (RFC 9110 §12.5.4), otherwise English. Both may be empty,
// and neither is believed.
func (b *Bundle) Choose(chosen, acceptLanguage string) string {
	if _, ok := b.texts[chosen]; ok {
		return chosen
	}
	wanted, _, _ := language.ParseAcceptLanguage(bounded(acceptLanguage))
	// The index and not the tag: the matcher decorates the tag with what it
	// learnt from the header.
	_, i, confidence := b.matcher.Match(wanted...)
	if confidence == language.No {
		return english
	}
	return b.catalogues[i].Tag
}

// Find gives the first of these tags (BCP 47) that there is a language for;
// false where there is none.
func (b *Bundle) Find(tags ...string) (tag string, ok bool) {
	for _, t := range tags {
		wanted, err := language.Parse(t)
		if err != nil {
			continue
		}
		if _, i, confidence := b.matcher.Match(wanted); confidence >= language.High {
			return b.catalogues[i].Tag, true
		}
	}
	return "", false
}

// bounded cuts a long header after its last whole entry.
func bounded(header string) string {
	if len(header) <= maxAcceptLanguage {
		return header
	}
	header = header[:maxAcceptLanguage]
	return header[:max(0, strings.LastIndexByte(header, ','))]
}

// Texts gives the texts of a language; of English where there is no such
// language.
func (b *Bundle) Texts(tag string) *Texts {
	if t, ok := b.texts[tag]; ok {
		return t
	}
	return b.texts[english]
}
