package mail_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	netmail "net/mail"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestLettersReadAsTheyDidBefore(t *testing.T) {
	bundle := catalogues(t)
	for _, language := range bundle.Languages() {
		t.Run(language.Tag, func(t *testing.T) {
			var got strings.Builder
			for _, example := range mail.Examples() {
				m := render(t, bundle, example.Letter, language.Tag)
				fmt.Fprintf(&got, "======== %s\nSubject: %s\n\n%s\n\n-------- HTML\n%s\n\n", example.Name, m.Subject, m.Text, m.HTML)
			}
			golden := filepath.Join("testdata", "letters."+language.Tag+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("the letters are not those of %s; look at the difference after go test -update", golden)
			}
		})
	}
}

func TestEveryKindHasAnExampleAndAnExampleIsNamedOnce(t *testing.T) {
	shown := map[mail.Kind]bool{}
	names := map[string]bool{}
	for _, example := range mail.Examples() {
		if names[example.Name] {
			t.Errorf("two examples are called %q", example.Name)
		}
		names[example.Name], shown[example.Letter.Kind] = true, true
	}
	for _, kind := range mail.Kinds() {
		if !shown[kind] {
			t.Errorf("%s has no example", kind)
		}
	}
}

func TestEveryFolderOfLettersIsAKind(t *testing.T) {
	folders, err := filepath.Glob("letters/*/letter.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if kind := mail.Kind(filepath.Base(filepath.Dir(folder))); !slices.Contains(mail.Kinds(), kind) {
			t.Errorf("%s is never sent", folder)
		}
	}
}

// In the pseudo-language every text stands in brackets, so a line that does
// not, apart from links, came from no catalogue.
func TestAllWordsComeFromTheCatalogues(t *testing.T) {
	bundle := catalogues(t)
	for _, example := range mail.Examples() {
		m := render(t, bundle, example.Letter, i18n.Pseudo)
		for line := range strings.Lines(m.Subject + "\n" + m.Text) {
			line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "- "))
			if line != "" && !strings.HasPrefix(line, "http://localhost:8080/") && !strings.HasPrefix(line, "[") {
				t.Errorf("%s: %q is in no catalogue", example.Name, line)
			}
		}
	}
}

func TestNoTextIsMissingInAnyLanguage(t *testing.T) {
	key := regexp.MustCompile(`\b(mail|time)\.[a-z]+[A-Z]?|<no value>|\{\{`)
	bundle := catalogues(t)
	for _, language := range bundle.Languages() {
		for _, example := range mail.Examples() {
			m := render(t, bundle, example.Letter, language.Tag)
			if found := key.FindString(m.Subject + m.Text + m.HTML); found != "" {
				t.Errorf("%s in %s says %q", example.Name, language.Tag, found)
			}
		}
	}
}

func TestALetterCarriesItsOneLinkAndNoOther(t *testing.T) {
	bundle := catalogues(t)
	target := regexp.MustCompile(`href="([^"]*)"`)
	for _, language := range bundle.Languages() {
		for _, example := range mail.Examples() {
			m := render(t, bundle, example.Letter, language.Tag)
			var inHTML []string
			for _, match := range target.FindAllStringSubmatch(m.HTML, -1) {
				inHTML = append(inHTML, match[1])
			}
			inText := mailtest.Message{Text: m.Text}.Links()
			if !slices.Equal(inText, inHTML) {
				t.Errorf("%s: text has links %q, HTML %q", example.Name, inText, inHTML)
			}
			switch kind := example.Letter.Kind; {
			case kind.HasLink():
				if want := "http://localhost:8080" + example.Letter.Values.Link; !slices.Equal(inText, []string{want}) {
					t.Errorf("%s: links %q, want only %q", example.Name, inText, want)
				}
			case len(inText) > 1 || len(inText) == 1 && inText[0] != "http://localhost:8080/forgot-password":
				t.Errorf("%s: links %q, want at most the forgot-password page", example.Name, inText)
			}
		}
	}
}

func TestNoSubjectShowsAToken(t *testing.T) {
	bundle := catalogues(t)
	token := regexp.MustCompile(`[A-Za-z0-9_-]{20}`)
	for _, language := range []string{"en", "de"} {
		for _, example := range mail.Examples() {
			subject := render(t, bundle, example.Letter, language).Subject
			for _, found := range token.FindAllString(subject, -1) {
				if strings.Contains(example.Letter.Values.Link, found) {
					t.Errorf("%s: subject %q", example.Name, subject)
				}
			}
		}
	}
}

func TestTheTextPartSaysAllThatTheHTMLPartSays(t *testing.T) {
	bundle := catalogues(t)
	aside := regexp.MustCompile(`(?s)<head>.*</head>|<a .*?</a>|<[^>]*>`) // a button stands for the link
	for _, example := range mail.Examples() {
		m := render(t, bundle, example.Letter, "de")
		for line := range strings.Lines(aside.ReplaceAllString(m.HTML, "")) {
			if line = strings.TrimSpace(line); !strings.Contains(m.Text, line) {
				t.Errorf("%s: only the HTML part says %q", example.Name, line)
			}
		}
	}
}

func TestTheHTMLPartLoadsNothing(t *testing.T) {
	bundle := catalogues(t)
	outside := regexp.MustCompile(`(?i)<(img|script|link|iframe|table|form)|src=|url\(|@import`)
	for _, example := range mail.Examples() {
		if found := outside.FindString(render(t, bundle, example.Letter, "en").HTML); found != "" {
			t.Errorf("%s has %q", example.Name, found)
		}
	}
}

func TestALetterSaysWhenAndFromWhere(t *testing.T) {
	bundle := catalogues(t)
	letter := example(t, "password changed")
	for language, want := range map[string][]string{
		"en": {"When: 23 November 2026, 14:35 UTC", "Browser: Firefox · Linux", "Network address: 203.0.113.9"},
		"de": {"Zeitpunkt: 23. November 2026, 14:35 Uhr (UTC)", "Browser: Firefox · Linux", "Netzwerkadresse: 203.0.113.9"},
	} {
		m := render(t, bundle, letter, language)
		for _, words := range want {
			if !strings.Contains(m.Text, words) || !strings.Contains(m.HTML, words) {
				t.Errorf("%s: %q is not said", language, words)
			}
		}
	}
}

func TestALanguageThatIsNotThereIsEnglish(t *testing.T) {
	m := render(t, catalogues(t), example(t, "test"), "tlh")
	if m.Language != "en" || m.Subject != "Test message from Twinlock" {
		t.Errorf("got %q in %q", m.Subject, m.Language)
	}
}

func TestTheQueueGivesBackTheLetterThatItGot(t *testing.T) {
	for _, example := range mail.Examples() {
		stored, err := json.Marshal(example.Letter)
		if err != nil {
			t.Fatal(err)
		}
		var back mail.Letter
		if err := json.Unmarshal(stored, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, example.Letter) {
			t.Errorf("%s came back as %+v", example.Name, back)
		}
	}
}

func TestALetterWithoutIDGetsOneOfItsOwn(t *testing.T) {
	bundle, letter := catalogues(t), example(t, "test")
	letter.ID = ""
	first, second := render(t, bundle, letter, "en").ID, render(t, bundle, letter, "en").ID
	if first == "" || first == second {
		t.Errorf("IDs %q and %q", first, second)
	}
}

func TestWhatIsNoLetterIsRefusedForEver(t *testing.T) {
	reset, notice, changed := example(t, "reset"), example(t, "password changed"), example(t, "address changed, to the old one")
	token := reset.Values.Link[strings.LastIndexByte(reset.Values.Link, '/')+1:]
	for name, spoil := range map[string]func() mail.Letter{
		"unknown kind":                func() mail.Letter { return with(notice, func(l *mail.Letter) { l.Kind = "greetings" }) },
		"kind that leaves the folder": func() mail.Letter { return with(notice, func(l *mail.Letter) { l.Kind = "../letters/test" }) },
		"no time":                     func() mail.Letter { return with(notice, func(l *mail.Letter) { l.Values.At = time.Time{} }) },
		"no recipient":                func() mail.Letter { return with(notice, func(l *mail.Letter) { l.To = "" }) },
		"link missing":                func() mail.Letter { return with(reset, func(l *mail.Letter) { l.Values.Link = "" }) },
		"link without token":          func() mail.Letter { return with(reset, func(l *mail.Letter) { l.Values.Link = "/forgot-password/" }) },
		"token too short":             func() mail.Letter { return with(reset, func(l *mail.Letter) { l.Values.Link = "/reset/" + token[1:] }) },
		"token too long": func() mail.Letter {
			return with(reset, func(l *mail.Letter) { l.Values.Link = "/reset/" + token + "a" })
		},
		"two tokens": func() mail.Letter {
			return with(reset, func(l *mail.Letter) { l.Values.Link = "/" + token + "/" + token })
		},
		"link to elsewhere": func() mail.Letter {
			return with(reset, func(l *mail.Letter) { l.Values.Link = "https://evil.example/" + token })
		},
		"link that changes the host": func() mail.Letter {
			return with(reset, func(l *mail.Letter) { l.Values.Link = "@evil.example/" + token })
		},
		"link with a line break":         func() mail.Letter { return with(reset, func(l *mail.Letter) { l.Values.Link = "/reset/\n/" + token }) },
		"link that never ends":           func() mail.Letter { return with(reset, func(l *mail.Letter) { l.Values.Until = time.Time{} }) },
		"link in a letter that has none": func() mail.Letter { return with(notice, func(l *mail.Letter) { l.Values.Link = reset.Values.Link }) },
		"unknown factor": func() mail.Letter {
			return with(notice, func(l *mail.Letter) { l.Values.Removed = []mail.Factor{"wand"} })
		},
		"changed address that is missing": func() mail.Letter { return with(changed, func(l *mail.Letter) { l.Values.NewAddress = "" }) },
		"changed address that is none": func() mail.Letter {
			return with(changed, func(l *mail.Letter) { l.Values.OldAddress = "click <here>" })
		},
		"ID that breaks a header":   func() mail.Letter { return with(notice, func(l *mail.Letter) { l.ID = "a>\r\nBcc: eve@evil.example" }) },
		"ID that leaves the outbox": func() mail.Letter { return with(notice, func(l *mail.Letter) { l.ID = "../../x" }) },
	} {
		_, err := mail.Render(catalogues(t), site(t), spoil())
		if !errors.Is(err, mail.ErrUnwritable) || !mail.Permanent(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), token[:20]) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
}

// The rest is what the tests of this package share.

var loadOnce = sync.OnceValues(i18n.LoadWithPseudo)

func catalogues(t testing.TB) *i18n.Bundle {
	t.Helper()
	bundle, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

func site(t testing.TB) mail.Site {
	t.Helper()
	publicURL, err := url.Parse("http://localhost:8080")
	if err != nil {
		t.Fatal(err)
	}
	return mail.Site{Name: "Twinlock", PublicURL: publicURL, From: mail.DefaultFrom(publicURL)}
}

func example(t testing.TB, name string) mail.Letter {
	t.Helper()
	examples := mail.Examples()
	i := slices.IndexFunc(examples, func(e mail.Example) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("no example is called %q", name)
	}
	return examples[i].Letter
}

func with(l mail.Letter, change func(*mail.Letter)) mail.Letter {
	change(&l)
	return l
}

func render(t testing.TB, bundle *i18n.Bundle, l mail.Letter, language string) mail.Message {
	t.Helper()
	l.Language = language
	m, err := mail.Render(bundle, site(t), l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// onPaper writes a message as a file and reads it back, as a mail program does.
func onPaper(t testing.TB, m mail.Message) mailtest.Message {
	t.Helper()
	dir := t.TempDir()
	folder, err := mail.NewFolder(dir, "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q, %v", files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	read, err := mailtest.Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func addresses(t testing.TB, header string) []netmail.Address {
	t.Helper()
	list, err := netmail.ParseAddressList(header)
	if err != nil {
		t.Fatalf("%q: %v", header, err)
	}
	var plain []netmail.Address
	for _, a := range list {
		plain = append(plain, *a)
	}
	return plain
}
