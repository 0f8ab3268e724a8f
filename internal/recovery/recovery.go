// Package recovery makes and checks recovery codes: each stands once in the
// place of an authenticator's code.
package recovery

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// alphabet leaves out what looks alike: 0 and O, 1, I and L, 2 and Z, the B of
// 8 and B, the S of 5 and S, the V of U and V. 16 of its 26 signs have 75 bits.
const alphabet = "3456789ACDEFGHJKMNPQRTUWXY"

const (
	length       = 16
	group        = 4
	longestTyped = 256 // bytes; no paste of a code comes near it
)

// Code is one recovery code. It does not print itself. Codes come from New; the
// zero value is of no use.
type Code struct{ signs func() string }

// New makes so many random codes.
func New(n int) []Code {
	codes := make([]Code, n)
	for i := range codes {
		signs := randomSigns()
		codes[i] = Code{func() string { return signs }}
	}
	return codes
}

// Read gives codes that Reveal gave. What is none is left out.
func Read(revealed []string) (codes []Code) {
	for _, kept := range revealed {
		if signs, ok := Clean(kept); ok {
			codes = append(codes, Code{func() string { return signs }})
		}
	}
	return codes
}

// randomSigns draws each sign evenly: a byte beyond the last whole multiple of
// the alphabet is drawn again.
func randomSigns() string {
	const fair = 256 - 256%len(alphabet)
	var b strings.Builder
	var draw [1]byte
	for b.Len() < length {
		if rand.Read(draw[:]); int(draw[0]) < fair {
			b.WriteByte(alphabet[int(draw[0])%len(alphabet)])
		}
	}
	return b.String()
}

// Reveal is the code as people keep it: groups of four, joined by hyphens.
func (c Code) Reveal() string {
	signs, groups := c.signs(), []string{}
	for ; signs != ""; signs = signs[group:] {
		groups = append(groups, signs[:group])
	}
	return strings.Join(groups, "-")
}

const hidden = "‹secret›"

// String hides the code.
func (Code) String() string { return hidden }

// GoString hides the code.
func (Code) GoString() string { return hidden }

// Format hides the code.
func (Code) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the code.
func (Code) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the code.
func (Code) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Clean gives the signs of a typed code; false for anything that is not one.
// Case, spaces, hyphens and invisible marks do not matter.
func Clean(typed string) (signs string, ok bool) {
	if len(typed) > longestTyped {
		return "", false
	}
	signs = strings.Map(sign, norm.NFKC.String(typed))
	if len(signs) != length || strings.Trim(signs, alphabet) != "" {
		return "", false
	}
	return signs, true
}

// sign drops what stands between signs, and makes the others upper case.
func sign(r rune) rune {
	if unicode.IsSpace(r) || unicode.In(r, unicode.Dash, unicode.Cf) {
		return -1
	}
	return unicode.ToUpper(r)
}

// Cost is how much work one hash is; a password's has the same. The zero value
// is next to none.
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
}

// Set is the codes of one person as they are kept: hashed, with one salt for
// all, so that a typed code costs one hash and not ten.
type Set struct {
	Salt   []byte
	Cost   Cost // of each hash
	Hashes [][]byte
}

const saltSize = 16

// Hash hashes codes under a new salt, each as a password of that cost: call it
// in a slot.
func Hash(codes []Code, cost Cost) Set {
	s := Set{Salt: make([]byte, saltSize), Cost: cost}
	rand.Read(s.Salt)
	for _, c := range codes {
		s.Hashes = append(s.Hashes, s.hash(c.signs()))
	}
	return s
}

// hash is Argon2id of one lane, which takes no less than one pass.
func (s Set) hash(signs string) []byte {
	return argon2.IDKey([]byte(signs), s.Salt, max(s.Cost.Passes, 1), s.Cost.MemoryKiB, 1, 32)
}

// Match finds the code that was typed, as Clean gives it. It computes one hash
// and compares it with every code, whichever fits. It does not know which were
// used: the store spends them.
func (s Set) Match(signs string) (index int, ok bool) {
	typed := s.hash(signs)
	for i, kept := range s.Hashes {
		if subtle.ConstantTimeCompare(typed, kept) == 1 {
			index, ok = i, true
		}
	}
	return index, ok
}
