package recovery

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

func TestNewCodesAreTenOfFourGroups(t *testing.T) {
	codes := New(10)
	if len(codes) != 10 {
		t.Fatalf("%d codes", len(codes))
	}
	form := regexp.MustCompile(`^[` + alphabet + `]{4}(-[` + alphabet + `]{4}){3}$`)
	seen := map[string]bool{}
	for _, c := range codes {
		if !form.MatchString(c.Reveal()) {
			t.Errorf("a code is %q", c.Reveal())
		}
		if seen[c.Reveal()] {
			t.Errorf("the code %q was given twice", c.Reveal())
		}
		seen[c.Reveal()] = true
	}
}

func TestACodeHasSeventyFiveBits(t *testing.T) {
	signs := map[rune]bool{}
	for _, r := range alphabet {
		if signs[r] {
			t.Errorf("%c is in the alphabet twice", r)
		}
		signs[r] = true
	}
	if bits := length * math.Log2(float64(len(signs))); bits < 75 {
		t.Errorf("a code has %.1f bits", bits)
	}
}

func TestTheAlphabetHasNoTwoSignsThatLookAlike(t *testing.T) {
	for _, alike := range []string{"0O", "1IL", "2Z", "5S", "8B", "UV"} {
		both := 0
		for _, r := range alike {
			if strings.ContainsRune(alphabet, r) {
				both++
			}
		}
		if both > 1 {
			t.Errorf("more than one of %s is in the alphabet", alike)
		}
	}
}

// Were the bytes of the source folded into the alphabet with a plain rest, the
// last four signs would come up a tenth too seldom. Of 640,000 signs each is
// due 24,615 times, give or take 157. Folded, the four would miss by 2,115; by
// 1,098 none does by accident.
func TestEachSignIsDrawnEvenly(t *testing.T) {
	const codes = 40000
	count := map[rune]int{}
	for _, c := range New(codes) {
		for _, r := range strings.ReplaceAll(c.Reveal(), "-", "") {
			count[r]++
		}
	}
	due := float64(codes*length) / float64(len(alphabet))
	for _, r := range alphabet {
		if math.Abs(float64(count[r])-due) > 7*math.Sqrt(due) {
			t.Errorf("%c was drawn %d times, %.0f are due", r, count[r], due)
		}
	}
}

func TestClean(t *testing.T) {
	const signs = "ACDEFGHJKMNP3456"
	for _, tt := range []struct{ name, typed, signs string }{
		{"as shown", "ACDE-FGHJ-KMNP-3456", signs},
		{"without hyphens", signs, signs},
		{"lower case", "acde-fghj-kmnp-3456", signs},
		{"mixed case, odd groups", "aC dEfG-hJk MnP34-56", signs},
		{"spaces everywhere", " A C\tD\u00a0E FGHJ\u2009KMNP 3456\r\n", signs},
		{"other dashes", "ACDE\u2013FGHJ\u2212KMNP\u20143456", signs},
		{"full width", "ＡＣＤＥ－ＦＧＨＪ－ＫＭＮＰ－３４５６", signs},
		{"Kelvin sign", "ACDE-FGHJ-\u212aMNP-3456", signs},
		{"invisible marks", "\u202aACDE-FGHJ\u200b-KMNP-3456\ufeff", signs},

		{"nothing", "", ""},
		{"only hyphens", "---", ""},
		{"a sign short", "ACDE-FGHJ-KMNP-345", ""},
		{"a sign more", "ACDE-FGHJ-KMNP-34567", ""},
		{"a sign that is not in the alphabet", "ACDE-FGHJ-KMNP-3450", ""},
		{"an authenticator's code", "005924", ""},
		{"a letter of another script", "АCDE-FGHJ-KMNP-3456", ""},
		{"a dotless i", "ıCDE-FGHJ-KMNP-3456", ""},
		{"a full stop", "ACDE.FGHJ.KMNP.3456", ""},
		{"a zero byte", "ACDE-FGHJ-KMNP-3456\x00", ""},
		{"not UTF-8", "ACDE-FGHJ-KMNP-345\xff", ""},
		{"two codes", "ACDE-FGHJ-KMNP-3456 ACDE-FGHJ-KMNP-3456", ""},
		{"long", strings.Repeat("-", 300) + signs, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Clean(tt.typed)
			if got != tt.signs || ok != (tt.signs != "") {
				t.Errorf("Clean(%q) = %q, %v; want %q", tt.typed, got, ok, tt.signs)
			}
		})
	}
}

func TestEveryCodeOfASetIsFoundInAnyOrderAndSpelling(t *testing.T) {
	codes := New(3)
	set := Hash(codes, usual)
	for _, i := range []int{2, 0, 1} {
		typed, ok := Clean(" " + strings.ToLower(codes[i].Reveal()) + " ")
		if !ok {
			t.Fatalf("code %d was not taken for one", i)
		}
		if got, ok := set.Match(typed); !ok || got != i {
			t.Errorf("code %d was found as %d, %v", i, got, ok)
		}
	}
}

func TestNothingElseIsFoundInASet(t *testing.T) {
	codes := New(2)
	set := Hash(codes, usual)
	right, _ := Clean(codes[1].Reveal())
	wrong := []byte(right)
	wrong[15] = alphabet[(strings.IndexByte(alphabet, wrong[15])+1)%len(alphabet)]
	other, _ := Clean(New(1)[0].Reveal())
	for name, typed := range map[string]string{
		"nothing": "", "a sign differs": string(wrong), "another code": other, "a piece": right[:15],
		"as shown, not cleaned": codes[1].Reveal(), "lower case, not cleaned": strings.ToLower(right),
	} {
		if i, ok := set.Match(typed); ok || i != 0 {
			t.Errorf("%s was found as code %d", name, i)
		}
	}
	for name, empty := range map[string]Set{
		"the zero set": {}, "a set without codes": Hash(nil, usual), "a set of empty hashes": {Salt: set.Salt, Hashes: [][]byte{nil, {}}},
	} {
		if _, ok := empty.Match(right); ok {
			t.Errorf("a code was found in %s", name)
		}
	}
}

func TestEachSetHasASaltOfItsOwn(t *testing.T) {
	codes := New(1)
	a, b := Hash(codes, usual), Hash(codes, usual)
	if len(a.Salt) != 16 || bytes.Equal(a.Salt, b.Salt) || bytes.Equal(a.Hashes[0], b.Hashes[0]) {
		t.Errorf("the same code is kept as %x with %x and as %x with %x", a.Hashes[0], a.Salt, b.Hashes[0], b.Salt)
	}
}

// usual is what OWASP asks for at least.
var usual = Cost{MemoryKiB: 19 * 1024, Passes: 2}

// The hash is what Debian's argon2, the reference implementation, made of it:
// printf %s ACDEFGHJKMNP3456 | argon2 "sixteen signs..." -id -t 2 -k 19456 -p 1 -l 32 -r
func TestCodesAreKeptAsArgon2id(t *testing.T) {
	const want = "79b96a9b0eeb93478b9b6b8bc36fe343df0f7f40cfc80f7b9ba127d315788ccd"
	set := Set{Salt: []byte("sixteen signs..."), Cost: usual}
	if got := hex.EncodeToString(set.hash("ACDEFGHJKMNP3456")); got != want {
		t.Errorf("the hash is %s, want %s", got, want)
	}
}

func TestCodesDoNotPrintThemselves(t *testing.T) {
	code := New(1)[0]
	type below struct{ code Code }
	signs, _ := Clean(code.Reveal())
	for name, value := range map[string]any{
		"code": code, "pointer": &code, "slice": []Code{code}, "field": struct{ Code Code }{code}, "unexported field": below{code},
	} {
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "value", value)
		for _, form := range []string{signs, code.Reveal(), hex.EncodeToString([]byte(signs))} {
			if strings.Contains(strings.ToLower(printed.String()), strings.ToLower(form)) {
				t.Errorf("%s printed the code: %s", name, printed.String())
			}
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		"", "ACDE-FGHJ-KMNP-3456", "acdefghjkmnp3456", "ＡＣＤＥ－ＦＧＨＪ－ＫＭＮＰ－３４５６", "005924", "\xff", "ſſſſ", "ıııı", "\u212a",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		signs, ok := Clean(typed)
		if !ok {
			if signs != "" {
				t.Fatalf("Clean(%q) refused and gave %q", typed, signs)
			}
			return
		}
		if len(signs) != 16 || strings.Trim(signs, alphabet) != "" {
			t.Fatalf("Clean(%q) = %q", typed, signs)
		}
		for _, spelling := range []string{signs, strings.Map(unicode.ToLower, signs), signs[:5] + " - " + signs[5:]} {
			if again, ok := Clean(spelling); !ok || again != signs {
				t.Fatalf("Clean(%q) = %q, but of %q %q", typed, signs, spelling, again)
			}
		}
	})
}
