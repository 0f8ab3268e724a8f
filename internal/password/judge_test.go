package password

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var anna = []string{"anna.wojtkiewicz@mail.example.org", "Anna Wojtkiewicz", "login.example.org", "Bücherei Süd"}

func TestGoodPasswordsNeedNoKindsOfCharacters(t *testing.T) {
	good := map[string]string{
		"15 letters and spaces":                 "my dog eats hay",
		"small letters only":                    "gardenlanternsevenkettle",
		"a passphrase":                          "correct horse battery staple",
		"German":                                "mein hund frisst heu",
		"12 letters":                            "kvwmtqzbpfxh",
		"leading and trailing space":            " kvwm tqzbpf ",
		"emoji":                                 "🦊🐙🌵🚲🎈🍋🧊🪁🎻🐝🥨🛶",
		"64 four-byte code points":              fourByte(64),
		"256 four-byte code points":             fourByte(256),
		"Cyrillic":                              "бабушка варит вкусный борщ",
		"Japanese":                              "私の犬は干し草を食べるよ",
		"own name among much else":              "anna has seven purple kettles",
		"product's name among much else":        "the twin lockers went swimming",
		"an entry of the list among others":     "seven monkey lanterns drift",
		"random letters after the own name":     "wojtkiewicz-kvwmtqzbpfxh",
		"words that hold a repeat of their own": "coconut banana mississippi",
	}
	for name, password := range good {
		t.Run(name, func(t *testing.T) {
			if v := (Rules{}).Judge(password, anna); !v.Accepted() || v.Score < 3 {
				t.Errorf("Judge(%q) = %+v, want it accepted", password, v)
			}
		})
	}
}

// fourByte gives n different characters of four bytes each.
func fourByte(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteRune(rune(0x1F300 + i*7%509))
	}
	return b.String()
}

func TestBadPasswordsAreRefusedWithTheReason(t *testing.T) {
	bad := map[string]struct {
		password string
		want     Reason
	}{
		"nothing":                             {"", TooShort},
		"11 characters":                       {"kvwmtqzbpfx", TooShort},
		"11 emoji of four bytes":              {fourByte(11), TooShort},
		"11 letters typed in two strokes":     {strings.Repeat("u\u0308a\u0301", 5) + "o\u0302", TooShort},
		"one sign that NFKC spells out":       {"\uFDFA", TooShort},
		"257 characters":                      {fourByte(257), TooLong},
		"a megabyte":                          {strings.Repeat("kvwmtqzbpfxh", 90_000), TooLong},
		"listed":                              {"unbelievable", Common},
		"listed, in capitals":                 {"UnbelievablE", Common},
		"listed, in full-width letters":       {"ｕｎｂｅｌｉｅｖａｂｌｅ", Common},
		"listed, digits behind":               {"dragon20242025", Disguised},
		"listed, digits and signs around":     {"!!2024 Sunshine 2024!!", Disguised},
		"listed, spaces around":               {"    sunshine    ", Disguised},
		"listed, emoji around":                {"🌞🌞🌞sunshine🌞🌞🌞", Disguised},
		"listed, twice":                       {"sunshinesunshine", Disguised},
		"listed, one letter held down":        {"sunshiiiiiiiiiine", Disguised},
		"listed, signs for letters":           {"$un5h1ne????", Disguised},
		"listed, a digit cut with the rest":   {"1q2w3e4r5t....", Disguised},
		"listed, a sign for its first letter": {"$up3rman????", Disguised},
		"two listed, signs for letters":       {"dr4g0n m0nk3y", Guessable},
		"product's name padded":               {"twinlock1234", OwnWords},
		"product's name twice":                {"TwinlockTwinlock", OwnWords},
		"product's name, signs for letters":   {"Tw1nl0ck!!2026", OwnWords},
		"product's name taken apart":          {"twin-lock-2026-xyz", OwnWords},
		"own name and a year":                 {"Wojtkiewicz-1985-!", OwnWords},
		"both own names":                      {"annawojtkiewiczanna", OwnWords},
		"site's host name":                    {"login.example.org", OwnWords},
		"site's title":                        {"BÜCHEREI süd 24", OwnWords},
		"a row of keys":                       {"asdfghjkl;'#", Disguised},
		"a row of digits":                     {"481516234200", Guessable},
		"one letter":                          {"aaaaaaaaaaaaaaa", Guessable},
		"one emoji":                           {strings.Repeat("🦊", 64), Guessable},
		"two emoji in turn":                   {strings.Repeat("🦊🐙", 32), Guessable},
		"six characters twenty times":         {strings.Repeat("qX7$kz", 20), Guessable},
		"six characters and a bit":            {strings.Repeat("qX7$kz", 20) + "qX7", Guessable},
		"seven characters four times":         {strings.Repeat("qX7$kzP", 4), Guessable},
		"common words with double letters":    {"tell sally hello", Guessable},
		"two common words":                    {"i love london", Guessable},
	}
	for name, test := range bad {
		t.Run(name, func(t *testing.T) {
			v := (Rules{}).Judge(test.password, anna)
			if v.Accepted() || v.Reason != test.want || v.Score > 2 {
				t.Errorf("Judge(%.60q) = %+v, want reason %q and a score of 2 at most", test.password, v, test.want)
			}
		})
	}
}

func TestTheMaximumAndTheScoreAreSettings(t *testing.T) {
	long := strings.Repeat("k9 Wm-tz4! ", 7)[:65]
	if v := (Rules{Maximum: 64}).Judge(long, nil); v.Reason != TooLong || v.Limit != 64 {
		t.Errorf("65 characters of at most 64: %+v, want %q and the limit", v, TooLong)
	}
	if v := (Rules{Maximum: 999}).Judge(strings.Repeat("x", Longest+1), nil); v.Reason != TooLong || v.Limit != Longest {
		t.Errorf("one more than the longest: %+v, want %q and %d", v, TooLong, Longest)
	}
	const guessable = "i love london"
	if v := (Rules{}).Judge(guessable, nil); v.Reason != Guessable {
		t.Errorf("at the usual score: %+v, want %q", v, Guessable)
	}
	if v := (Rules{Score: 1}).Judge(guessable, nil); !v.Accepted() {
		t.Errorf("where the score may be 1: %+v, want it accepted", v)
	}
}

func TestOwnWordsAreOnlyTheirOwners(t *testing.T) {
	const password = "zbigniewa-4827-kaczmarczyk"
	if v := (Rules{}).Judge(password, anna); !v.Accepted() {
		t.Errorf("for Anna: %+v, want it accepted", v)
	}
	if v := (Rules{}).Judge(password, []string{"zbigniewa@kaczmarczyk.example"}); v.Reason != OwnWords {
		t.Errorf("for Zbigniewa: %+v, want %q", v, OwnWords)
	}
}

func TestANameOfTwoLettersIsInTooManyPasswords(t *testing.T) {
	const password = "73-11-90-46-82-55"
	if v := (Rules{}).Judge(password, []string{"Li"}); !v.Accepted() {
		t.Errorf("Judge(%q) = %+v, want it accepted: the 11 is not meant for Li", password, v)
	}
}

func TestTheMinimumIsASetting(t *testing.T) {
	tests := []struct {
		minimum int
		length  int
		want    Reason
	}{
		{0, 11, TooShort}, {0, 12, Good},
		{15, 14, TooShort}, {15, 15, Good},
		{8, 7, TooShort}, {8, 8, Good},
		{1, 7, TooShort}, {1, 8, Good},
		{-5, 7, TooShort},
	}
	for _, test := range tests {
		password := "Kv9wMt2qZb5pFxh"[:test.length]
		if v := (Rules{Minimum: test.minimum}).Judge(password, nil); v.Reason != test.want {
			t.Errorf("minimum %d, %d characters: %+v, want %q", test.minimum, test.length, v, test.want)
		}
	}
}

func TestTheZeroVerdictRefuses(t *testing.T) {
	if (Verdict{}).Accepted() {
		t.Error("a verdict that nobody gave accepts")
	}
}

func TestEntriesOfTheListAreRefused(t *testing.T) {
	eight := []string{
		"password", "superman", "trustno1", "jennifer", "sunshine", "starwars", "computer", "corvette", "princess", "midnight",
		"1qaz2wsx", "qwertyui", "baseball", "football", "michelle", "victoria", "samantha", "maverick", "snowball", "whatever",
	}
	fifteen := []string{
		"mailcreated5240", "polniypizdec0211", "123456789987654321", "1qaz2wsx3edc4rfv", "momsanaladventure",
		"hd764nw5d7e1vb1", "qazwsxedcrfvtgb", "23176djivanfros", "123456789qwerty", "12345678900987654321",
		"12345678987654321", "zqjphsyf6ctifgu", "lhbjkjubz2957704", "1qazxsw23edcvfr4", "nemvxyheqdd5oqxyxyzi",
		"passwordpassword", "bpgjldsgjldthnf", "122333444455555", "nick1234-rem936", "ne_e_pod_chehyl",
	}
	for _, entry := range append(eight, fifteen...) {
		if v := (Rules{Minimum: 8}).Judge(entry, nil); v.Reason != Common {
			t.Errorf("Judge(%q) = %+v, want %q", entry, v, Common)
		}
	}
	for _, entry := range eight {
		if v := (Rules{}).Judge(entry+"_2026!", nil); v.Reason != Disguised {
			t.Errorf("Judge(%q) = %+v, want %q", entry+"_2026!", v, Disguised)
		}
	}
}

func TestRandomPasswordsAreAccepted(t *testing.T) {
	for range 200 {
		password := rand.Text()[:20]
		if v := (Rules{}).Judge(password, anna); !v.Accepted() {
			t.Errorf("Judge(%q) = %+v", password, v)
		}
	}
}

// Every character here can be read as a letter, in more ways than there is time
// to try.
func TestJudgingTakesLittleTimeWhateverIsTyped(t *testing.T) {
	signs := "4@({[<3690!1|/7$5+72%"
	for _, password := range []string{strings.Repeat(signs, 12), shuffled(signs, 256), strings.Repeat("ab", 64) + strings.Repeat("abc", 42), strings.Repeat("\uFDFA", 256)} {
		begin := time.Now()
		(Rules{}).Judge(password, anna)
		if took := time.Since(begin); took > 250*time.Millisecond {
			t.Errorf("Judge(%.40q…) took %v", password, took)
		}
	}
}

// shuffled gives n of the signs in an order without repeats.
func shuffled(signs string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteByte(signs[i*i*7%len(signs)])
	}
	return b.String()
}

func FuzzJudgeSurvivesAnyPassword(f *testing.F) {
	f.Add("correct horse battery staple", "anna@example.org")
	f.Add("\xff\xfe\xffaaaaaaaaaaaa", "\xff")
	f.Add(fourByte(64), "🦊🦊🦊")
	f.Fuzz(func(t *testing.T, password, own string) {
		v := (Rules{}).Judge(password, []string{own})
		n := utf8.RuneCountInString(password)
		if v.Accepted() && (n < 12 || n > Longest || v.Score < 3) {
			t.Errorf("Judge(%q, %q) = %+v", password, own, v)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	for b.Loop() {
		(Rules{}).Judge("correct horse battery staple", anna)
	}
}
