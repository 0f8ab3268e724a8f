package totp

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode"
)

// rfcKey is the key of the tables in RFC 4226 and RFC 6238.
func rfcKey(t testing.TB) Key {
	t.Helper()
	key, err := KeyFromBytes([]byte("12345678901234567890"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// RFC 4226 Appendix D: the codes of counters 0 to 9.
func TestMatchKnowsTheCodesOfRFC4226(t *testing.T) {
	for counter, code := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		step, ok := Match(rfcKey(t), code, time.Unix(int64(counter)*30, 0))
		if !ok || step != int64(counter) {
			t.Errorf("Match(%s) at counter %d = %d, %v", code, counter, step, ok)
		}
	}
}

// The rows named "B" are the SHA-1 rows of RFC 6238 Appendix B. The RFC prints
// eight digits; a six-digit code is the last six of them.
func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		name string
		unix int64 // what our clock says
		code string
		step int64 // 0 when nothing may match
	}{
		{"B 1970-01-01", 59, "287082", 1},
		{"B 2005-03-18 01:58:29", 1111111109, "081804", 37037036},
		{"B 2005-03-18 01:58:31", 1111111111, "050471", 37037037},
		{"B 2009-02-13", 1234567890, "005924", 41152263},
		{"B 2033-05-18", 2000000000, "279037", 66666666},
		{"B 2603-10-11", 20000000000, "353130", 666666666},

		{"phone 30 s behind", 1234567890 + 30, "005924", 41152263},
		{"phone 30 s ahead", 1234567890 - 30, "005924", 41152263},
		{"last second of the step after", 1234567890 + 59, "005924", 41152263},
		{"first second of the step before", 1234567890 - 30, "005924", 41152263},
		{"phone 60 s behind", 1234567890 + 60, "005924", 0},
		{"phone 31 s ahead", 1234567890 - 31, "005924", 0},
		{"a digit short", 1234567890, "05924", 0},
		{"the eight digits of the RFC", 1234567890, "89005924", 0},
		{"a digit more", 1234567890, "0059240", 0},
		{"a letter for a zero", 1234567890, "O05924", 0},
		{"another code", 1234567890, "005925", 0},
		{"nothing", 1234567890, "", 0},
		{"before the epoch", -1, "755225", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			step, ok := Match(rfcKey(t), tt.code, time.Unix(tt.unix, 0))
			if step != tt.step || ok != (tt.step != 0) {
				t.Errorf("Match(%q) at %d = %d, %v; want step %d", tt.code, tt.unix, step, ok, tt.step)
			}
		})
	}
}

// Were the earlier of the two spent, the later would let the same code in again.
func TestACodeOfTwoStepsSpendsTheLater(t *testing.T) {
	key, code, step := keyWithATwin(t)
	got, ok := Match(key, code, time.Unix((step-1)*30, 0))
	if !ok || got != step {
		t.Errorf("Match = %d, %v; want the later step %d", got, ok, step)
	}
}

// keyWithATwin looks for a step whose code is that of two steps before, too.
func keyWithATwin(t *testing.T) (key Key, code string, step int64) {
	t.Helper()
	key = rfcKey(t)
	out := oathtool(t, "-w", "3000000", "--hotp", "-b", key.Text())
	codes := strings.Fields(out)
	for i := 2; i < len(codes); i++ {
		if codes[i] == codes[i-2] {
			return key, codes[i], int64(i)
		}
	}
	t.Fatal("no two such steps among three million")
	return
}

// oathtool is a judge from outside: another program that makes the codes.
func oathtool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("oathtool", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("oathtool %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestMatchAgreesWithOathtool(t *testing.T) {
	for range 20 {
		key := NewKey()
		at := time.Unix(rand.Int64N(1<<33), 0).UTC()
		code := oathtool(t, "--totp", "-b", key.Text(), "--now", at.Format("2006-01-02 15:04:05 UTC"))
		if step, ok := Match(key, code, at); !ok || step != at.Unix()/30 {
			t.Errorf("oathtool says %s at %v for this key; Match = %d, %v", code, at, step, ok)
		}
	}
}

func TestNoKeyMatchesNothing(t *testing.T) {
	if _, ok := Match(Key{}, "755224", time.Unix(0, 0)); ok {
		t.Error("a code matched without a key")
	}
	// HMAC fills keys up with zeroes, so this is what an empty key would say.
	code := oathtool(t, "--hotp", "-c", "0", "00")
	if _, ok := Match(Key{}, code, time.Unix(0, 0)); ok {
		t.Errorf("the code %s of an empty key matched", code)
	}
}

func TestThereIsNoStepBeforeTheEpoch(t *testing.T) {
	code := oathtool(t, "--hotp", "-c", "18446744073709551615", "-b", rfcKey(t).Text()) // -1, unsigned
	if step, ok := Match(rfcKey(t), code, time.Unix(0, 0)); ok {
		t.Errorf("the code of step %d matched", step)
	}
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, typed, code string }{
		{"plain", "005924", "005924"},
		{"in two groups", "005 924", "005924"},
		{"with a hyphen", "005-924", "005924"},
		{"spaces everywhere", " 0 0\t5\u00a09\u2009 2 4\r\n", "005924"},
		{"other dashes", "00\u201059\u221224", "005924"},
		{"a Japanese hyphen", "005ー924", "005924"},
		{"full width", "００５９２４", "005924"},
		{"full width with its space", "００５　９２４", "005924"},
		{"Arabic-Indic", "٠٠٥٩٢٤", "005924"},
		{"Persian", "۰۰۵۹۲۴", "005924"},
		{"Devanagari", "००५९२४", "005924"},
		{"mathematical", "𝟘𝟘𝟝𝟡𝟚𝟜", "005924"},
		{"invisible marks around", "\u202a\ufeff005924\u200b\u202c", "005924"},

		{"nothing", "", ""},
		{"only spaces", "   ", ""},
		{"five digits", "00592", ""},
		{"seven digits", "0059240", ""},
		{"eight digits", "89005924", ""},
		{"a letter O", "O05924", ""},
		{"a sign", "+05924", ""},
		{"a decimal point", "005.924", ""},
		{"a Roman numeral", "Ⅻ5924", ""},
		{"a superscript is a digit in NFKC", "00592⁴", "005924"},
		{"words around", "code 005924", ""},
		{"a zero byte", "005924\x00", ""},
		{"not UTF-8", "005924\xff", ""},
		{"a recovery code", "ABCD-EFGH-JKMN-PQRS", ""},
		{"long", strings.Repeat(" ", 300) + "005924", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, ok := Clean(tt.typed)
			if code != tt.code || ok != (tt.code != "") {
				t.Errorf("Clean(%q) = %q, %v; want %q", tt.typed, code, ok, tt.code)
			}
		})
	}
}

// Every script has its ten digits together, so they count up from a zero to a
// nine before anything else comes.
func TestDigitsOfEveryScriptHaveTheirValue(t *testing.T) {
	zeros := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsDigit(r) {
			continue
		}
		value := digit(r)
		if value < 0 || value > 9 {
			t.Fatalf("%U has the value %d", r, value)
		}
		if value == 0 {
			zeros++
		}
		if unicode.IsDigit(r+1) && digit(r+1) != (value+1)%10 {
			t.Errorf("%U is %d and %U after it %d", r, value, r+1, digit(r+1))
		}
		if !unicode.IsDigit(r+1) && value != 9 {
			t.Errorf("%U is the last of its script and has the value %d", r, value)
		}
	}
	if zeros < 50 {
		t.Errorf("%d scripts have a zero, want at least fifty", zeros)
	}
}

func TestDriftTellsHowFarThePhoneIsOff(t *testing.T) {
	now := time.Unix(1234567890, 0)
	for _, tt := range []struct {
		name  string
		phone time.Duration // ahead of us
		found bool
	}{
		{"right", 0, false},
		{"a step ahead", 30 * time.Second, false},
		{"a step behind", -30 * time.Second, false},
		{"two steps ahead", time.Minute, true},
		{"two steps behind", -time.Minute, true},
		{"7 minutes ahead", 7 * time.Minute, true},
		{"7 minutes behind", -7 * time.Minute, true},
		{"an hour ahead", time.Hour, true},
		{"an hour behind", -time.Hour, true},
		{"more than an hour ahead", time.Hour + 30*time.Second, false},
		{"more than an hour behind", -time.Hour - 30*time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := now.Add(tt.phone).UTC()
			code := oathtool(t, "--totp", "-b", rfcKey(t).Text(), "--now", at.Format("2006-01-02 15:04:05 UTC"))
			off, ok := Drift(rfcKey(t), code, now)
			if ok != tt.found || (ok && off != tt.phone) {
				t.Errorf("Drift(%s) = %v, %v; want %v, %v", code, off, ok, tt.phone, tt.found)
			}
		})
	}
	for _, wrong := range []string{"", "12345", "000000x"} {
		if off, ok := Drift(rfcKey(t), wrong, now); ok || off != 0 {
			t.Errorf("Drift(%q) = %v, %v", wrong, off, ok)
		}
	}
}

func TestLeft(t *testing.T) {
	start := time.Unix(1234567890, 0) // a step begins here
	for _, tt := range []struct{ into, left time.Duration }{
		{0, 30 * time.Second},
		{time.Nanosecond, 30*time.Second - time.Nanosecond},
		{29 * time.Second, time.Second},
		{30*time.Second - time.Nanosecond, time.Nanosecond},
		{30 * time.Second, 30 * time.Second},
	} {
		if got := Left(start.Add(tt.into)); got != tt.left {
			t.Errorf("%v into a step, %v are left, want %v", tt.into, got, tt.left)
		}
	}
}

func TestKeyComesBackFromItsBytes(t *testing.T) {
	key := NewKey()
	if len(key.Bytes()) != 20 || len(key.Text()) != 32 || key.IsZero() {
		t.Fatalf("a new key has %d bytes and %d characters", len(key.Bytes()), len(key.Text()))
	}
	back, err := KeyFromBytes(key.Bytes())
	if err != nil || back.Text() != key.Text() {
		t.Errorf("another key came back: %v", err)
	}
	if NewKey().Text() == key.Text() {
		t.Error("two new keys are equal")
	}
	for _, length := range []int{0, 10, 19, 21, 32} {
		if _, err := KeyFromBytes(make([]byte, length)); err == nil {
			t.Errorf("a key of %d bytes was taken", length)
		}
	}
}

// RFC 6238's key, as the base32 command of Debian writes it.
func TestKeyAsTextIsWhatAppsRead(t *testing.T) {
	key := rfcKey(t)
	if got := key.Text(); got != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" {
		t.Errorf("Text = %s", got)
	}
	if got := key.Grouped(); got != "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" {
		t.Errorf("Grouped = %s", got)
	}
	var none Key
	if none.Text() != "" || none.Grouped() != "" || none.Bytes() != nil || !none.IsZero() {
		t.Error("the zero key has a value")
	}
}

func TestKeysDoNotPrintThemselves(t *testing.T) {
	key := rfcKey(t)
	type below struct{ key Key }
	for name, value := range map[string]any{
		"key": key, "pointer": &key, "slice": []Key{key}, "field": struct{ Key Key }{key}, "unexported field": below{key},
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
		for _, form := range []string{
			key.Text(), string(key.Bytes()), hex.EncodeToString(key.Bytes()), strings.Trim(fmt.Sprint(key.Bytes()), "[]"),
		} {
			if strings.Contains(strings.ToLower(printed.String()), strings.ToLower(form)) {
				t.Errorf("%s printed the key: %s", name, printed.String())
			}
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{"", "005924", "005 924", "٠٠٥٩٢٤", "００５−９２４", "0059240", "\xff", "𝟘𝟘𝟝𝟡𝟚𝟜", "ABCD-EFGH"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := Clean(typed)
		if !ok {
			if code != "" {
				t.Fatalf("Clean(%q) refused and gave %q", typed, code)
			}
			return
		}
		if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
			t.Fatalf("Clean(%q) = %q", typed, code)
		}
		if again, ok := Clean(code); !ok || again != code {
			t.Fatalf("Clean(%q) = %q, and of that %q", typed, code, again)
		}
	})
}
