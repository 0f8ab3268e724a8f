package i18n

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// catalogue is one file, read.
type catalogue struct {
	Language
	messages []*goi18n.Message // by key
}

// readCatalogue reads the little of TOML that doc.go shows, each text on a line
// of its own. A library that knows all of it takes half of the program's start;
// a test asks one whether the files say the same to it.
func readCatalogue(fsys fs.FS, name string) (catalogue, error) {
	file, err := fs.ReadFile(fsys, name)
	if err != nil {
		return catalogue{}, fmt.Errorf("read catalogue %s: %w", name, err)
	}
	c := catalogue{Language: Language{Tag: strings.TrimSuffix(path.Base(name), ".toml")}}
	section, number := "", 0
	for line := range strings.Lines(string(file)) {
		number++
		if section, err = c.readLine(section, strings.TrimSpace(line)); err != nil {
			return catalogue{}, fmt.Errorf("read catalogue %s, line %d: %w", name, number, err)
		}
	}
	if c.Name == "" {
		return catalogue{}, fmt.Errorf("read catalogue %s: it does not say its own name", name)
	}
	slices.SortFunc(c.messages, func(a, b *goi18n.Message) int { return strings.Compare(a.ID, b.ID) })
	return c, nil
}

// readLine reads one line of a section, and gives the section that the next one
// is in.
func (c *catalogue) readLine(section, line string) (next string, err error) {
	if line == "" || line[0] == '#' {
		return section, nil
	}
	if opened, ok := strings.CutPrefix(line, "["); ok {
		next, ok = strings.CutSuffix(opened, "]")
		if !ok || !named(next) {
			return "", fmt.Errorf("%q opens no section", line)
		}
		return next, nil
	}
	key, value, ok := strings.Cut(line, " = ")
	if !ok || !named(key) || section == "" {
		return "", fmt.Errorf("%q is no text of a section", line)
	}
	if section == "language" && key == "name" {
		c.Name, err = readText(value)
		return section, err
	}
	m, err := readMessage(section+"."+key, value)
	c.messages = append(c.messages, m)
	return section, err
}

// named tells whether s can be the name of a section or a text.
func named(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || '9' < r) && (r < 'A' || 'Z' < r) && (r < 'a' || 'z' < r)
	})
}

// readMessage takes a plain text, or a table of plural forms.
func readMessage(key, value string) (m *goi18n.Message, err error) {
	m = &goi18n.Message{ID: key}
	if !strings.HasPrefix(value, "{ ") {
		m.Other, err = readText(value)
		return m, err
	}
	for rest := value[1:]; rest != " }" || len(forms(m)) == 0; {
		form, after, ok := strings.Cut(rest[1:], " = ")
		field := pluralForm(m, form)
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || field == nil || *field != "" || err != nil {
			return nil, fmt.Errorf("%s: %q is no plural form with a text", key, form)
		}
		if *field, err = readText(quoted); err != nil {
			return nil, err
		}
		if rest = after[len(quoted):]; rest != " }" && !strings.HasPrefix(rest, ", ") {
			return nil, fmt.Errorf("%s: no further plural form and no end: %q", key, rest)
		}
		rest = strings.TrimPrefix(rest, ",")
	}
	return m, nil
}

// readText takes the quotation marks off a text.
func readText(quoted string) (string, error) {
	text, err := strconv.Unquote(quoted)
	if err != nil || quoted[0] != '"' {
		return "", fmt.Errorf("%s is no text in quotation marks", quoted)
	}
	return text, nil
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
