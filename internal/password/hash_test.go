package password

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func TestHashIsWhatTheGuideSays(t *testing.T) {
	h := Usual.Hash("correct horse battery staple")
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("Hash = %q", h)
	}
	if h == Usual.Hash("correct horse battery staple") {
		t.Error("two hashes of one password are the same: the salt is not fresh")
	}
	if ok, upgrade := Usual.Check(h, "correct horse battery staple"); !ok || upgrade {
		t.Errorf("Check = %v, upgrade %v; want true, false", ok, upgrade)
	}
}

func TestEveryCharacterCounts(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	changed := func(character int) string {
		return long[:character-1] + "x" + long[character:]
	}
	emoji := strings.Repeat("🦊🐙🌵🚲", 16)
	tests := map[string][2]string{
		"leading space":                {" my dog eats hay", "my dog eats hay"},
		"trailing space":               {"my dog eats hay ", "my dog eats hay"},
		"case":                         {"My dog eats hay", "my dog eats hay"},
		"character 73":                 {long, changed(73)},
		"character 129":                {long, changed(129)},
		"last character":               {long, changed(200)},
		"last of 64 four-byte symbols": {emoji, strings.TrimSuffix(emoji, "🚲") + "🚀"},
		"nothing at all":               {"my dog eats hay", ""},
	}
	for name, pair := range tests {
		t.Run(name, func(t *testing.T) {
			stored := Usual.Hash(pair[0])
			if ok, _ := Usual.Check(stored, pair[0]); !ok {
				t.Error("the password itself is refused")
			}
			if ok, _ := Usual.Check(stored, pair[1]); ok {
				t.Errorf("%q is accepted in place of %q", pair[1], pair[0])
			}
		})
	}
}

func TestTheSameCharactersMatchFromEveryKeyboard(t *testing.T) {
	stored := Usual.Hash("Z\u00fcrich \u00e0 la carte")
	if ok, _ := Usual.Check(stored, "Zu\u0308rich a\u0300 la carte"); !ok {
		t.Error("composed and decomposed letters do not match")
	}
}

// foreign are hashes of one password, made by other programs.
var foreign = map[string]string{
	"argon2 command":           "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"argon2 command, 4 lanes":  "$argon2id$v=19$m=19456,t=2,p=4$b3RoZXJzYWx0b2ZvbGQxNg$K2NIMIxNq9h8AY+zK9LnoXcr6hHuk2vV",
	"htpasswd":                 "$2y$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy",
	"htpasswd, spelled $2a$":   "$2a$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy",
	"htpasswd, spelled $2b$":   "$2b$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy",
	"Python hashlib, SHA-256":  "$pbkdf2-sha256$i=600000,l=32$AAECAwQFBgcICQoLDA0ODw$7xdxRO7JQgy8EJPSqLNEqSvFBtDU7JwCjdGfgyTYweY",
	"Python hashlib, SHA-512":  "$pbkdf2-sha512$i=210000,l=32$AAECAwQFBgcICQoLDA0ODw$tfP6dFnMFLm84erFFC/hWDzb6fAjAPCAs0RvJLiu5xY",
	"Python hashlib, scrypt":   "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU",
	"Passlib, dots for pluses": "$pbkdf2-sha256$29000$otSak3LOOUcoRSilVMr5nw$JTv.dqUMMTofTg.Ul7LAG2LmnZeFeG22ACpPV26T2IQ",
}

func TestForeignHashesMatchAndAskToBeReplaced(t *testing.T) {
	for name, stored := range foreign {
		t.Run(name, func(t *testing.T) {
			if ok, upgrade := Usual.Check(stored, "correct horse battery staple"); !ok || !upgrade {
				t.Errorf("right password: Check = %v, upgrade %v; want true, true", ok, upgrade)
			}
			if ok, upgrade := Usual.Check(stored, "correct horse battery stable"); ok || upgrade {
				t.Errorf("wrong password: Check = %v, upgrade %v; want false, false", ok, upgrade)
			}
		})
	}
}

func TestReadableIsWhatCheckReads(t *testing.T) {
	for name, stored := range foreign {
		if !Readable(stored) {
			t.Errorf("%s is not", name)
		}
	}
	for name, stored := range unreadable {
		if Readable(stored) {
			t.Errorf("%s is", name)
		}
	}
}

func TestBcryptRefusesWhatItCannotSee(t *testing.T) {
	seen := strings.Repeat("0123456789", 7) + "01"
	stored, err := bcrypt.GenerateFromPassword([]byte(seen), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := Usual.Check(string(stored), seen); !ok {
		t.Error("72 bytes are refused")
	}
	if ok, _ := Usual.Check(string(stored), seen+"2"); ok {
		t.Error("73 bytes are accepted, though bcrypt looked at 72 only")
	}
}

// unreadable are stored hashes that nobody's password may match, and that may
// not cost the server more than the stand-in does.
var unreadable = map[string]string{
	"no account":                      "",
	"plain text":                      "correct horse battery staple",
	"dollar signs":                    "$$$$$",
	"no dollar sign in front":         "argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"something in front":              "x$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"another kind":                    "$argon2i$v=19$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0MTZieQ$d3iOnJ0B0L2SAdQUEL8mrVW+0ktMn/vLdRCgxID+Xe8",
	"another version":                 "$argon2id$v=16$m=65536,t=3,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"4 TiB of memory":                 "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"257 MiB of memory":               "$argon2id$v=19$m=263168,t=1,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"hours of passes":                 "$argon2id$v=19$m=19456,t=1000000,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"memory times passes":             "$argon2id$v=19$m=262144,t=5,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"no pass":                         "$argon2id$v=19$m=19456,t=0,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"256 lanes, one byte's zero":      "$argon2id$v=19$m=19456,t=2,p=256$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"no tag":                          "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0MTZieQ$",
	"a tag of one byte":               "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0MTZieQ$AA",
	"no salt":                         "$argon2id$v=19$m=19456,t=2,p=1$$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0",
	"something behind":                "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0MTZieQ$hho3A9bIQacrdciI03SXGTTssAaJ+Z/ZULeI6as5A/0$",
	"cut short":                       "$argon2id$v=19$m=19456,t=2",
	"bcrypt of a month":               "$2y$31$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl/JIfjEAhVy",
	"bcrypt cut short":                "$2y$10$6UyN/UQaPIiVxNP95BEmS.jWZnVAjuBAPqMAj6SlzBl",
	"scrypt of 16 GiB":                "$scrypt$ln=24,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU",
	"scrypt of 128 MiB":               "$scrypt$ln=17,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU",
	"scrypt of many lanes":            "$scrypt$ln=16,r=8,p=64$AAECAwQFBgcICQoLDA0ODw$11kKyiyYAc8G7rp3KmncMc44YlkdllIqxOa7pq0fMaU",
	"scrypt without a tag":            "$scrypt$ln=14,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$",
	"PBKDF2 of an hour":               "$pbkdf2-sha256$i=2147483647,l=32$AAECAwQFBgcICQoLDA0ODw$7xdxRO7JQgy8EJPSqLNEqSvFBtDU7JwCjdGfgyTYweY",
	"PBKDF2 without a tag":            "$pbkdf2-sha256$i=1000,l=0$AAECAwQFBgcICQoLDA0ODw$",
	"PBKDF2 of an unsupported digest": "$pbkdf2-sha1$i=1000$AAECAwQFBgcICQoLDA0ODw$7xdxRO7JQgy8EJPSqLNEqSvFBtDU7JwCjdGfgyTYweY",
}

func TestUnreadableHashesAreNeverRight(t *testing.T) {
	for name, stored := range unreadable {
		t.Run(name, func(t *testing.T) {
			for _, password := range []string{"", "correct horse battery staple", stored} {
				if ok, upgrade := Usual.Check(stored, password); ok || upgrade {
					t.Errorf("Check(…, %q) = %v, upgrade %v; want false, false", password, ok, upgrade)
				}
			}
		})
	}
}

func TestOneHashIsComputedWhetherTheAccountExistsOrNot(t *testing.T) {
	ours := Usual.Hash("correct horse battery staple")
	stored := map[string]string{"an account": ours}
	for name, hash := range unreadable {
		stored[name] = hash
	}
	for name, stored := range stored {
		for _, password := range []string{"", "correct horse battery staple", strings.Repeat("x", 256)} {
			var computed []hashed
			Usual.check(stored, password, func(h hashed, password string) bool {
				computed = append(computed, h)
				return h.matches(password)
			})
			if len(computed) != 1 || !computed[0].costs(Usual) {
				t.Errorf("%s, %d bytes typed: computed %d hashes, want one of today's cost", name, len(password), len(computed))
			}
		}
	}
}

func TestAFlukeOfTheStandInIsNotALogin(t *testing.T) {
	always := func(hashed, string) bool { return true }
	if ok, upgrade := Usual.check("", "correct horse battery staple", always); ok || upgrade {
		t.Errorf("check = %v, upgrade %v; want false, false", ok, upgrade)
	}
}

func TestAVeryLongPasswordIsRefusedBeforeAnyWork(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	worked := func(hashed, string) bool { t.Error("a hash was computed"); return true }
	for _, stored := range []string{"", Usual.Hash("correct horse battery staple")} {
		if ok, _ := Usual.check(stored, long, worked); ok {
			t.Error("a password of 1 MiB is accepted")
		}
	}
}

func FuzzCheckSurvivesAnyStoredHash(f *testing.F) {
	for _, stored := range foreign {
		f.Add(stored)
	}
	for _, stored := range unreadable {
		f.Add(stored)
	}
	f.Fuzz(func(t *testing.T, stored string) {
		begin := time.Now()
		Usual.Check(stored, "correct horse battery staple")
		if took := time.Since(begin); took > 20*time.Second {
			t.Errorf("Check(%q) took %v", stored, took)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	for b.Loop() {
		Usual.Hash("correct horse battery staple")
	}
}
