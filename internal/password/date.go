package password

import (
	"math"
	"strings"
)

// dateForms are how many digits the three numbers of a date have, the year first
// or last. With nothing between them they are written in full.
var dateForms = [][3]int{
	{2, 2, 2}, {2, 2, 4}, {4, 2, 2},
	{1, 1, 2}, {1, 2, 2}, {2, 1, 2}, {1, 1, 4}, {1, 2, 4}, {2, 1, 4},
	{2, 1, 1}, {2, 2, 1}, {4, 1, 1}, {4, 1, 2}, {4, 2, 1},
}

const writtenInFull = 3 // how many of the forms are

// dates finds days of a year, written with signs between the numbers or without.
func dates(text []rune) (found []pattern) {
	for from := range text {
		for i, form := range dateForms {
			if bits, to := dateAt(text, from, form, 1); to > 0 {
				found = append(found, pattern{from, to, bits + 2}) // of which sign stands between
			}
			if i < writtenInFull {
				if bits, to := dateAt(text, from, form, 0); to > 0 {
					found = append(found, pattern{from, to, bits})
				}
			}
		}
	}
	return found
}

// dateAt reads a date of the form at from, with so many signs between the
// numbers, and gives the place behind it; 0 where none stands there.
func dateAt(text []rune, from int, form [3]int, between int) (bits float64, to int) {
	var numbers [3]int
	for i, digits := range form {
		if i > 0 && !separators(text, from, between) {
			return 0, 0
		} else if i > 0 {
			from += between
		}
		n, ok := digitsAt(text, from, digits)
		if !ok {
			return 0, 0
		}
		numbers[i], from = n, from+digits
	}
	a, b, c := numbers[0], numbers[1], numbers[2]
	if !(isDay(a, b) && isYear(c, form[2]) || isDay(b, c) && isYear(a, form[0])) {
		return 0, 0
	}
	const days, years, shortYears = 31 * 12, 119, 100
	if max(form[0], form[2]) == 4 {
		return math.Log2(days * years), from
	}
	return math.Log2(days * shortYears), from
}

func separators(text []rune, from, n int) bool {
	for i := from; i < from+n; i++ {
		if i >= len(text) || !strings.ContainsRune(" \t-/\\_.", text[i]) {
			return false
		}
	}
	return true
}

func digitsAt(text []rune, from, n int) (number int, ok bool) {
	if from+n > len(text) {
		return 0, false
	}
	for _, r := range text[from : from+n] {
		if r < '0' || '9' < r {
			return 0, false
		}
		number = 10*number + int(r-'0')
	}
	return number, true
}

// isDay tells whether the two are a day and a month, in whichever order.
func isDay(a, b int) bool { return max(a, b) <= 31 && min(a, b) <= 12 }

func isYear(n, digits int) bool { return digits == 2 || digits == 4 && 1900 <= n && n < 2100 }
