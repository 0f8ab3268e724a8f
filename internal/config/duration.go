package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errNotADuration = errors.New("is not a duration")

// units, from the largest down, in which order they must be written.
var units = []struct {
	letter byte
	length time.Duration
}{
	{'d', day},
	{'h', time.Hour},
	{'m', time.Minute},
	{'s', time.Second},
}

// ParseDuration reads 90s, 15m, 24h, 30d, and combinations from the largest
// unit down such as 1h30m. A day is 24 hours. 0 needs no unit; nothing is
// negative or fractional.
func ParseDuration(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	var total time.Duration
	rest := text
	for _, unit := range units {
		digits, after, ok := strings.Cut(rest, string(unit.letter))
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || time.Duration(n) > (1<<62)/unit.length {
			return 0, errNotADuration
		}
		total += time.Duration(n) * unit.length
		if total < 0 {
			return 0, errNotADuration
		}
		rest = after
	}
	if text == "" || rest != "" {
		return 0, errNotADuration
	}
	return total, nil
}

// FormatDuration writes d so that ParseDuration reads it: 1h30m, and from two
// days on in days. What is smaller than a second is cut.
func FormatDuration(d time.Duration) string {
	if d < time.Second {
		return "0"
	}
	var b strings.Builder
	for _, unit := range units {
		if unit.length == day && d < 2*day {
			continue
		}
		if n := d / unit.length; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteByte(unit.letter)
			d -= n * unit.length
		}
	}
	return b.String()
}
