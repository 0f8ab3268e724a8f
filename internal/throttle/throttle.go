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

func bucket(kind Kind, thing string) Bucket {
	sum := sha256.Sum256([]byte(thing))
	return Bucket(string(kind) + ":" + hex.EncodeToString(sum[:]))
}

// Kind is what is counted in a bucket.
type Kind string

// The kinds whose failures in a row close a door.
const (
	Passwords       Kind = "password"
	DevicePasswords Kind = "device" // from one browser that has finished a login before
	Codes           Kind = "code"
)

// The other kinds.
const (
	MonthsCodes   Kind = "month"
	LettersCodes  Kind = "month-by-letter"
	SetUpCodes    Kind = "set-up"
	Networks      Kind = "network"
	LinkLetters   Kind = "letters"
	StartedLinks  Kind = "started-letters"
	NobodysLinks  Kind = "nobodys-letters"
	ExistsLetters Kind = "exists"
	UnlockOffers  Kind = "unlock"
	CodesTold     Kind = "codes-told"
	ClientSecrets Kind = "client"
	ResetRequests Kind = "reset-requests"
	SignUps       Kind = "sign-ups"
	NewAddresses  Kind = "new-addresses"

	DevicePasskeys  Kind = "device-passkeys" // from one browser that has finished a login before
	CopiesTold      Kind = "copies-told"
	RefusedPasskeys Kind = "refused-passkeys" // beside a right password
)

// Kinds are all of them.
var Kinds = []Kind{
	Passwords, DevicePasswords, Codes, MonthsCodes, LettersCodes, SetUpCodes, Networks, LinkLetters, StartedLinks, NobodysLinks, ExistsLetters, UnlockOffers, CodesTold,
	ClientSecrets, ResetRequests, SignUps, NewAddresses, DevicePasskeys, CopiesTold, RefusedPasskeys,
}

// Kind is what is counted in the bucket.
func (b Bucket) Kind() Kind {
	kind, _, _ := strings.Cut(string(b), ":")
	return Kind(kind)
}

// Password counts passwords for an address, whether or not anybody has it.
func Password(canonicalAddress string) Bucket { return bucket(Passwords, canonicalAddress) }

// PasswordFromDevice counts passwords from a browser that has finished a login
// before, apart from everybody else's.
func PasswordFromDevice(device [32]byte) Bucket { return bucket(DevicePasswords, string(device[:])) }

// PasskeyFromDevice counts answers of passkeys that proved nothing, from a browser
// that has finished a login before: those of others count by their network address.
func PasskeyFromDevice(device [32]byte) Bucket { return bucket(DevicePasskeys, string(device[:])) }

// PasskeyCopied counts letters that tell a passkey may have been copied.
func PasskeyCopied(passkey string) Bucket { return bucket(CopiesTold, passkey) }

// PasskeysBesidePassword counts answers of passkeys that proved nothing, beside a right
// password of the account.
func PasskeysBesidePassword(user string) Bucket { return bucket(RefusedPasskeys, user) }

// Code counts codes for an account, in a row.
func Code(user string) Bucket { return bucket(Codes, user) }

// CodesThisMonth counts wrong codes for an account, whatever succeeded between.
func CodesThisMonth(user string) Bucket { return bucket(MonthsCodes, user) }

// CodesByLetter counts wrong codes beside a mailed link, as CodesThisMonth does
// those beside a right password. They are apart: whoever knows the password
// must not keep its owner from choosing a new one.
func CodesByLetter(user string) Bucket { return bucket(LettersCodes, user) }

// SetUpCode counts codes typed to activate an authenticator: they prove nothing
// yet, so they are counted apart.
func SetUpCode(user string) Bucket { return bucket(SetUpCodes, user) }

// Network counts failures from a network address; of IPv6 the network of so
// many bits that one customer has to itself.
func Network(a netip.Addr, bitsIPv6 int) Bucket { return bucket(Networks, networkOf(a, bitsIPv6)) }

func networkOf(a netip.Addr, bitsIPv6 int) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(bitsIPv6); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// Requests counts what strangers ask for from a network address, by a kind of
// its own: ResetRequests or SignUps.
func Requests(kind Kind, a netip.Addr, bitsIPv6 int) Bucket {
	return bucket(kind, networkOf(a, bitsIPv6))
}

// OwnRequests counts them from the browsers that have finished a login of the
// account, apart from those of their networks.
func OwnRequests(kind Kind, user string) Bucket { return bucket(kind, user) }

// NewAddress counts the addresses that an account asks to change to.
func NewAddress(user string) Bucket { return bucket(NewAddresses, user) }

// Letters counts letters with a link to an address.
func Letters(canonicalAddress string) Bucket { return bucket(LinkLetters, canonicalAddress) }

// StartedLetters counts those that an administrator starts, an invitation or a
// reset. They are apart: no stranger must keep an administrator from it by asking
// for letters to the same address.
func StartedLetters(canonicalAddress string) Bucket { return bucket(StartedLinks, canonicalAddress) }

// NobodysLetters counts those that would go to an address if anybody could use
// them. They are apart: whoever comes to have the address has had none.
func NobodysLetters(canonicalAddress string) Bucket { return bucket(NobodysLinks, canonicalAddress) }

// AccountExists counts letters that only tell an address has an account. They
// are apart from those with a link: whoever signs up again and again with
// somebody's address must not keep the way to a new password from its owner.
func AccountExists(canonicalAddress string) Bucket { return bucket(ExistsLetters, canonicalAddress) }

// UnlockLetters counts letters with the link that opens a closed door, apart
// from all others: whoever closes doors must not keep their owners from a new
// password.
func UnlockLetters(canonicalAddress string) Bucket { return bucket(UnlockOffers, canonicalAddress) }

// WrongCodesTold counts letters that tell an account's owner of wrong codes after
// a right password.
func WrongCodesTold(user string) Bucket { return bucket(CodesTold, user) }

// ClientSecret counts wrong secrets of an application.
func ClientSecret(application string) Bucket { return bucket(ClientSecrets, application) }

// Lasting tells a bucket of codes that no success empties.
func (b Bucket) Lasting() bool { return b.Kind() == MonthsCodes || b.Kind() == LettersCodes }

// Count is what is kept of a bucket. The zero Count is nothing so far.
type Count struct {
	Failures    int
	First, Last time.Time
	Closed      time.Time // when they closed the door; zero while it is open
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

// State tells whether a thing may be tried. A door without a window that has
// closed stays closed, whatever the rule has become since.
//
// Nobody waits for ever because a clock went back. A wait is never said to last
// longer than its own length from now; one that seems to begin further ahead
// than that was counted by a clock that was wrong, and is over. Failures that
// seem to begin further ahead than their window are forgotten.
func (r Rule) State(c Count, now time.Time) State {
	c = r.Counted(c, now)
	if !c.Closed.IsZero() || r.closes(c) {
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
	c = r.Counted(c, now)
	if c.Failures == 0 {
		c.First = now
	}
	c.First = earlier(c.First, now)
	c.Failures++
	c.Last = now
	if r.closes(c) && r.Window == 0 && c.Closed.IsZero() {
		c.Closed = now
	}
	return c
}

func (r Rule) closes(c Count) bool { return r.CloseAfter > 0 && c.Failures >= r.CloseAfter }

// Counted is what of a count still matters: nothing outside of its window.
func (r Rule) Counted(c Count, now time.Time) Count {
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
