package config

import (
	"errors"
	"fmt"
	"strings"
)

// A Refusal says which setting is wrong, where it was written, and what would
// be right. It never holds a secret.
type Refusal struct {
	Place   string // "twinlock.toml:3", "environment", "flag" or, for a wrong combination, where its later half stands
	Key     string // as it is spelled there: public_url, TWINLOCK_PUBLIC_URL, --public-url
	Problem string // what is wrong, and the accepted values
}

func (r Refusal) Error() string { return fmt.Sprintf("%s: %s: %s", r.Place, r.Key, r.Problem) }

// Refusals are everything that is wrong, at least one, in the order flags,
// environment, file, combinations. Error puts them in one line.
type Refusals []Refusal

func (rs Refusals) Error() string {
	var lines []string
	for _, r := range rs {
		lines = append(lines, r.Error())
	}
	return strings.Join(lines, "; ")
}

// refuse words a value that s does not take.
func (s Setting) refuse(place, key string, words []string, err error) Refusal {
	what := fmt.Sprintf("%q %v", strings.Join(words, ","), err)
	var entry entryError
	switch {
	case s.Secret:
		what = "the value " + err.Error()
	case errors.As(err, &entry):
		what = err.Error()
	}
	return Refusal{place, key, what + "; accepted: " + s.Accepts}
}

// unknown words a name that is no setting, with the nearest one that is.
func unknown(place, key, name string, spell func(Setting) string) Refusal {
	best, distance := "", len(name)/3+2
	for _, s := range Settings {
		if d := edits(name, s.Name); d < distance {
			best, distance = spell(s), d
		}
	}
	problem := "no such setting"
	if best != "" {
		problem += ", did you mean " + best + "?"
	}
	return Refusal{place, key, problem + "; accepted: what docs/settings.md lists"}
}

// edits counts the letters to add, drop or change between a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
