package web

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/twinlock/twinlock/internal/ui"
)

// longestName is more characters than names have.
const longestName = 100

// ReadName gives a typed name without the spaces around it, or why it is
// refused. It stands in letters and lists, where a line end or a sign that
// turns the direction of writing would change what stands beside it.
func ReadName(typed string) (name string, refused ui.Text) {
	name = strings.TrimSpace(typed)
	switch {
	case utf8.RuneCountInString(name) > longestName:
		return "", ui.T("users.longName")
	case strings.ContainsFunc(name, unsettles):
		return "", ui.T("form.nameSigns")
	}
	return name, ui.Text{}
}

// unsettles tells control signs and the ones that embed, override or isolate a
// direction (UAX #9 §2). Joiners stay: names of some scripts need them.
func unsettles(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' ||
		r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
}
