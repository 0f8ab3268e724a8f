package address

import (
	"errors"
	"strings"
	"testing"
	"unicode"
)

func TestParseGivesBothForms(t *testing.T) {
	for _, tt := range []struct{ name, typed, spelling, canonical, mail string }{
		{"plain", "ada@example.com", "ada@example.com", "ada@example.com", "ada@example.com"},
		{"upper case", "Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com", "ada.lovelace@example.com", "Ada.Lovelace@example.com"},
		{"spaces around", " \t\u00a0ada@example.com\r\n", "ada@example.com", "ada@example.com", "ada@example.com"},
		{"a tag", "ada+door@example.com", "ada+door@example.com", "ada+door@example.com", "ada+door@example.com"},
		{"every sign", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"full-width @ and dot", "ada＠example．com", "ada@example.com", "ada@example.com", "ada@example.com"},
		{"full-width letters", "ａｄａ@example.com", "ada@example.com", "ada@example.com", "ada@example.com"},
		{"Kelvin sign", "\u212Aim@example.com", "Kim@example.com", "kim@example.com", "Kim@example.com"},
		{"dotless i stays another letter", "ad\u0131@example.com", "ad\u0131@example.com", "ad\u0131@example.com", "ad\u0131@example.com"},
		{"dotted capital I stays another letter", "\u0130da@example.com", "\u0130da@example.com", "i\u0307da@example.com", "\u0130da@example.com"},
		{"umlaut in two signs", "bu\u0308ro@example.com", "b\u00fcro@example.com", "b\u00fcro@example.com", "b\u00fcro@example.com"},
		{"sharp s", "Gauß@example.com", "Gauß@example.com", "gauss@example.com", "Gauß@example.com"},
		{"Greek with a final sigma", "ΓΕΏΡΓΙΟΣ@example.com", "ΓΕΏΡΓΙΟΣ@example.com", "γεώργιοσ@example.com", "ΓΕΏΡΓΙΟΣ@example.com"},
		{"domain in its own script", "info@Bücher.Example", "info@bücher.example", "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
		{"the same domain in ASCII", "info@XN--bcher-kva.example", "info@bücher.example", "info@xn--bcher-kva.example", "info@xn--bcher-kva.example"},
		{"sharp s in a domain", "info@straße.example", "info@straße.example", "info@xn--strae-oqa.example", "info@xn--strae-oqa.example"},
		{"ideographic full stop", "info@例え。jp", "info@例え.jp", "info@xn--r8jz45g.jp", "info@xn--r8jz45g.jp"},
		{"a host in the house", "root@localhost", "root@localhost", "root@localhost", "root@localhost"},
		{"longest", strings.Repeat("a", 64) + "@" + longDomain(189), strings.Repeat("a", 64) + "@" + longDomain(189),
			strings.Repeat("a", 64) + "@" + longDomain(189), strings.Repeat("a", 64) + "@" + longDomain(189)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.typed)
			if err != nil {
				t.Fatalf("Parse(%q): %v", tt.typed, err)
			}
			if got.Spelling != tt.spelling || got.Canonical != tt.canonical || got.ForMail() != tt.mail {
				t.Errorf("Parse(%q) = %q, %q, for mail %q; want %q, %q, %q",
					tt.typed, got.Spelling, got.Canonical, got.ForMail(), tt.spelling, tt.canonical, tt.mail)
			}
		})
	}
}

// longDomain is a domain of n bytes.
func longDomain(n int) string {
	domain := strings.Repeat(strings.Repeat("d", 49)+".", 6)[:n]
	return domain[:n-1] + "d"
}

func TestParseRefusesWhatIsNoAddress(t *testing.T) {
	for name, typed := range map[string]string{
		"nothing":                   "",
		"only spaces":               "  ",
		"no @":                      "example.com",
		"nobody":                    "@example.com",
		"nowhere":                   "ada@",
		"two @":                     "ada@example.com@example.org",
		"a second @ in full width":  "ada＠example.com@example.org",
		"a small @ besides":         "ada﹫evil.example@example.org",
		"quoted local part":         `"ada"@example.com`,
		"a quoted @":                `"ada@evil.example"@example.com`,
		"backslash":                 `ad\a@example.com`,
		"space inside":              "ad a@example.com",
		"no-break space inside":     "ad\u00a0a@example.com",
		"space in the domain":       "ada@exam ple.com",
		"line feed":                 "ada\n@example.com",
		"header after the address":  "ada@example.com\r\nBcc: eve@example.org",
		"header in the local part":  "ada\r\nBcc:eve@example.com",
		"next line":                 "ada\u0085x@example.com",
		"line separator":            "ada\u2028x@example.com",
		"zero byte":                 "ada\x00@example.com",
		"delete":                    "ada\x7f@example.com",
		"comma":                     "ada,eve@example.com",
		"full-width comma":          "ada，eve@example.com",
		"comma and a second one":    "ada@example.com,eve",
		"semicolon":                 "ada;eve@example.com",
		"brackets":                  "<ada@example.com>",
		"name before":               "Ada <ada@example.com>",
		"full-width brackets":       "＜ada@example.com＞",
		"markup":                    "<script>@example.com",
		"comment":                   "ada(x)@example.com",
		"source route":              "a:ada@example.com",
		"dot first":                 ".ada@example.com",
		"dot last":                  "ada.@example.com",
		"two dots":                  "ada..l@example.com",
		"trailing dot":              "ada@example.com.",
		"trailing ideographic dot":  "ada@example.com。",
		"leading dot in the domain": "ada@.example.com",
		"two dots in the domain":    "ada@example..com",
		"a dot alone":               "ada@.",
		"address literal":           "ada@[127.0.0.1]",
		"underscore in the domain":  "ada@ex_ample.com",
		"hyphen first":              "ada@-example.com",
		"port":                      "ada@example.com:25",
		"percent in the domain":     "ada@example%2ecom",
		"zero-width space":          "ad\u200ba@example.com",
		"soft hyphen":               "ad\u00ada@example.com",
		"Ogham space":               "ad\u1680a@example.com",
		"right-to-left override":    "ad\u202ea@example.com",
		"byte order mark":           "ad\ufeffa@example.com",
		"Hangul filler":             "ad\u3164a@example.com",
		"variation selector":        "ad\ufe0fa@example.com",
		"grapheme joiner":           "ad\u034fa@example.com",
		"private use":               "ad\ue000a@example.com",
		"replacement character":     "ad\ufffda@example.com",
		"not UTF-8":                 "ad\xffa@example.com",
		"broken punycode":           "ada@xn--0.example",
		"punycode of plain letters": "ada@xn--example-.com",
		"local part too long":       strings.Repeat("a", 65) + "@example.com",
		"long only when folded":     strings.Repeat("\u0130", 22) + "@example.com",
		"label too long":            "ada@" + strings.Repeat("d", 64) + ".com",
		"too long altogether":       strings.Repeat("a", 64) + "@" + longDomain(190),
		"ten kilobytes of spaces":   strings.Repeat(" ", 10<<10) + "ada@example.com",
		"ten kilobytes":             strings.Repeat("a", 10<<10) + "@example.com",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := Parse(typed); !errors.Is(err, ErrMalformed) || got != (Address{}) {
				t.Errorf("Parse(%q) = %+v, %v; want ErrMalformed", typed, got, err)
			}
		})
	}
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"ada@example.com", "ADA@EXAMPLE.COM", true},
		{"\u212Aim@example.com", "kim@example.com", true},
		{"ada＠example.com", "ada@example.com", true},
		{"i@bücher.example", "i@xn--bcher-kva.example", true},
		{"ad\u0131@example.com", "adi@example.com", false},
		{"\u0130da@example.com", "ida@example.com", false},
		{"ada@straße.example", "ada@strasse.example", false},
		{"ada@example.com", "ada@example.org", false},
		{"ada+a@example.com", "ada@example.com", false},
		{"a.da@example.com", "ada@example.com", false},
	} {
		a, b := parsed(t, tt.a), parsed(t, tt.b)
		if a.Same(b) != tt.want || b.Same(a) != tt.want {
			t.Errorf("%q and %q: same is %v, want %v", tt.a, tt.b, a.Same(b), tt.want)
		}
	}
	if (Address{}).Same(Address{}) {
		t.Error("no address is the same as no address")
	}
	if got := (Address{}).ForMail(); got != "" {
		t.Errorf("no address is %q for mail", got)
	}
}

func parsed(t *testing.T, typed string) Address {
	t.Helper()
	a, err := Parse(typed)
	if err != nil {
		t.Fatalf("Parse(%q): %v", typed, err)
	}
	return a
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"ada@example.com", "Ada＠Example．COM", "\u212A@x", "\u0131@x", "\u0130@\u0130", "straße@straße.de",
		"a@xn--bcher-kva.example", "a@例え。jp", "a\r\n@b", "a@b\r\nBcc: c@d", "\u0345\u03b1\u0313@x", "ﬃ@x", "ΐ@ΐ",
		"\u1e9e@\u1e9e", "a@xn--0", "a@b,c", "<a@b>", `"a"@b`, "a@b.", "ͅ@a", "a@ⓐ", "ﷺ@ﷺ", "a@xn--a-ecp.ru",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		a, err := Parse(typed)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || a != (Address{}) {
				t.Fatalf("Parse(%q) = %+v, %v", typed, a, err)
			}
			return
		}
		for _, form := range []string{a.Spelling, a.Canonical, a.ForMail()} {
			if len(form) > 3*longestWhole || strings.Count(form, "@") != 1 ||
				strings.ContainsAny(form, "\r\n\x00 ,;<>\"()[]\\") || strings.ContainsFunc(form, unicode.IsSpace) {
				t.Fatalf("Parse(%q) let through %q", typed, form)
			}
			again, err := Parse(form)
			if err != nil || again.Canonical != a.Canonical {
				t.Fatalf("Parse(%q) = %+v, but Parse(%q) = %+v, %v", typed, a, form, again, err)
			}
		}
		if again, _ := Parse(a.Spelling); again != a {
			t.Fatalf("Parse(%q) = %+v, and of its spelling %+v", typed, a, again)
		}
	})
}
