package i18n

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func load(t *testing.T) *Bundle {
	t.Helper()
	b, err := LoadWithPseudo()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTheChosenLanguageComesBeforeTheBrowsers(t *testing.T) {
	for _, c := range []struct{ what, chosen, header, want string }{
		{"nothing known", "", "", "en"},
		{"chosen", "de", "en", "de"},
		{"chosen, but there is no such language", "xx", "de", "de"},
		{"chosen, but no tag at all", "../de", "", "en"},
		{"browser", "", "de", "de"},
		{"browser, of another country", "", "de-AT", "de"},
		{"browser, second choice", "", "fr-CH, fr;q=0.9, de;q=0.8, en;q=0.7", "de"},
		{"browser, none of ours", "", "vi", "en"},
		{"browser, nonsense", "", ";;;q=,,", "en"},
		{"browser, English of another country", "", "en-NZ, de", "en"},
		{"browser asks for the language of tests", "", "en-XA", "en"},
		{"the language of tests, chosen", Pseudo, "", Pseudo},
		{"long header, within bounds", "", "fr, de, " + strings.Repeat("x", 5000), "de"},
		{"long header, beyond bounds", "", strings.Repeat("fr,", 2000) + "de", "en"},
		{"long header without end", "", strings.Repeat("d", 100_000), "en"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := load(t).Choose(c.chosen, c.header); got != c.want {
				t.Errorf("Choose(%q, %.20q…) = %q, want %q", c.chosen, c.header, got, c.want)
			}
		})
	}
}

// FuzzChoose: whatever a browser says, the answer is in a language that there is, and
// of a header without end nothing is looked at but how it begins.
func FuzzChoose(f *testing.F) {
	const looked = 256 // bytes
	f.Add("de", "de-AT;q=0.9, en", "")
	f.Add("", "x-y-z,*;q=0", "de")
	f.Add("", "fr;q=0.1", "de")
	f.Add("", strings.Repeat("fr,", 90), strings.Repeat("de,", 1000))
	b, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, chosen, header, rest string) {
		if tag := b.Choose(chosen, header); b.Texts(tag).Tag() != tag {
			t.Errorf("Choose(%q, %q) = %q", chosen, header, tag)
		}
		begins := (header + strings.Repeat(" ", looked))[:looked] + ","
		if without, with := b.Choose(chosen, begins), b.Choose(chosen, begins+rest); with != without {
			t.Errorf("Choose(%q, %q) = %q, and with %q after it %q", chosen, begins, without, rest, with)
		}
	})
}

func TestEnglishIsFirstAndPseudoOnlyWhenAskedFor(t *testing.T) {
	plain, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if first := plain.Languages()[0]; first != (Language{"en", "English"}) {
		t.Errorf("first language is %v", first)
	}
	for _, l := range plain.Languages() {
		if l.Tag == Pseudo {
			t.Error("people may choose the language of tests")
		}
	}
	if len(load(t).Languages()) != len(plain.Languages())+1 {
		t.Error("tests may not")
	}
}

func TestAnUnknownKeyIsSaidAsItIs(t *testing.T) {
	if got := load(t).Texts("de").T("no.such"); got != "no.such" {
		t.Errorf("got %q", got)
	}
}

func TestATextThatALanguageLacksIsSaidInEnglish(t *testing.T) {
	source, err := readCatalogues(files)
	if err != nil {
		t.Fatal(err)
	}
	empty := catalogue{Language: Language{Tag: "fr", Name: "Français"}}
	b, err := newBundle([]catalogue{source[0], empty})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Texts("fr").T("form.password"); got != "Password" {
		t.Errorf("got %q", got)
	}
	if got := b.Texts("fr").N("time.days", 2); got != "2 days" {
		t.Errorf("got %q", got)
	}
}

func TestAnUnknownLanguageSpeaksEnglish(t *testing.T) {
	if got := load(t).Texts("xx").Tag(); got != "en" {
		t.Errorf("got %q", got)
	}
}

func TestTimesAreWrittenAsInTheirLanguage(t *testing.T) {
	at := time.Date(2026, 3, 1, 23, 5, 59, 0, time.UTC)
	tokyo := time.FixedZone("JST", 9*60*60)
	for _, c := range []struct {
		tag  string
		in   *time.Location
		want string
	}{
		{"en", nil, "1 March 2026, 23:05 UTC"},
		{"de", nil, "1. März 2026, 23:05 Uhr (UTC)"},
		{"en", tokyo, "2 March 2026, 08:05"},
		{"de", tokyo, "2. März 2026, 08:05 Uhr"},
	} {
		if got := load(t).Texts(c.tag).DateTime(at, c.in); got != c.want {
			t.Errorf("%s in %v: %q, want %q", c.tag, c.in, got, c.want)
		}
	}
}

func TestEveryMonthHasItsName(t *testing.T) {
	for month := time.January; month <= time.December; month++ {
		at := time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)
		if got := load(t).Texts("en").Date(at, nil); got != at.Format("2 January 2006") {
			t.Errorf("got %q", got)
		}
	}
}

func TestDurationsRoundUp(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:            "0 seconds",
		time.Millisecond:        "1 second",
		59 * time.Second:        "59 seconds",
		59*time.Second + 1:      "1 minute",
		time.Minute:             "1 minute",
		time.Minute + 1:         "2 minutes",
		time.Hour:               "1 hour",
		90 * time.Minute:        "90 minutes",
		24 * time.Hour:          "24 hours",
		48 * time.Hour:          "2 days",
		30 * 24 * time.Hour:     "30 days",
		15*time.Minute - 500000: "15 minutes",
	} {
		if got := load(t).Texts("en").Duration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestPseudoKeepsPlaceholdersAndIsLonger(t *testing.T) {
	got := disguise("Try again at {{.Time}}, {{.Name}}.")
	if !strings.Contains(got, "{{.Time}}") || !strings.Contains(got, "{{.Name}}") {
		t.Errorf("a placeholder is gone: %s", got)
	}
	if !strings.HasPrefix(got, "[Ţŕý ") || !strings.HasSuffix(got, "]") {
		t.Errorf("no accents or brackets: %s", got)
	}
	for _, text := range []string{"Ok", "Password", "That email and password don't match. Check both, or reset your password."} {
		n, made := utf8.RuneCountInString(text), utf8.RuneCountInString(disguise(text))
		if made < n+n*2/5 || made > n+n*2/5+3 || !utf8.ValidString(disguise(text)) {
			t.Errorf("%d characters became %d: %s", n, made, disguise(text))
		}
	}
}
