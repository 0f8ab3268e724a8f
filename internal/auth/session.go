package auth

import "time"

// SessionID names a session in lists, commands and events. What opens the
// session is its token, which nobody but the browser holds.
type SessionID string

// Session is a finished login.
type Session struct {
	ID         SessionID
	User       UserID
	Generation int64 // the account's, when the session began or was renewed

	Began      time.Time // the last full login
	LastSeen   time.Time // the last request of the person's own
	PasswordAt time.Time // the last full proof of the password
	PasswordBy PasswordBy
	CodeAt     time.Time // the last proof of a code; zero: never in this session
	CodeBy     CodeBy    // "": an authenticator app, where there was a code
	ReturnedAt time.Time // the last return through an open window; zero: never

	Device  string // the browser's own words
	Network string // the address it came from

	// WindowFailures counts wrong passwords of the window that wants back.
	WindowFailures int

	Ended   time.Time // zero: not ended by anybody
	EndedBy string
}

// Standing is what a session is worth at a moment.
type Standing string

const (
	Over     Standing = "over"      // ended, or past the overall limit
	Lapsed   Standing = "lapsed"    // past the idle limit; only its open window may bring it back
	OwesCode Standing = "owes code" // began while the code was not asked
	SignedIn Standing = "signed in"
)

// StandingOf tells what a session is worth. Each limit takes effect at its
// exact moment. What began further ahead than the overall limit is over: a
// clock that was wrong must not leave an immortal session behind.
func StandingOf(s Session, u User, p Policy, now time.Time) Standing {
	switch {
	case s.User != u.ID, u.State != Active, !s.Ended.IsZero():
		return Over
	case !now.Before(s.Began.Add(p.SessionOverall)), s.Began.After(now.Add(p.SessionOverall)):
		return Over
	case !now.Before(s.LastSeen.Add(p.SessionIdle)):
		return Lapsed
	case p.AsksCode(u) && s.CodeAt.IsZero():
		return OwesCode
	default:
		return SignedIn
	}
}

// MayReturn tells whether a lapsed session's open window may still bring it
// back by the password. The account must not have changed since: not its
// password, address, factors, recovery codes, state, role, or what it must use.
func MayReturn(s Session, u User, p Policy, now time.Time) bool {
	return StandingOf(s, u, p, now) == Lapsed &&
		s.Generation == u.Generation &&
		s.WindowFailures < p.WindowTries &&
		now.Before(WindowCloses(s, p))
}

// WindowCloses is when an open window stops sparing the code: so long after
// the last code, or after the login where none was given, never later than
// the overall limit.
func WindowCloses(s Session, p Policy) time.Time {
	last := s.CodeAt
	if last.IsZero() {
		last = s.Began
	}
	closes, over := last.Add(p.OpenWindow), s.Began.Add(p.SessionOverall)
	if closes.After(over) {
		return over
	}
	return closes
}
