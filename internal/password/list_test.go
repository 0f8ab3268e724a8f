package password

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
)

func TestTheShippedListIsWhole(t *testing.T) {
	if err := Load(); err != nil {
		t.Fatal(err)
	}
}

func TestAMissingOrDamagedListIsAnError(t *testing.T) {
	flipped := bytes.Clone(shippedFile)
	flipped[len(flipped)/2] ^= 1
	none := sha256.Sum256(nil)
	damaged := map[string][]byte{
		"missing":                nil,
		"cut within the sum":     shippedFile[:sha256.Size-1],
		"cut":                    shippedFile[:len(shippedFile)-1],
		"one bit flipped":        flipped,
		"longer":                 append(bytes.Clone(shippedFile), 0),
		"a checksum and no list": none[:],
	}
	for name, file := range damaged {
		if _, err := readList(file); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAListKnowsItsEntriesAndTheirStems(t *testing.T) {
	entries := []string{"Sesame Öffne Dich", "abc", "mellon123", "sesame öffne dich"}
	file, err := BuildList(entries)
	if err != nil {
		t.Fatal(err)
	}
	list, err := readList(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"sesame öffne dich", "SESAME O\u0308FFNE DICH", "mellon123"} {
		if !list.has(password) {
			t.Errorf("%q is not on the list", password)
		}
	}
	for _, password := range []string{"mellon", "!mellon!", "m3llon99", "mellonmellon"} {
		if list.has(password) || !list.hasStemOf(password) {
			t.Errorf("%q: has %v, hasStemOf %v; want false, true", password, list.has(password), list.hasStemOf(password))
		}
	}
	for _, password := range []string{"abc", "abc4711", "friend", ""} {
		if list.has(password) || list.hasStemOf(password) {
			t.Errorf("%q is thought to be on the list", password)
		}
	}
}

func TestTheSameEntriesMakeTheSameFile(t *testing.T) {
	entries := []string{"sesame", "mellon", "friend", "enter"}
	one, errOne := BuildList(entries)
	two, errTwo := BuildList(entries)
	if errOne != nil || errTwo != nil || !slices.Equal(one, two) {
		t.Errorf("two files of the same entries differ (%v, %v)", errOne, errTwo)
	}
}

func TestAListOfNothingIsNotMade(t *testing.T) {
	for _, entries := range [][]string{nil, {"", "abc"}} {
		if _, err := BuildList(entries); err == nil {
			t.Errorf("BuildList(%q): no error", entries)
		}
	}
}

func TestStem(t *testing.T) {
	tests := map[string]string{
		"":                 "",
		"1234":             "",
		"🦊":                "",
		"Dragon":           "dragon",
		"2024dragon!?":     "dragon",
		"dra2024gon":       "dra2024gon",
		"password":         "pasword",
		"Passssword2024!":  "pasword",
		"passwordpassword": "pasword",
		"aabaab":           "ab",
		"banana":           "ban",
	}
	for password, want := range tests {
		if got := stem(password); got != want {
			t.Errorf("stem(%q) = %q, want %q", password, got, want)
		}
	}
}
