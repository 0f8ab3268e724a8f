// Package written reads the short texts that people write: what somebody or
// something is called, a line about it, a reason. They stand in lists and
// letters, where a line end or a sign that turns the direction of writing would
// change what stands beside them.
package written

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limit is how long a text may be, in characters: code points of its composed
// form, without the spaces around it.
type Limit int

const (
	Name        Limit = 100 // of a person, a group or an application
	FactorName  Limit = 60  // of somebody's own passkey or authenticator app
	Description Limit = 300 // of an application
	Reason      Limit = 500 // that a person is told
)

var (
	// ErrBlank is returned for a text of which nothing can be seen.
	ErrBlank = errors.New("nothing in it can be seen")
	// ErrSigns is returned for control characters, and for signs that turn the
	// direction of writing.
	ErrSigns = errors.New("it holds a control character, or one that turns the direction of writing")
)

// TooLongError is returned for a text above its limit.
type TooLongError struct{ Limit Limit }

func (e *TooLongError) Error() string { return fmt.Sprintf("it has more than %d characters", e.Limit) }

// Read gives a text in Unicode's normal form C, without the spaces around it.
// Nothing typed is no error, and "". Every error is ErrBlank, ErrSigns or a
// *TooLongError.
func (l Limit) Read(typed string) (string, error) {
	text := norm.NFC.String(strings.TrimSpace(typed))
	switch {
	case utf8.RuneCountInString(text) > int(l):
		return "", &TooLongError{l}
	case strings.ContainsFunc(text, unsettles):
		return "", ErrSigns
	case typed != "" && !strings.ContainsFunc(text, isSeen):
		return "", ErrBlank
	}
	return text, nil
}

// unsettles tells control signs and the ones that embed, override or isolate a
// direction (UAX #9 §2). Joiners stay: names of some scripts need them.
func unsettles(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}

// isSeen tells what leaves a mark on the page.
func isSeen(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) &&
		!unicode.Is(unicode.Variation_Selector, r)
}
