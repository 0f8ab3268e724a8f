package keys

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const row = "users/ada/key"

func seal(t *testing.T, r *Ring, plain string) []byte {
	t.Helper()
	sealed, err := r.Seal([]byte(plain), row)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestSealedBytesOpenInTheirRow(t *testing.T) {
	ring := New()
	for _, plain := range []string{"", "x", "12345678901234567890", strings.Repeat("long ", 1000)} {
		sealed := seal(t, ring, plain)
		if len(plain) > 8 && bytes.Contains(sealed, []byte(plain)) {
			t.Errorf("the sealed form of %.20q shows it", plain)
		}
		got, old, err := ring.Open(sealed, row)
		if err != nil || old || string(got) != plain {
			t.Errorf("Open = %.20q, %v, %v; want %.20q", got, old, err, plain)
		}
	}
}

func TestSameBytesAreSealedDifferentlyEachTime(t *testing.T) {
	ring := New()
	if bytes.Equal(seal(t, ring, "same"), seal(t, ring, "same")) {
		t.Error("two seals of the same bytes are equal")
	}
}

func TestSealedBytesOpenNowhereElse(t *testing.T) {
	ring := New()
	sealed := seal(t, ring, "plain")
	for _, other := range []string{"", "users/eve/key", row + "x", row[1:]} {
		refuseOpen(t, "in row "+other, ring, sealed, other)
	}
	refuseOpen(t, "with another ring", New(), sealed, row)
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		refuseOpen(t, fmt.Sprintf("with byte %d altered", i), ring, altered, row)
		refuseOpen(t, fmt.Sprintf("cut to %d bytes", i), ring, sealed[:i], row)
	}
	refuseOpen(t, "with a byte more", ring, append(bytes.Clone(sealed), 0), row)
}

// Were the head outside of the seal, the form of a later version could be
// passed off as one of this version.
func TestTheHeadIsPartOfTheSeal(t *testing.T) {
	ring := New()
	sealed := seal(t, ring, "plain")
	h := ring.held()
	if _, err := h.keys[0].aead.Open(nil, nil, sealed[1+idLength:], []byte(row)); err == nil {
		t.Error("the body opens without its head")
	}
}

func refuseOpen(t *testing.T, how string, ring *Ring, sealed []byte, row string) {
	t.Helper()
	plain, old, err := ring.Open(sealed, row)
	if !errors.Is(err, ErrUnreadable) || plain != nil || old {
		t.Errorf("opened %s: %q, %v, %v", how, plain, old, err)
	}
}

func TestARowWithoutNameIsNotSealed(t *testing.T) {
	if sealed, err := New().Seal([]byte("plain"), ""); err == nil {
		t.Errorf("sealed for no row: %x", sealed)
	}
}

func TestANewKeyLeavesEverythingReadable(t *testing.T) {
	first := New()
	sealed := seal(t, first, "from before")
	second := first.WithNewKey()

	plain, old, err := second.Open(sealed, row)
	if string(plain) != "from before" || !old || err != nil {
		t.Errorf("Open = %q, %v, %v; want the bytes and that they are old", plain, old, err)
	}
	again := seal(t, second, "from now")
	if _, old, err := second.Open(again, row); old || err != nil {
		t.Errorf("bytes sealed by the newest key: old %v, %v", old, err)
	}
	refuseOpen(t, "by the ring from before", first, again, row)
}

func TestDerivedValuesOutliveANewKey(t *testing.T) {
	ring := New()
	before := ring.Derive("csrf", []byte("input"))
	if ring.WithNewKey().Derive("csrf", []byte("input")) != before {
		t.Error("a new sealing key changed a derived value")
	}
	back, err := Parse(ring.Text())
	if err != nil || back.Derive("csrf", []byte("input")) != before {
		t.Errorf("the value did not survive the file: %v", err)
	}
}

func TestDerivedValuesDependOnEverything(t *testing.T) {
	ring := New()
	seen := map[[32]byte]string{}
	for name, value := range map[string][32]byte{
		"plain":         ring.Derive("purpose", []byte("input")),
		"other purpose": ring.Derive("purposes", []byte("input")),
		"other input":   ring.Derive("purpose", []byte("inputs")),
		"cut elsewhere": ring.Derive("purposei", []byte("nput")),
		"no input":      ring.Derive("purpose", nil),
		"other ring":    New().Derive("purpose", []byte("input")),
	} {
		if twin, ok := seen[value]; ok {
			t.Errorf("%s and %s derive the same value", name, twin)
		}
		seen[value] = name
	}
}

func TestFingerprintTellsRingsApart(t *testing.T) {
	first := New()
	second := first.WithNewKey()
	third := second.WithNewKey()
	for _, tt := range []struct {
		name  string
		ring  *Ring
		print string
		want  bool
	}{
		{"itself", first, first.Fingerprint(), true},
		{"a ring that got newer keys since", third, first.Fingerprint(), true},
		{"a ring that got one newer key since", third, second.Fingerprint(), true},
		{"a copy from before the newest key", second, third.Fingerprint(), false},
		{"a foreign ring", New(), first.Fingerprint(), false},
		{"no fingerprint", first, "", false},
	} {
		if tt.ring.Holds(tt.print) != tt.want {
			t.Errorf("%s: Holds is %v, want %v", tt.name, !tt.want, tt.want)
		}
	}
	back, err := Parse(third.Text())
	if err != nil || back.Fingerprint() != third.Fingerprint() {
		t.Errorf("the fingerprint did not survive the file: %v", err)
	}
	otherRoot := ringOf(held{root: fresh(), keys: first.held().keys})
	if otherRoot.Holds(first.Fingerprint()) {
		t.Error("a ring with another root passes for the same")
	}
}

func TestRingsDoNotPrintThemselves(t *testing.T) {
	ring := New()
	type below struct{ ring *Ring }
	for name, value := range map[string]any{
		"ring": ring, "ring by value": *ring, "unexported field": below{ring}, "slice": []*Ring{ring},
	} {
		var printed strings.Builder
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&printed, verb+"\n", value)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		printed.Write(encoded)
		slog.New(slog.NewJSONHandler(&printed, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&printed, nil)).Info("x", "value", value)
		for _, raw := range [][32]byte{ring.held().root, ring.held().keys[0].raw} {
			for _, form := range []string{
				encoding.EncodeToString(raw[:]), hex.EncodeToString(raw[:]),
				strings.Trim(fmt.Sprint(raw), "[]"), string(raw[:]),
			} {
				if strings.Contains(printed.String(), form) {
					t.Errorf("%s printed a key: %s", name, printed.String())
				}
			}
		}
	}
}

func TestParseReadsWhatTextGave(t *testing.T) {
	ring := New().WithNewKey().WithNewKey()
	for name, text := range map[string][]byte{
		"as written":         ring.Text(),
		"line ends of DOS":   bytes.ReplaceAll(ring.Text(), []byte("\n"), []byte("\r\n")),
		"no last line end":   bytes.TrimSpace(ring.Text()),
		"comment in between": bytes.Replace(ring.Text(), []byte("root"), []byte("# mine\n\nroot"), 1),
	} {
		back, err := Parse(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(back.Text(), ring.Text()) {
			t.Errorf("%s: another ring came back", name)
		}
	}
}

func TestParseRefusesWhatIsNoKeyFile(t *testing.T) {
	const (
		a = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
		b = "BAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
		c = "CAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	)
	if _, err := Parse([]byte(fileHead + "\nroot " + a + "\nkey " + b)); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"nothing":            "",
		"only comments":      "# a\n\n# b\n",
		"no head":            "root " + a + "\nkey " + b,
		"a later version":    "twinlock-keys 2\nroot " + a + "\nkey " + b,
		"no root":            fileHead + "\nkey " + b,
		"no key":             fileHead + "\nroot " + a,
		"key before root":    fileHead + "\nkey " + b + "\nroot " + a,
		"two roots":          fileHead + "\nroot " + a + "\nroot " + b + "\nkey " + c,
		"two heads":          fileHead + "\n" + fileHead + "\nroot " + a + "\nkey " + b,
		"the same key twice": fileHead + "\nroot " + a + "\nkey " + b + "\nkey " + b,
		"root as a key":      fileHead + "\nroot " + a + "\nkey " + a,
		"an unknown word":    fileHead + "\nroot " + a + "\nkey " + b + "\nsalt " + c,
		"a key cut short":    fileHead + "\nroot " + a + "\nkey " + b[:42],
		"a key too long":     fileHead + "\nroot " + a + "\nkey " + b + "A",
		"padding":            fileHead + "\nroot " + a + "\nkey " + b + "=",
		"loose last bits":    fileHead + "\nroot " + a + "\nkey " + b[:42] + "9",
		"a key of zeroes":    fileHead + "\nroot " + a + "\nkey " + strings.Repeat("A", 43),
		"a root of zeroes":   fileHead + "\nroot " + strings.Repeat("A", 43) + "\nkey " + b,
	} {
		ring, err := Parse([]byte(text))
		if err == nil || ring != nil {
			t.Errorf("%s: taken", name)
			continue
		}
		for _, quoted := range []string{a, b[:42], c} {
			if strings.Contains(err.Error(), quoted) {
				t.Errorf("%s: the error quotes a key: %v", name, err)
			}
		}
	}
}

func TestCreatedFileOpensAgain(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keys")
	made, err := CreateFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v; want 0600", info.Mode(), err)
	}
	opened, err := OpenFile(path)
	if err != nil || opened.Fingerprint() != made.Fingerprint() {
		t.Errorf("another ring came back: %v", err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("%d files were left in the folder, want 1", len(entries))
	}
}

func TestCreateFileNeverReplacesAFile(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "keys")
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateFile(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("CreateFile over a file: %v, want fs.ErrExist", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("the file now holds %q", text)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("%d files were left in the folder, want 1", len(entries))
	}
}

func TestOpenFileRefusesAFileThatOthersMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if _, err := CreateFile(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o601, 0o644, 0o666} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err == nil {
			t.Errorf("a file of mode %#o was opened", mode)
		}
	}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenFile(path); err != nil {
			t.Errorf("a file of mode %#o was refused: %v", mode, err)
		}
	}
}

func TestOpenFileRefusesWhatIsNoKeyFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := OpenFile(filepath.Join(folder, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want fs.ErrNotExist", err)
	}
	if _, err := OpenFile(folder); err == nil {
		t.Error("a folder was opened")
	}
	long := filepath.Join(folder, "long")
	text := append(New().Text(), bytes.Repeat([]byte("# more\n"), longestFile/7+1)...)
	if err := os.WriteFile(long, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFile(long); err == nil {
		t.Error("an endless file was opened")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(New().Text())
	f.Add(New().WithNewKey().Text())
	f.Add([]byte(""))
	f.Add([]byte(fileHead + "\nroot x\nkey y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := Parse(text)
		if err != nil {
			return
		}
		back, err := Parse(ring.Text())
		if err != nil || back.Fingerprint() != ring.Fingerprint() {
			t.Fatalf("what Parse took does not come back: %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	ring := New()
	sealed, err := ring.Seal([]byte("plain"), row)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add(sealed[:20])
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, forged []byte) {
		if plain, _, err := ring.Open(forged, row); err == nil && !bytes.Equal(forged, sealed) {
			t.Fatalf("forged bytes opened as %q", plain)
		}
	})
}
