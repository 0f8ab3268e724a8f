package password

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Longest is the most characters (code points) that a password may have.
const Longest = 256

// Rules are what a new password has to keep. The zero value asks for 12 to 256
// characters that take a good while to guess.
type Rules struct {
	// Minimum is the fewest characters (code points) of a password; 0 means
	// 12. Less than 8 counts as 8, the least that NIST SP 800-63B-4 §3.1.1.2
	// allows; 15 is what it demands where the password is the only factor.
	Minimum int
	// Maximum is the most characters; 0 means [Longest], and more counts as it.
	Maximum int
	// Score is the least of zxcvbn's estimates, up to 4, that is accepted; 0
	// means 3, "safely unguessable: moderate protection from offline slow-hash
	// scenario".
	Score int
}

// Verdict is what Judge thinks of a password. The zero value refuses.
type Verdict struct {
	Reason Reason
	Limit  int // the fewest or the most characters, whichever the reason is about
	// Score is for a strength bar, from 0 (everybody's first guess) to 4. A
	// refused password has 2 at most.
	Score int
}

// Accepted reports whether the password may be used.
func (v Verdict) Accepted() bool { return v.Reason == Good }

// Reason is why a password is refused, or [Good].
type Reason string

const (
	Good      Reason = "good"
	TooShort  Reason = "too-short"
	TooLong   Reason = "too-long"
	Common    Reason = "common"    // on the shipped list of common and leaked passwords
	Disguised Reason = "disguised" // one of the list, with digits, signs or repeats about it
	OwnWords  Reason = "own-words" // little else than names of the product, the site or the user
	Guessable Reason = "guessable" // a guessing program finds it soon
)

// Judge says whether a person may choose password. own are the words that are
// easily guessed for this person and this site: address, name, host name, the
// site's title; Judge takes them apart itself and adds the product's name.
//
// There is no rule about kinds of characters (NIST SP 800-63B-4 §3.1.1.2):
// small letters alone will do, and so will spaces, emoji and every script.
// Where several reasons hold, the first in the order of the constants is given.
// Takes about a millisecond, and some tens of them whatever is typed. Panics
// where [Load] fails. Safe for concurrent use.
func (r Rules) Judge(password string, own []string) Verdict {
	if utf8.RuneCountInString(password) > r.maximum() {
		return Verdict{Reason: TooLong, Limit: r.maximum()}
	}
	words := ownWords(own)
	score := score(password, words)
	reason := r.reason(password, words, score)
	if reason != Good {
		score = min(score, weak)
	}
	v := Verdict{Reason: reason, Score: score}
	if reason == TooShort {
		v.Limit = r.minimum()
	}
	return v
}

// weak is the highest score that a strength bar does not show as good.
const weak = 2

func (r Rules) reason(password string, words []string, score int) Reason {
	common, err := shipped()
	if err != nil {
		panic("password: judging without the list, although Load failed: " + err.Error())
	}
	switch {
	case length(password) < r.minimum():
		return TooShort
	case common.has(password):
		return Common
	case common.hasStemOf(password):
		return Disguised
	case madeOf(password, words):
		return OwnWords
	case score < r.score():
		return Guessable
	}
	return Good
}

func (r Rules) minimum() int {
	if r.Minimum == 0 {
		return 12
	}
	return max(r.Minimum, floor)
}

func (r Rules) score() int {
	if r.Score == 0 {
		return 3
	}
	return r.Score
}

func (r Rules) maximum() int {
	if r.Maximum == 0 {
		return Longest
	}
	return min(r.Maximum, Longest)
}

// floor is the fewest characters that a password may ever have.
const floor = 8

// length counts characters as typed and in NFKC, and gives the smaller number:
// neither a letter typed in two strokes nor one sign that NFKC spells out as a
// sentence may pass for more than one.
func length(password string) int {
	normal := norm.NFKC.String(password)
	return min(utf8.RuneCountInString(password), utf8.RuneCountInString(normal))
}

// score gives the score, from 0 to 4, of the password's weakest reading: as it
// stands or with repeats folded, in each spelling.
//
// Repeats are folded because zxcvbn takes six characters twenty times over for
// a hundred and twenty. Spellings are few because its own search through them
// takes a second for some passwords.
func score(password string, words []string) int {
	text := norm.NFKC.String(password)
	folded := fold(text)
	weakest := 4
	if utf8.RuneCountInString(folded) < floor {
		weakest = weak
	}
	for _, reading := range append(spellings(text), spellings(folded)...) {
		weakest = min(weakest, guessScore(start(reading), words))
	}
	return weakest
}

// start gives the first 64 characters of s: what is safe within them is safe, and
// time is not taken for more.
func start(s string) string {
	n := 0
	for i := range s {
		if n++; n > 64 {
			return s[:i]
		}
	}
	return s
}
