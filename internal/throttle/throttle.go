// Package throttle is the arithmetic of how often a thing may be tried, and
// the names of the buckets in which tries are counted. It has no clock and no
// memory: the store keeps the counts.
package throttle

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strings"
	"time"
)

// Bucket is where tries of one kind, at one thing, are counted. Its name tells
// the kind and hides the thing: no address stands in it.
type Bucket string

func bucket(kind, thing string) Bucket {
	sum := sha256.Sum256([]byte(thing))
	return Bucket(kind + ":" + hex.EncodeToString(sum[:]))
}

const month = "month"

// Password counts passwords for an address, whether or not anybody has it.
func Password(canonicalAddress string) Bucket { return bucket("password", canonicalAddress) }

// PasswordFromDevice counts passwords from a browser that has finished a login
// before, apart from everybody else's.
func PasswordFromDevice(device [32]byte) Bucket { return bucket("device", string(device[:])) }

// Code counts codes for an account, in a row.
func Code(user string) Bucket { return bucket("code", user) }

// CodesThisMonth counts wrong codes for an account, whatever succeeded between.
func CodesThisMonth(user string) Bucket { return bucket(month, user) }

// SetUpCode counts codes typed to activate an authenticator: they prove nothing
// yet, so they are counted apart.
func SetUpCode(user string) Bucket { return bucket("set-up", user) }

// Network counts failures from a network address; of IPv6 the network of so
// many bits that one customer has to itself.
func Network(a netip.Addr, bitsIPv6 int) Bucket {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(bitsIPv6); err == nil {
			return bucket("network", p.String())
		}
	}
	return bucket("network", a.String())
}

// Letters counts letters with a link to an address.
func Letters(canonicalAddress string) Bucket { return bucket("letters", canonicalAddress) }

// AccountExists counts letters that only tell an address has an account. They
// are apart from those with a link: whoever signs up again and again with
// somebody's address must not keep the way to a new password from its owner.
func AccountExists(canonicalAddress string) Bucket { return bucket("exists", canonicalAddress) }

// Lasting tells a bucket that no success empties.
func (b Bucket) Lasting() bool { return strings.HasPrefix(string(b), month+":") }

// Count is what is kept of a bucket. The zero Count is nothing so far.
type Count struct {
	Failures    int
	First, Last time.Time
}

// Rule says what so many failures mean. The zero Rule lets everything through.
//
// A window does not slide: it begins with the first failure, and its end takes
// all failures with it, and the wait or the closed door that came of them. So
// around an end twice as many may come close together: the price of keeping one
// row a bucket instead of one a try.
type Rule struct {
	Free        int           // so many failures cost nothing
	FirstWait   time.Duration // after them; each further failure doubles it
	LongestWait time.Duration
	CloseAfter  int           // so many close the door; 0 never
	Window      time.Duration // failures count from the first for so long; 0 until a success
}

// State is whether a thing may be tried now. The zero State is yes.
type State struct {
	Until  time.Time // not before then
	Closed bool      // not before somebody opens the door, or the window has passed
}

// State tells whether a thing may be tried.
//
// Nobody waits for ever because a clock went back. A wait is never said to last
// longer than its own length from now; one that seems to begin further ahead
// than that was counted by a clock that was wrong, and is over. Failures that
// seem to begin further ahead than their window are forgotten.
func (r Rule) State(c Count, now time.Time) State {
	c = r.counted(c, now)
	if r.CloseAfter > 0 && c.Failures >= r.CloseAfter {
		return State{Closed: true}
	}
	wait := r.wait(c.Failures)
	until := c.Last.Add(wait)
	if !until.After(now) || c.Last.Sub(now) > wait {
		return State{}
	}
	return State{Until: earlier(until, now.Add(wait))}
}

// Add counts one more failure.
func (r Rule) Add(c Count, now time.Time) Count {
	c = r.counted(c, now)
	if c.Failures == 0 {
		c.First = now
	}
	c.First = earlier(c.First, now)
	c.Failures++
	c.Last = now
	return c
}

// counted is what of a count still matters: nothing outside of its window.
func (r Rule) counted(c Count, now time.Time) Count {
	if r.Window > 0 && now.Sub(c.First).Abs() >= r.Window {
		return Count{}
	}
	return c
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// wait is how long to wait after so many failures.
func (r Rule) wait(failures int) time.Duration {
	if failures < r.Free || failures == 0 {
		return 0
	}
	wait := r.FirstWait
	for range failures - r.Free {
		if wait *= 2; wait >= r.LongestWait {
			return r.LongestWait
		}
	}
	return min(wait, r.LongestWait)
}
