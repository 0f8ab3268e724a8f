package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
)

// tokenLength is how many characters 256 bits take in base64 without padding.
const tokenLength = 43

// canonical has one spelling per token: Strict refuses set bits in the unused
// end of the last character.
var canonical = base64.RawURLEncoding.Strict()

// Token is 256 random bits. The zero value is no token.
//
// Tokens do not compare with ==, which would take longer the more of a guess
// is right; see Equal and Hash.Equal.
type Token struct {
	// A function, because fmt cannot call Format on the unexported field of
	// somebody's struct: it follows the struct down to here, and of a function
	// it knows only the address.
	bits func() [32]byte
}

// New makes a token that nobody has seen before.
func New() Token {
	var bits [32]byte
	rand.Read(bits[:]) // never fails: crypto/rand ends the program instead
	return tokenOf(bits)
}

func tokenOf(bits [32]byte) Token { return Token{func() [32]byte { return bits }} }

// Parse reads what Reveal gave: exactly 43 characters of base64url without
// padding (RFC 4648 §5), in the one spelling that Reveal uses.
func Parse(s string) (Token, bool) {
	if len(s) != tokenLength {
		return Token{}, false
	}
	// The decoder skips line ends, so the length is judged on both sides.
	decoded, err := canonical.DecodeString(s)
	if err != nil || len(decoded) != 32 {
		return Token{}, false
	}
	return tokenOf([32]byte(decoded)), true
}

// Reveal gives the token as it travels in a cookie, a link or a form. That of
// the zero value is empty.
func (t Token) Reveal() string {
	if t.IsZero() {
		return ""
	}
	bits := t.bits()
	return canonical.EncodeToString(bits[:])
}

// IsZero tells whether this is no token at all.
func (t Token) IsZero() bool { return t.bits == nil }

// Equal compares in constant time. The zero value equals nothing, not even
// itself.
func (t Token) Equal(other Token) bool {
	if t.IsZero() || other.IsZero() {
		return false
	}
	bits, others := t.bits(), other.bits()
	return subtle.ConstantTimeCompare(bits[:], others[:]) == 1
}

// Hash gives what is stored in the token's place: its SHA-256. 256 random bits
// need neither salt nor a slow hash. The zero value has the zero Hash.
func (t Token) Hash() Hash {
	if t.IsZero() {
		return Hash{}
	}
	bits := t.bits()
	return sha256.Sum256(bits[:])
}

// String hides the token.
func (Token) String() string { return hidden }

// GoString hides the token from %#v.
func (Token) GoString() string { return hidden }

// Format hides the token from every verb, %x and %d too.
func (Token) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the token from log/slog.
func (Token) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the token from JSON and every other encoder that asks.
func (Token) MarshalText() ([]byte, error) { return []byte(hidden), nil }
