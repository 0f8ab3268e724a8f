package mail_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/mail"
	"github.com/twinlock/twinlock/internal/mail/mailtest"
)

// headers are all that a letter may have, whoever writes what into it.
var headers = []string{
	"Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "Message-Id",
	"Mime-Version", "Subject", "To", "X-Auto-Response-Suppress",
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	bundle := catalogues(t)
	for _, language := range bundle.Languages() {
		for _, example := range mail.Examples() {
			m := render(t, bundle, example.Letter, language.Tag)
			read := onPaper(t, m)
			if read.Subject != m.Subject || read.Text != m.Text || read.HTML != m.HTML {
				t.Errorf("%s in %s: read back\n%s\n%s\n%s", example.Name, language.Tag, read.Subject, read.Text, read.HTML)
			}
			expectEnvelope(t, read, "ada@example.com")
		}
	}
}

func TestTheHeadersSayWhoWhenAndThatNobodyReadsReplies(t *testing.T) {
	read := onPaper(t, render(t, catalogues(t), example(t, "reset"), "de"))
	for name, want := range map[string]string{
		"From":                     `"Twinlock" <noreply@localhost>`,
		"To":                       `"Ada Lovelace" <ada@example.com>`,
		"Message-Id":               "<example@localhost>",
		"Date":                     "Mon, 23 Nov 2026 14:35:00 +0000",
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
		"Content-Language":         "de",
	} {
		if got := read.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// hostile is what strangers may type where a name, a browser or a reason is
// expected.
var hostile = map[string]string{
	"line break and header":  "Ada\r\nBcc: eve@evil.example",
	"bare line feed":         "Ada\nBcc: eve@evil.example",
	"bare carriage return":   "Ada\rBcc: eve@evil.example",
	"end of the headers":     "Ada\r\n\r\n<h1>Pay here</h1>",
	"end of the letter":      "Ada\r\n.\r\nMAIL FROM:<eve@evil.example>",
	"second recipient":       "Ada, eve@evil.example",
	"address in brackets":    "Ada <eve@evil.example>",
	"closing bracket":        `Ada" <eve@evil.example>, "`,
	"group of recipients":    "friends: eve@evil.example;",
	"encoded word":           "=?utf-8?q?Ada=0D=0ABcc:_eve@evil.example?=",
	"comment":                "Ada (eve@evil.example)",
	"HTML":                   `<script>alert(1)</script><img src="https://evil.example/x">`,
	"end of an attribute":    `"><a href="https://evil.example/">`,
	"text template":          `{{.Link}}{{template "letter" .}}`,
	"catalogue template":     "{{.Site}} {{call .X}}",
	"boundary":               "--boundary\r\nContent-Type: text/html",
	"null byte":              "Ada\x00Eve",
	"escape sequence":        "Ada\x1b[2J",
	"turned writing":         "Ada \u202egnp.exe",
	"line separator":         "Ada\u2028Bcc: eve@evil.example",
	"next line":              "Ada\u0085Bcc: eve@evil.example",
	"half a character":       "Ada\xff\xc3",
	"ten thousand letters":   strings.Repeat("a", 10_000),
	"ten thousand umlauts":   strings.Repeat("ü", 10_000),
	"ten thousand new lines": strings.Repeat("\r\n", 5_000) + "Bcc: eve@evil.example",
}

func TestAStrangersWordsStayWords(t *testing.T) {
	for name, words := range hostile {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []string{"reset", "two-factor reset"} {
				expectHarmless(t, example(t, kind), words)
			}
		})
	}
}

func TestAnAddressIsOneAddressOrNone(t *testing.T) {
	bundle := catalogues(t)
	for name, to := range map[string]string{
		"empty":                 "",
		"no host":               "ada",
		"two":                   "ada@example.com, eve@evil.example",
		"two with a semicolon":  "ada@example.com; eve@evil.example",
		"two with a space":      "ada@example.com eve@evil.example",
		"two signs":             "ada@example.com@evil.example",
		"name before it":        "Ada <ada@example.com>",
		"brackets":              "<ada@example.com>",
		"comment":               "ada@example.com (Ada)",
		"group":                 "friends: ada@example.com;",
		"quoted":                `"ada, eve"@example.com`,
		"line break and header": "ada@example.com\r\nBcc: eve@evil.example",
		"line break and RCPT":   "ada@example.com>\r\nRCPT TO:<eve@evil.example",
		"line break before":     "\r\nada@example.com",
		"null byte":             "ada\x00@example.com",
		"space before":          " ada@example.com",
		"HTML":                  "<script>@example.com",
		"template":              "{{.Link}} @example.com",
		"ten thousand letters":  strings.Repeat("a", 10_000) + "@example.com",
		"host that is none":     "ada@exa mple.com",
	} {
		letter := example(t, "reset")
		letter.To = to
		if m, err := mail.Render(bundle, site(t), letter); !mail.Permanent(err) {
			t.Errorf("%s: a letter to %q, %v", name, m.To.Address, err)
		}
	}
}

func TestAnAddressKeepsItsSpellingAndItsHostIsReadByEveryServer(t *testing.T) {
	for to, want := range map[string]string{
		"Ada.Lovelace+news@Example.com": "Ada.Lovelace+news@example.com",
		"o'brien@example.com":           "o'brien@example.com",
		"ada@müller.example":            "ada@xn--mller-kva.example",
		"vũ@example.com":                "vũ@example.com",
		"admin@localhost":               "admin@localhost",
	} {
		letter := example(t, "reset")
		letter.To = to
		if m := render(t, catalogues(t), letter, "en"); m.To.Address != want {
			t.Errorf("%s became %s, want %s", to, m.To.Address, want)
		}
	}
}

func TestLongWordsAreCut(t *testing.T) {
	letter := example(t, "two-factor reset")
	letter.Name, letter.Values.Device, letter.Values.Reason = strings.Repeat("ü", 500), strings.Repeat("x", 500), strings.Repeat("字", 5000)
	m := render(t, catalogues(t), letter, "en")
	for _, words := range []string{
		"Hello " + strings.Repeat("ü", 79) + "…,\n",
		"Browser: " + strings.Repeat("x", 79) + "…\n",
		"Reason: " + strings.Repeat("字", 999) + "…\n",
	} {
		if !strings.Contains(m.Text, words) {
			t.Errorf("%.20s… is not cut as it should be in\n%s", words, m.Text)
		}
	}
	if m.To.Name != strings.Repeat("ü", 79)+"…" {
		t.Errorf("recipient %s", m.To.Name)
	}
}

func TestOnlyANetworkAddressIsSaidToBeOne(t *testing.T) {
	for network, want := range map[string]string{
		"203.0.113.9":       "Network address: 203.0.113.9\n",
		"2001:db8::9":       "Network address: 2001:db8::9\n",
		"fe80::1%evil link": "Network address: fe80::1\n",
		"evil.example":      "",
		"":                  "",
	} {
		letter := example(t, "password changed")
		letter.Values.Network = network
		text := render(t, catalogues(t), letter, "en").Text
		if !strings.Contains(text, want) || want == "" && strings.Contains(text, "Network address") {
			t.Errorf("%q:\n%s", network, text)
		}
	}
}

func TestANameThatIsALinkIsNotGreeted(t *testing.T) {
	for name, greeted := range map[string]bool{
		"Ada Lovelace":                    true,
		"J. R. R. Tolkien":                true,
		"J.R.R. Tolkien":                  true,
		"Nguyễn Thị Minh Khai":            true,
		"Γεώργιος Παπαδόπουλος":           true,
		"win money at evil.example":       false,
		"https://evil.example":            false,
		"evil.example/win":                false,
		"eve@evil.example":                false,
		`\\evil\share`:                    false,
		"":                                false,
		"Ada\r\nLovelace of evil.example": false,
	} {
		letter := example(t, "verify")
		letter.Name = name
		m := render(t, catalogues(t), letter, "en")
		if got := !strings.HasPrefix(m.Text, "Hello,\n"); got != greeted {
			t.Errorf("%q is greeted: %t\n%s", name, got, strings.SplitN(m.Text, "\n", 2)[0])
		}
	}
}

func FuzzLetter(f *testing.F) {
	for _, words := range hostile {
		f.Add(words, "ada@example.com", words)
		f.Add("Ada", words, words)
	}
	bundle := catalogues(f)
	f.Fuzz(func(t *testing.T, name, to, reason string) {
		letter := with(example(t, "two-factor reset"), func(l *mail.Letter) {
			l.Name, l.To, l.Values.Reason, l.Values.Device, l.Values.Network = name, to, reason, name, reason
		})
		m, err := mail.Render(bundle, site(t), letter)
		if err != nil {
			return // refused
		}
		read := onPaper(t, m)
		expectEnvelope(t, read, m.To.Address)
		if read.Text != m.Text || read.HTML != m.HTML || read.Subject != m.Subject {
			t.Errorf("read back as\n%s\n%s", read.Text, read.HTML)
		}
		if strings.Count(m.Text, "\n") > 20 || len(m.Text) > 10_000 {
			t.Errorf("too long:\n%s", m.Text)
		}
	})
}

// expectHarmless writes words everywhere a stranger may and reads the letter
// as a mail program would.
func expectHarmless(t *testing.T, letter mail.Letter, words string) {
	t.Helper()
	bundle := catalogues(t)
	plain := onPaper(t, render(t, bundle, letter, "en"))
	letter.Name, letter.Values.Device, letter.Values.Network, letter.Values.Reason = words, words, words, words
	m := render(t, bundle, letter, "en")
	read := onPaper(t, m)
	expectEnvelope(t, read, "ada@example.com")
	if read.Subject != plain.Subject {
		t.Errorf("subject %q", read.Subject)
	}
	shown := strings.ReplaceAll(read.Text+read.HTML+addresses(t, read.Header.Get("To"))[0].Name, "\n", "")
	if i := strings.IndexFunc(shown, invisible); i >= 0 {
		t.Errorf("shows %q", shown[i:min(i+20, len(shown))])
	}
	if tags(read.HTML) > tags(plain.HTML)+1 { // the line for a reason that was not there
		t.Errorf("new tags in\n%s", read.HTML)
	}
	if len(read.Raw) > len(plain.Raw)+12_000 {
		t.Errorf("%d bytes", len(read.Raw))
	}
}

// invisible is what controls a terminal or turns the reading direction.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}

func tags(html string) int { return strings.Count(html, "<") }

func expectEnvelope(t *testing.T, read mailtest.Message, to string) {
	t.Helper()
	if got := slices.Sorted(maps.Keys(read.Header)); !slices.Equal(got, headers) {
		t.Errorf("headers %q", got)
	}
	for name, values := range read.Header {
		if len(values) != 1 {
			t.Errorf("%s stands %d times", name, len(values))
		}
	}
	if got := addresses(t, read.Header.Get("To")); len(got) != 1 || got[0].Address != to {
		t.Errorf("recipients %v", got)
	}
	if got := addresses(t, read.Header.Get("From")); len(got) != 1 || got[0].Address != "noreply@localhost" {
		t.Errorf("senders %v", got)
	}
	if strings.Count(string(read.Raw), "\n") != strings.Count(string(read.Raw), "\r\n") {
		t.Error("a line ends with a line feed alone")
	}
	head, _, _ := strings.Cut(string(read.Raw), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") || !utf8.ValidString(line) {
			t.Errorf("header line %.80q", line)
		}
	}
}
