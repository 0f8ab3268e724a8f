package password

import (
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/ccojocar/zxcvbn-go"
	"github.com/ccojocar/zxcvbn-go/frequency"
	"github.com/ccojocar/zxcvbn-go/matching"
)

// judged is what the library says of a password.
func judged(password string, own []string) (bits float64, score int) {
	opinion := zxcvbn.PasswordStrength(password, own, matching.FilterL33tMatcher)
	return opinion.Entropy, opinion.Score
}

func TestTheLibraryCountsTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(12, 256))
	words := strings.Fields(strings.Join(slices.Concat(frequency.Lists["English"].List, frequency.Lists["Surname"].List, frequency.Lists["Passwords"].List), " "))
	own := []string{"anna", "wojtkiewicz", "twinlock"}
	parts := []func() string{
		func() string { return words[random.IntN(len(words))] },
		func() string { return words[random.IntN(100)] },
		func() string { w := words[random.IntN(len(words))]; return strings.ToUpper(w[:1]) + w[1:] },
		func() string { return strings.ToUpper(words[random.IntN(len(words))]) },
		func() string { return shouted(random, words[random.IntN(len(words))]) },
		func() string { return own[random.IntN(len(own))] },
		func() string { return among(random, "", " ", "-", "", ".", "!", "1", "77", "x") },
		func() string {
			return among(random, "asdf", "qwerty", "zxcvbn", "poiuy", "ASDfgh", "!@#$", "aoeu", "456", "7894", "-[=]", "1qaz")
		},
		func() string { return strings.Repeat(among(random, "a", "x", "7", "Z", "!"), 2+random.IntN(5)) },
		func() string {
			return among(random, "abc", "defghi", "xyz", "ABCD", "345", "CDEF", "zyx", "987", "ba", "8765")
		},
		func() string { return letters(random, 1+random.IntN(8)) },
	}
	for range 4000 {
		password := ""
		for range 1 + random.IntN(5) {
			password += parts[random.IntN(len(parts))]()
		}
		if known := knownDifference(password); known {
			continue
		}
		bits, score := judged(password, own)
		if ours := guessBits([]rune(password), own); math.Abs(ours-bits) > 0.001 || guessScore(password, own) != score {
			t.Errorf("%q: %.3f bits, score %d; the library counts %.3f, %d", password, ours, guessScore(password, own), bits, score)
		}
	}
}

func among(random *rand.Rand, s ...string) string { return s[random.IntN(len(s))] }

func letters(random *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('!' + random.IntN('~'-'!')))
	}
	return b.String()
}

// shouted gives a word with some of its letters as capitals.
func shouted(random *rand.Rand, word string) string {
	return strings.Map(func(r rune) rune {
		if random.IntN(3) == 0 {
			return []rune(strings.ToUpper(string(r)))[0]
		}
		return r
	}, word)
}

// knownDifference tells of what the library does not see as it should; the next
// test holds what is seen here.
func knownDifference(password string) bool {
	text := []rune(password)
	for _, p := range slices.Concat(knownWords(text, nil), knownWords(text, []string{"wojtkiewicz", "twinlock"})) {
		word := password[p.from:p.to]
		if last := word[len(word)-1:]; last != strings.ToLower(last) && strings.ToLower(word[:len(word)-1]) == word[:len(word)-1] {
			return true // a capital at the end of a word alone
		}
	}
	for _, end := range []string{"ba", "BA", "10"} { // the library counts one more to a sequence that goes down to its first sign
		if strings.Contains(password, end) {
			return true
		}
	}
	return len(dates(text)) > 0
}

func TestWhatTheLibraryDoesNotSeeIsSeen(t *testing.T) {
	for name, password := range map[string]string{
		"a capital at the end":           "elephanT",
		"a date at the end":              "kvwmtqz-24.12.1985",
		"a date of today":                "kvwmtqz-24.12.2026x",
		"a letter of two bytes, counted": "äöüßäöüß",
	} {
		if theirs, _ := judged(password, nil); guessBits([]rune(password), nil) > theirs-1 {
			t.Errorf("%s: %q has %.1f bits, and %.1f by the library", name, password, guessBits([]rune(password), nil), theirs)
		}
	}
}

func TestDatesAreSeenHoweverTheyAreWritten(t *testing.T) {
	for _, date := range []string{"24121985", "19851224", "241285", "851224", "24.12.1985", "1985-12-24", "12/24/85", "1_2_85", "1985 1 2", "2026-11-26", "3\\11\\26"} {
		found := dates([]rune("x" + date + "y"))
		if !slices.ContainsFunc(found, func(p pattern) bool { return p.from == 1 && p.to == 1+len(date) }) {
			t.Errorf("%q: found %v", date, found)
		}
	}
	for _, none := range []string{"99999999", "3113852", "1985-13-32", "24..12..85", "24.12.185", "24.12.3085", "2４121985", "24121"} {
		if found := dates([]rune(none)); len(found) > 0 && found[0].to == len([]rune(none)) && found[0].from == 0 {
			t.Errorf("%q: found %v", none, found)
		}
	}
}

func TestTheShippedWordsAreThoseOfTheLibrary(t *testing.T) {
	var lists [][]string
	for _, list := range frequency.Lists {
		lists = append(lists, list.List)
	}
	made, err := BuildWords(lists...)
	if err != nil {
		t.Fatal(err)
	}
	if string(made) != shippedWords {
		t.Errorf("words.ranked is not what the lists of the library make: run go generate ./internal/password")
	}
	for _, list := range lists {
		for i, word := range list {
			if rank := ranked(shippedWords).rank(strings.ToLower(word)); rank == 0 || rank > i+1 {
				t.Fatalf("%q is number %d of its list, and %d of ours", word, i+1, rank)
			}
		}
	}
}

func TestAListOfWordsKnowsItsWordsAndNoOthers(t *testing.T) {
	words := map[string]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	for len(words) < 100 {
		words[strings.ToLower(letters(random, 1+random.IntN(longestWord)))] = true
	}
	list := slices.Sorted(maps.Keys(words))
	made, err := BuildWords(list)
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range list {
		if rank := ranked(made).rank(word); rank != i+1 {
			t.Errorf("%q has rank %d, want %d", word, rank, i+1)
		}
		for _, other := range []string{word + "a", word[:len(word)-1], "0" + word, "~" + word, word + strings.Repeat("z", 40)} {
			if rank := ranked(made).rank(other); rank > 0 && !words[other] {
				t.Errorf("%q has rank %d and is not on the list", other, rank)
			}
		}
	}
	for _, wrong := range [][]string{nil, {""}, {"größe"}, {strings.Repeat("x", longestWord+1)}} {
		if _, err := BuildWords(wrong); err == nil {
			t.Errorf("a list was made of %q", wrong)
		}
	}
}

func TestWhereTheWordsComeFromIsSaid(t *testing.T) {
	text, err := os.ReadFile("words.ranked.LICENSE")
	if err != nil || !strings.Contains(string(text), "Permission is hereby granted") {
		t.Errorf("words.ranked.LICENSE: %v", err)
	}
}
