package i18n

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func TestEveryLanguageHasEveryText(t *testing.T) {
	source, others := catalogues(t)
	for _, c := range others {
		for key := range source {
			if _, ok := byKey(c)[key]; !ok {
				t.Errorf("%s.toml lacks %s", c.Tag, key)
			}
		}
		for key := range byKey(c) {
			if _, ok := source[key]; !ok {
				t.Errorf("%s.toml has %s, which English has not", c.Tag, key)
			}
		}
	}
}

func TestNoTextIsEmpty(t *testing.T) {
	for _, c := range all(t) {
		for _, m := range c.messages {
			if len(forms(m)) == 0 || slices.Contains(slices.Collect(maps.Values(forms(m))), " ") {
				t.Errorf("%s.toml: %s is empty", c.Tag, m.ID)
			}
		}
	}
}

// Which forms a language has is asked of x/text, apart from the library that
// picks one. Forms beyond these do no harm: lists of plural rules differ.
func TestPluralTextsHaveEveryFormOfTheirLanguage(t *testing.T) {
	source, _ := catalogues(t)
	for _, c := range all(t) {
		needed := formsOf(language.Make(c.Tag))
		for key, m := range byKey(c) {
			if !isPlural(source[key]) {
				continue
			}
			for _, form := range needed {
				if forms(m)[form] == "" {
					t.Errorf("%s.toml: %s lacks the form %q", c.Tag, key, form)
				}
			}
		}
	}
}

func TestTranslationsFillTheSamePlaceholders(t *testing.T) {
	source, others := catalogues(t)
	for _, c := range others {
		for key, m := range byKey(c) {
			want, got := placeholders(source[key]), placeholders(m)
			if !slices.Equal(want, got) {
				t.Errorf("%s.toml: %s fills %v, English %v", c.Tag, key, got, want)
			}
		}
	}
}

func TestSectionsStandInTheSameOrder(t *testing.T) {
	want := sections(t, "en.toml")
	for _, c := range all(t) {
		if got := sections(t, c.Tag+".toml"); !slices.Equal(got, want) {
			t.Errorf("%s.toml has sections %v, English %v", c.Tag, got, want)
		}
	}
}

func TestAFileThatIsNoCatalogueIsRefused(t *testing.T) {
	const name = "[language]\nname = \"English\"\n"
	for what, file := range map[string]string{
		"no TOML":            "[login",
		"without its name":   "[login]\ntitle = \"Login\"\n",
		"a number":           name + "[login]\ntitle = 1\n",
		"no end of a text":   name + "[login]\ntitle = \"Login\n",
		"more than a text":   name + "[login]\ntitle = \"Login\" \"Login\"\n",
		"a text nowhere":     "title = \"Login\"\n" + name,
		"a name of two":      name + "[login page]\ntitle = \"Login\"\n",
		"an empty table":     name + "[login]\nleft = { }\n",
		"no end of a table":  name + "[login]\nleft = { other = \"{{.Count}} left\"\n",
		"a form twice":       name + "[login]\nleft = { one = \"one\", one = \"two\" }\n",
		"only a bracket":     name + "[login]\nleft = { \n",
		"an unknown form":    name + "[login]\nleft = { some = \"{{.Count}} left\" }\n",
		"a form that is not": name + "[login]\nleft = { other = 1 }\n",
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := readCatalogues(fstest.MapFS{"en.toml": {Data: []byte(file)}}); err == nil {
				t.Error("it was read")
			}
		})
	}
	if _, err := readCatalogues(fstest.MapFS{"de.toml": {Data: []byte(name)}}); err == nil {
		t.Error("a program without English was made")
	}
}

// The library reads all of TOML; here it is the judge of what is read by hand.
func TestTheLibraryReadsTheSameInEveryCatalogue(t *testing.T) {
	for _, c := range all(t) {
		var sections map[string]map[string]any
		if _, err := toml.DecodeFS(files, c.Tag+".toml", &sections); err != nil {
			t.Fatal(err)
		}
		if name := sections["language"]["name"]; name != c.Name {
			t.Errorf("%s.toml: its name is %q, the library reads %q", c.Tag, c.Name, name)
		}
		delete(sections, "language")
		want := map[string]any{}
		for section, texts := range sections {
			for key, text := range texts {
				want[section+"."+key] = text
			}
		}
		if len(c.messages) != len(want) {
			t.Errorf("%s.toml: %d texts, the library reads %d", c.Tag, len(c.messages), len(want))
		}
		for _, m := range c.messages {
			if got := written(m); !reflect.DeepEqual(got, want[m.ID]) {
				t.Errorf("%s.toml: %s is %q, the library reads %q", c.Tag, m.ID, got, want[m.ID])
			}
		}
	}
}

// written is a message as the library reads one.
func written(m *goi18n.Message) any {
	if len(forms(m)) == 1 {
		return m.Other
	}
	table := map[string]any{}
	for form, text := range forms(m) {
		table[form] = text
	}
	return table
}

// catalogues gives English by key, and the other languages.
func catalogues(t *testing.T) (map[string]*goi18n.Message, []catalogue) {
	c := all(t)
	return byKey(c[0]), c[1:]
}

func all(t *testing.T) []catalogue {
	t.Helper()
	c, err := readCatalogues(files)
	if err != nil {
		t.Fatal(err)
	}
	if len(c) < 2 {
		t.Fatal("there is only one language")
	}
	return c
}

func byKey(c catalogue) map[string]*goi18n.Message {
	m := map[string]*goi18n.Message{}
	for _, message := range c.messages {
		m[message.ID] = message
	}
	return m
}

func isPlural(m *goi18n.Message) bool { return m != nil && len(forms(m)) > 1 }

// formsOf finds the plural forms of whole numbers by trying them.
func formsOf(tag language.Tag) []string {
	found := map[string]bool{}
	for n := range 2000 {
		form := plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)
		found[pluralNames[form]] = true
	}
	return slices.Sorted(maps.Keys(found))
}

var pluralNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}

// placeholders lists what a message fills in, all forms together: a form for
// one may well spell its number out.
func placeholders(m *goi18n.Message) []string {
	if m == nil {
		return nil
	}
	found := map[string]bool{}
	for _, text := range forms(m) {
		for _, p := range placeholder.FindAllString(text, -1) {
			found[strings.ReplaceAll(p, " ", "")] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func sections(t *testing.T, file string) []string {
	t.Helper()
	text, err := files.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		var name string
		if n, _ := fmt.Sscanf(line, "[%s", &name); n == 1 {
			found = append(found, strings.TrimSuffix(name, "]"))
		}
	}
	return found
}
