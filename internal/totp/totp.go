// Package totp reads and checks the six-digit codes of authenticator apps
// (RFC 6238 with SHA-1, six digits and steps of 30 seconds: what every app
// honours).
//
// It knows nothing of who has which key, nor which codes were used before:
// Match says which step a code belongs to, and the store spends it.
package totp

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"golang.org/x/text/unicode/norm"
)

const (
	// Period is how long a step lasts.
	Period = 30 * time.Second
	// Digits is how long a code is.
	Digits = 6

	keySize = 20 // bytes, as RFC 4226 §4 recommends
	skew    = 1  // steps either way
)

// Key is the secret that the app and we share. It does not print itself. The
// zero Key is no key.
type Key struct{ bytes func() [keySize]byte }

// NewKey makes a random key of 160 bits.
func NewKey() Key {
	var b [keySize]byte
	rand.Read(b[:]) // never fails; the program ends where it would
	return keyOf(b)
}

func keyOf(b [keySize]byte) Key { return Key{func() [keySize]byte { return b }} }

// KeyFromBytes is the key that Bytes gave; an error for any other length.
func KeyFromBytes(b []byte) (Key, error) {
	if len(b) != keySize {
		return Key{}, errors.New("an authenticator's key has 20 bytes")
	}
	return keyOf([keySize]byte(b)), nil
}

// IsZero tells that there is no key.
func (k Key) IsZero() bool { return k.bytes == nil }

// Bytes is the raw key, to be sealed; nil for the zero Key.
func (k Key) Bytes() []byte {
	if k.IsZero() {
		return nil
	}
	b := k.bytes()
	return b[:]
}

var base32Text = base32.StdEncoding.WithPadding(base32.NoPadding)

// Text is the key as apps take it: Base32 without padding.
func (k Key) Text() string { return base32Text.EncodeToString(k.Bytes()) }

// Grouped is Text in groups of four, for typing by hand.
func (k Key) Grouped() string {
	var groups []string
	for text := k.Text(); text != ""; text = text[min(4, len(text)):] {
		groups = append(groups, text[:min(4, len(text))])
	}
	return strings.Join(groups, " ")
}

const hidden = "‹secret›"

// String hides the key.
func (Key) String() string { return hidden }

// GoString hides the key.
func (Key) GoString() string { return hidden }

// Format hides the key.
func (Key) Format(f fmt.State, _ rune) { io.WriteString(f, hidden) }

// LogValue hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// longestTyped bounds what is looked at; no paste of a code comes near it.
const longestTyped = 256 // bytes

// Clean gives the six digits of a typed code; false for anything that is not
// one. Spaces, hyphens and invisible marks of every kind are dropped, and the
// digits of other scripts count.
func Clean(typed string) (code string, ok bool) {
	if len(typed) > longestTyped {
		return "", false
	}
	code = strings.Map(asciiDigit, norm.NFKC.String(typed))
	if len(code) != Digits || strings.Trim(code, "0123456789") != "" {
		return "", false
	}
	return code, true
}

// asciiDigit drops what separates digits and makes the others ASCII, which the
// normal form does for full-width ones and not for Arabic ones.
func asciiDigit(r rune) rune {
	const japaneseHyphen = 'ー' // from the key where others have a hyphen
	switch {
	case unicode.IsSpace(r), unicode.In(r, unicode.Dash, unicode.Cf), r == japaneseHyphen:
		return -1
	case unicode.IsDigit(r):
		return '0' + digit(r)
	}
	return r
}

// digit is the value of a decimal digit of any script. Unicode keeps the ten
// of each script together, zero first, so that each run of the table begins
// with a zero, even where two scripts' digits touch.
func digit(r rune) rune {
	for _, run := range unicode.Nd.R16 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return (r - rune(run.Lo)) % 10
		}
	}
	for _, run := range unicode.Nd.R32 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return (r - rune(run.Lo)) % 10
		}
	}
	return r // no digit: the caller asked before
}

// Match finds the step whose code was typed. A step is a count of 30-second
// periods since the Unix epoch (RFC 6238 §4.2). The step of now, the one
// before and the one after are tried, so a phone may be up to 30 seconds wrong
// and a code lives for at most 90 seconds. All three are always tried: the
// time taken does not say which one matched. A code that belongs to two of them
// gives the later: after the earlier one it could be used again.
//
// Match does not know which codes were used before: the caller must refuse a
// step at or below the last one it took (RFC 6238 §5.2).
func Match(key Key, code string, now time.Time) (step int64, ok bool) {
	current := stepAt(now)
	for s := current - skew; s <= current+skew; s++ {
		if matches(key, code, s) {
			step, ok = s, true
		}
	}
	return step, ok
}

// Latest is the last step whose code Match takes at now.
func Latest(now time.Time) int64 { return stepAt(now) + skew }

func stepAt(at time.Time) int64 { return at.Unix() / int64(Period/time.Second) }

// matches asks for one step, in constant time. A step before the epoch has no
// code.
func matches(key Key, code string, step int64) bool {
	if step < 0 || key.IsZero() {
		return false
	}
	ok, err := hotp.ValidateCustom(code, uint64(step), key.Text(),
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	return err == nil && ok
}

// longestDrift is how far off a phone's clock is looked for.
const longestDrift = time.Hour

// Drift tells how far off the clock of a phone is that shows a code Match
// does not find: positive where it is ahead. It is for the set-up page alone,
// where the key was just made and nothing is granted; false where the code
// fits no time within an hour. Where it fits several the nearest counts. About
// one wrong code in four thousand fits some time of these two hours, so the
// answer is a hint and proves nothing.
func Drift(key Key, code string, now time.Time) (off time.Duration, ok bool) {
	current := stepAt(now)
	for n := int64(skew + 1); n <= int64(longestDrift/Period); n++ {
		for _, s := range []int64{n, -n} {
			if matches(key, code, current+s) && !ok {
				off, ok = time.Duration(s)*Period, true
			}
		}
	}
	return off, ok
}

// Left is how long the code of now is still shown.
func Left(now time.Time) time.Duration {
	return Period - time.Duration(now.UnixNano()%int64(Period))
}

// At is the code that an app shows at a moment. Only developers' tools and
// tests ask for it: the server never makes a code, it only checks one.
func At(key Key, at time.Time) (string, error) {
	return hotp.GenerateCodeCustom(key.Text(), uint64(stepAt(at)),
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
}
