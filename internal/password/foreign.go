package password

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// Hashes of other programs, which people bring along when they move in. None of
// them is made here; each is replaced at its owner's next login.

// bcrypted is a bcrypt hash in its usual spelling of 60 bytes.
type bcrypted string

// readBcrypt refuses more than 2^14 rounds, which take about a second.
func readBcrypt(stored string) (bcrypted, bool) {
	rounds, err := bcrypt.Cost([]byte(stored))
	return bcrypted(stored), err == nil && len(stored) == 60 && rounds <= 14
}

// matches computes before it looks at the length, so that a long password takes
// as much time as a short one.
func (h bcrypted) matches(password string) bool {
	const seen = 72
	err := bcrypt.CompareHashAndPassword([]byte(h), []byte(password))
	return err == nil && len(password) <= seen
}

func (h bcrypted) costs(Cost) bool { return false }

// scrypted is a hash by RFC 7914.
type scrypted struct {
	log2N, r, p int
	salt, tag   []byte
}

// readScrypt reads what follows "$scrypt$" in the PHC string format, which
// Passlib writes too: "ln=16,r=8,p=1". It refuses more than 64 MiB, which
// N = 2^16 with r = 8 takes and every guess would take anew, and more work than
// 1 GiB of memory written once (about a second).
func readScrypt(rest string) (scrypted, bool) {
	part := strings.Split(rest, "$")
	if len(part) != 3 {
		return scrypted{}, false
	}
	numbers := strings.Split(part[0], ",")
	if len(numbers) != 3 {
		return scrypted{}, false
	}
	var read [3]int
	for i, name := range []string{"ln=", "r=", "p="} {
		value, named := strings.CutPrefix(numbers[i], name)
		n, few := number(value, 64)
		if !named || !few {
			return scrypted{}, false
		}
		read[i] = n
	}
	salt, tag, sized := readSaltAndTag(part[1], part[2])
	h := scrypted{read[0], read[1], read[2], salt, tag}
	memory := 0
	if h.log2N <= 24 {
		memory = 128 * h.r << h.log2N
	}
	return h, sized && 0 < memory && memory <= 64<<20 && memory*h.p <= 1<<30
}

func (h scrypted) matches(password string) bool {
	tag, err := scrypt.Key([]byte(password), h.salt, 1<<h.log2N, h.r, h.p, len(h.tag))
	return err == nil && equal(h.tag, tag)
}

func (h scrypted) costs(Cost) bool { return false }

// pbkdf2ed is a hash by RFC 8018 §5.2.
type pbkdf2ed struct {
	digest    func() hash.Hash
	rounds    int
	salt, tag []byte
}

// readPBKDF2 reads what follows "$pbkdf2-sha256$" or "$pbkdf2-sha512$". Two
// spellings are about: the PHC string format's "i=600000,l=32" with base64, and
// Passlib's bare "600000" with a dot in the place of the plus sign. It refuses
// more than two million rounds, which take about a second.
func readPBKDF2(scheme, rest string) (pbkdf2ed, bool) {
	part := strings.Split(rest, "$")
	if len(part) != 3 {
		return pbkdf2ed{}, false
	}
	i, _, _ := strings.Cut(strings.TrimPrefix(part[0], "i="), ",")
	rounds, few := number(i, 2_000_000)
	plus := strings.NewReplacer(".", "+")
	salt, tag, sized := readSaltAndTag(plus.Replace(part[1]), plus.Replace(part[2]))
	return pbkdf2ed{digestOf[scheme], rounds, salt, tag}, few && sized
}

var digestOf = map[string]func() hash.Hash{
	"pbkdf2-sha256": sha256.New,
	"pbkdf2-sha512": sha512.New,
}

func (h pbkdf2ed) matches(password string) bool {
	tag, err := pbkdf2.Key(h.digest, password, h.salt, h.rounds, len(h.tag))
	return err == nil && equal(h.tag, tag)
}

func (h pbkdf2ed) costs(Cost) bool { return false }

// equal compares two tags in a time that tells nothing about where they differ.
func equal(a, b []byte) bool {
	return subtle.ConstantTimeCompare(a, b) == 1
}
