package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTokenComesBackAsItWasRevealed(t *testing.T) {
	token := New()
	if got := len(token.Reveal()); got != 43 {
		t.Fatalf("a revealed token has %d characters, want 43", got)
	}
	back, ok := Parse(token.Reveal())
	if !ok || !back.Equal(token) || !back.Hash().Equal(token.Hash()) {
		t.Error("Parse(Reveal()) gave another token")
	}
	if New().Equal(token) {
		t.Error("two new tokens are equal")
	}
}

// The hash is that of the 32 bytes, not of their text: SHA-256 of 32 zero
// bytes, as sha256sum prints it.
func TestHashIsSHA256OfTheBits(t *testing.T) {
	token, ok := Parse(strings.Repeat("A", 43))
	if !ok {
		t.Fatal("a token of zero bits was refused")
	}
	const want = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925"
	if got := fmt.Sprintf("%x", token.Hash()); got != want {
		t.Errorf("hash %s, want %s", got, want)
	}
}

func TestParseRefusesEveryOtherSpelling(t *testing.T) {
	good := "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	if _, ok := Parse(good); !ok {
		t.Fatalf("Parse(%q) refused a good token", good)
	}
	for name, bad := range map[string]string{
		"nothing":             "",
		"one character short": good[1:],
		"one character more":  good + "A",
		"padding":             good + "=",
		"padding inside":      good[:42] + "=",
		"loose last bits":     good[:42] + "9",
		"a line end":          good[:20] + "\n" + good[21:],
		"a line end for one":  strings.Repeat("A", 42) + "\n",
		"a line end added":    good + "\n",
		"a space before":      " " + good[1:],
		"the other alphabet":  "+" + good[1:],
		"a slash":             "/" + good[1:],
		"beyond ASCII":        "é" + good[2:],
	} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%s: Parse(%q) was taken", name, bad)
		}
	}
}

func TestNoTokenOpensNothing(t *testing.T) {
	var none Token
	if !none.IsZero() || New().IsZero() {
		t.Error("IsZero is wrong")
	}
	if none.Reveal() != "" || !none.Hash().IsZero() {
		t.Error("the zero token has a value")
	}
	if none.Equal(none) || none.Hash().Equal(none.Hash()) {
		t.Error("no token equals no token")
	}
	if none.Equal(New()) || New().Equal(none) {
		t.Error("no token equals a token")
	}
}

func TestSecretsDoNotPrintThemselves(t *testing.T) {
	token := New()
	const password = Text("correct horse battery staple")
	type inside struct {
		Token Token
		Text  Text
	}
	type below struct{ token Token }
	for name, value := range map[string]any{
		"token":              token,
		"pointer to token":   &token,
		"text":               password,
		"both in a struct":   inside{token, password},
		"slice":              []Token{token},
		"unexported field":   below{token},
		"pointer to a field": &below{token},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10.3v"} {
			refuseLeak(t, name+" "+verb, fmt.Sprintf(verb, value), token, password)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatalf("%s as JSON: %v", name, err)
		}
		refuseLeak(t, name+" JSON", string(encoded), token, password)

		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", value)
		refuseLeak(t, name+" log", log.String(), token, password)
	}
}

func refuseLeak(t *testing.T, where, printed string, token Token, password Text) {
	t.Helper()
	bits, err := base64.RawURLEncoding.DecodeString(token.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{
		token.Reveal(),
		fmt.Sprintf("%x", bits), fmt.Sprintf("%X", bits), fmt.Sprintf("%d", bits), string(bits),
		password.Reveal(), fmt.Sprintf("%x", password.Reveal()), fmt.Sprintf("%X", password.Reveal()),
	} {
		if strings.Contains(printed, strings.Trim(secret, "[]")) {
			t.Errorf("%s printed the secret: %s", where, printed)
		}
	}
}

func TestHashGoesThroughTheDatabase(t *testing.T) {
	for name, hash := range map[string]Hash{"a hash": New().Hash(), "no hash": {}} {
		stored, err := hash.Value()
		if err != nil {
			t.Fatal(err)
		}
		back := New().Hash() // something that Scan must overwrite
		if err := back.Scan(stored); err != nil || back != hash {
			t.Errorf("%s: came back as %x, %v; want %x", name, back, err, hash)
		}
	}
	if stored, _ := (Hash{}).Value(); stored != nil {
		t.Errorf("the zero hash is stored as %v, want NULL", stored)
	}
}

func TestScanKeepsNoHoldOfTheDriversBytes(t *testing.T) {
	lent := bytes.Repeat([]byte{7}, 32)
	var hash Hash
	if err := hash.Scan(lent); err != nil {
		t.Fatal(err)
	}
	lent[0] = 8
	if hash[0] != 7 {
		t.Error("the hash changed with the driver's buffer")
	}
}

func TestScanRefusesWhatIsNoHash(t *testing.T) {
	for _, stored := range []any{[]byte{}, make([]byte, 31), make([]byte, 33), strings.Repeat("a", 32), int64(1)} {
		var hash Hash
		if err := hash.Scan(stored); err == nil {
			t.Errorf("Scan(%T of %v) was taken", stored, stored)
		}
	}
}

func TestHashEqualComparesEveryByte(t *testing.T) {
	hash := New().Hash()
	for i := range hash {
		other := hash
		other[i] ^= 1
		if hash.Equal(other) {
			t.Errorf("a hash that differs in byte %d is equal", i)
		}
	}
	if !hash.Equal(hash) {
		t.Error("a hash is not equal to itself")
	}
}

func TestIDsAreShortLowerCaseAndDifferent(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := NewID()
		if len(id) != 26 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("NewID() = %q", id)
		}
		if seen[id] {
			t.Fatalf("NewID() gave %q twice", id)
		}
		seen[id] = true
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", New().Reveal(), strings.Repeat("A", 43), strings.Repeat("_", 43), "AAAA\nAAAA"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		token, ok := Parse(typed)
		if ok != (token.Reveal() != "") {
			t.Fatalf("Parse(%q) = %v with a token %q", typed, ok, token.Reveal())
		}
		if ok && token.Reveal() != typed {
			t.Errorf("Parse(%q) took a second spelling of %q", typed, token.Reveal())
		}
	})
}

func TestIDsOfOneMomentLieTogether(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 12, 0, time.UTC)
	one, other, later := NewIDAt(at), NewIDAt(at), NewIDAt(at.AddDate(1, 0, 0))
	if len(one) != 26 || one == other || one[:9] != other[:9] || one[:9] == later[:9] {
		t.Errorf("%s and %s are of one moment, %s is not", one, other, later)
	}
}
