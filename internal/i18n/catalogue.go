package i18n

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// catalogue is one file, read.
type catalogue struct {
	Language
	messages []*goi18n.Message // by key
}

// readCatalogue reads a file by hand and not with the library's own parser,
// which takes a section with a key like "description" for one message.
func readCatalogue(fsys fs.FS, name string) (catalogue, error) {
	var sections map[string]map[string]any
	if _, err := toml.DecodeFS(fsys, name, &sections); err != nil {
		return catalogue{}, fmt.Errorf("read catalogue %s: %w", name, err)
	}
	c := catalogue{Language: Language{Tag: strings.TrimSuffix(path.Base(name), ".toml")}}
	c.Name, _ = sections["language"]["name"].(string)
	if c.Name == "" {
		return catalogue{}, fmt.Errorf("read catalogue %s: it does not say its own name", name)
	}
	delete(sections, "language")
	for section, texts := range sections {
		for key, value := range texts {
			m, err := newMessage(section+"."+key, value)
			if err != nil {
				return catalogue{}, fmt.Errorf("read catalogue %s: %w", name, err)
			}
			c.messages = append(c.messages, m)
		}
	}
	slices.SortFunc(c.messages, func(a, b *goi18n.Message) int { return strings.Compare(a.ID, b.ID) })
	return c, nil
}

// newMessage takes a plain text, or a table of plural forms.
func newMessage(key string, value any) (*goi18n.Message, error) {
	m := &goi18n.Message{ID: key}
	switch value := value.(type) {
	case string:
		m.Other = value
	case map[string]any:
		for form, text := range value {
			words, ok := text.(string)
			field := pluralForm(m, form)
			if field == nil || !ok {
				return nil, fmt.Errorf("%s: %q is no plural form with a text", key, form)
			}
			*field = words
		}
	default:
		return nil, fmt.Errorf("%s is neither a text nor a table of plural forms", key)
	}
	return m, nil
}

// pluralForm gives where a message keeps a form, by its CLDR name; nil where
// there is no such form.
func pluralForm(m *goi18n.Message, form string) *string {
	switch form {
	case "zero":
		return &m.Zero
	case "one":
		return &m.One
	case "two":
		return &m.Two
	case "few":
		return &m.Few
	case "many":
		return &m.Many
	case "other":
		return &m.Other
	default:
		return nil
	}
}

var pluralForms = []string{"zero", "one", "two", "few", "many", "other"}

// forms gives the forms that a message has, by name.
func forms(m *goi18n.Message) map[string]string {
	found := map[string]string{}
	for _, form := range pluralForms {
		if text := *pluralForm(m, form); text != "" {
			found[form] = text
		}
	}
	return found
}
