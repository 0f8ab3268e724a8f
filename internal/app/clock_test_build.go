//go:build testclock

package app

import (
	"os"
	"strings"
	"sync"
	"time"
)

// Clock is the time that everything here goes by. This build reads at every
// reading the file named by TWINLOCK_TEST_CLOCK: an offset such as +90s or
// -1h, or an instant (RFC 3339) from which time runs on as soon as it is read.
// The shipped program does not contain this.
func Clock() time.Time {
	now := time.Now().UTC()
	text, err := os.ReadFile(os.Getenv("TWINLOCK_TEST_CLOCK"))
	if err != nil {
		return now
	}
	return testClock.read(strings.TrimSpace(string(text)), now)
}

var testClock turned

// turned remembers when it first met an instant: from there time runs on.
type turned struct {
	sync.Mutex
	text string
	met  time.Time
}

func (t *turned) read(text string, now time.Time) time.Time {
	if offset, err := time.ParseDuration(text); err == nil {
		return now.Add(offset)
	}
	instant, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return now
	}
	t.Lock()
	defer t.Unlock()
	if t.text != text {
		t.text, t.met = text, now
	}
	return instant.UTC().Add(now.Sub(t.met))
}
