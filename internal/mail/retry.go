package mail

import "time"

const (
	firstPause = 5 * time.Second  // after the first failed try
	lastPause  = 45 * time.Second // so that letters are out within a minute after a mail server's return
)

// NextTry tells when to try a letter again that has failed tries times, the
// first time at first. The pauses double from 5 seconds to 45; the last try
// comes patience after the first at the latest, and then NextTry gives up.
// tries below 1 counts as 1.
func NextTry(tries int, first time.Time, patience time.Duration, now time.Time) (at time.Time, giveUp bool) {
	end := first.Add(patience)
	if !now.Before(end) {
		return time.Time{}, true
	}
	at = now.Add(pause(tries))
	if at.After(end) {
		at = end
	}
	return at, false
}

func pause(tries int) time.Duration {
	d := firstPause
	for range tries - 1 {
		if d *= 2; d >= lastPause {
			return lastPause
		}
	}
	return d
}
