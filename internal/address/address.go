// Package address reads e-mail addresses and decides which two of them are the
// same. Every address that a person types goes through Parse, at sign-up, at
// login and by command line alike, so one mailbox cannot be two accounts by a
// change of case or a look-alike sign.
//
// What it takes is narrower than RFC 5321 allows: no quoted local part, no
// address literal, no comment, nothing invisible. What it gives never holds a
// space, a line end, a comma, a bracket or a second @, so it cannot add a
// recipient or a header to a letter.
package address

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrMalformed is the one error of this package: what was typed is no address
// that we take.
var ErrMalformed = errors.New("malformed e-mail address")

const (
	longestTyped = 1024 // bytes; more is not worth normalizing
	longestLocal = 64   // bytes, RFC 5321 §4.5.3.1.1
	longestLabel = 63   // bytes, RFC 1035 §2.3.4
	longestWhole = 254  // bytes, RFC 5321 §4.5.3.1.3 without the brackets
)

// Address is one e-mail address in its two forms. The zero value is no
// address.
type Address struct {
	// Spelling is for people's eyes: as typed, in NFKC, with the domain in
	// lower case and readable script.
	Spelling string
	// Canonical is for comparing: case folded, with the domain in ASCII. Two
	// addresses are the same if their canonical forms are.
	Canonical string
}

// Parse reads a typed address. Spaces around it are dropped. Parsing either
// form of an Address again gives the same canonical form. Every error is
// ErrMalformed.
func Parse(typed string) (Address, error) {
	if len(typed) > longestTyped || !utf8.ValidString(typed) {
		return Address{}, ErrMalformed
	}
	// The full-width @ and full stop become the plain ones here, so whatever
	// is counted and cut below is counted and cut after this line.
	plain := norm.NFKC.String(strings.TrimSpace(typed))
	local, domain, found := strings.Cut(plain, "@")
	if !found || !localOK(local) {
		return Address{}, ErrMalformed
	}
	folded, ok := fold(local)
	if !ok || !localOK(folded) {
		return Address{}, ErrMalformed
	}
	ascii, readable, ok := domainForms(domain)
	if !ok || len(ascii)+1+max(len(local), len(folded)) > longestWhole {
		return Address{}, ErrMalformed
	}
	return Address{Spelling: local + "@" + readable, Canonical: folded + "@" + ascii}, nil
}

// Same tells whether both are one address. The zero value is the same as
// nothing, not even itself.
func (a Address) Same(other Address) bool {
	return a.Canonical != "" && a.Canonical == other.Canonical
}

// ForMail is what a mail server is told: the local part as spelled, because
// some servers still tell upper from lower case there, and the domain in
// ASCII, because many know no other (RFC 5891 §5).
func (a Address) ForMail() string {
	local, _, _ := strings.Cut(a.Spelling, "@")
	_, domain, found := strings.Cut(a.Canonical, "@")
	if !found {
		return ""
	}
	return local + "@" + domain
}

// localOK judges the part before the @: words joined by single dots (RFC 5321
// §4.1.2, Dot-string), of the usual ASCII signs and whatever else is visible
// (RFC 6531 §3.3).
func localOK(local string) bool {
	if len(local) > longestLocal {
		return false
	}
	for word := range strings.SplitSeq(local, ".") {
		if word == "" || strings.ContainsFunc(word, notInWord) {
			return false
		}
	}
	return true
}

func notInWord(r rune) bool {
	if r <= unicode.MaxASCII {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r))
	}
	return !visible(r)
}

// visible is false for what would make two addresses look alike by showing
// nothing, or turn the writing round: spaces, controls, marks of direction,
// joiners, fillers, variation selectors, unassigned code points.
func visible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != unicode.ReplacementChar &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// fold makes upper and lower case one. Folding can undo the normal form and
// the normal form can bring back something to fold, so both are repeated until
// nothing changes; what has not settled then is refused.
func fold(local string) (string, bool) {
	for range 4 {
		next := norm.NFKC.String(cases.Fold().String(local))
		if next == local {
			return local, true
		}
		local = next
	}
	return "", false
}

// domainForms gives a domain in ASCII and in its own script. It is mapped by
// IDNA and not by fold, which would make one domain of straße and strasse.
func domainForms(domain string) (ascii, readable string, ok bool) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", "", false
	}
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > longestLabel {
			return "", "", false
		}
	}
	readable, err = idna.Lookup.ToUnicode(ascii)
	return ascii, readable, err == nil
}
