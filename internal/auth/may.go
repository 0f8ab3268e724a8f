package auth

import "time"

// Actor is whoever does something: a person in a session, an operator at the
// command line, or the operator's settings at a start. Every change takes one,
// and its event names it.
type Actor struct {
	User     User    // zero for the command line and the settings
	Session  Session // zero for the command line, the settings and before a login
	Command  bool
	Settings bool
	Device   string
	Network  string
}

// How events name an actor who is no person.
const (
	ByCommand  UserID = "command"
	BySettings UserID = "settings"
)

// EventName is how events name the actor; "" for a stranger.
func (a Actor) EventName() UserID {
	switch {
	case a.Command:
		return ByCommand
	case a.Settings:
		return BySettings
	}
	return a.User.ID
}

// LetterName is how letters name the actor: an address, or a name of events
// for who is no person; "" for a stranger.
func (a Actor) LetterName() string {
	if a.User.ID == "" {
		return string(a.EventName())
	}
	return a.User.Address
}

// Action is something that wants more than being signed in.
type Action string

const (
	// ChangeAccount covers the address and the factors.
	ChangeAccount Action = "change account"
	// ChangePassword has the current password in its own form, so only the
	// code must be fresh.
	ChangePassword Action = "change password"
	// RemoveFactor covers disabling a factor and making new recovery codes:
	// their own forms always ask for a code, so only the password must be fresh.
	RemoveFactor Action = "remove factor"
	// EndSessions covers the person's own sessions elsewhere.
	EndSessions Action = "end sessions"
	// SeeAdministration opens the administrator's pages.
	SeeAdministration Action = "see administration"
	// ChangeAdministration is every change made there.
	ChangeAdministration Action = "change administration"
)

// Answer says whether an actor may, and if not, what is missing.
type Answer string

const (
	Yes           Answer = "yes"
	No            Answer = "no"
	NeedsPassword Answer = "needs password"
	NeedsCode     Answer = "needs code"
	NeedsBoth     Answer = "needs password and code"
	NeedsSetUp    Answer = "needs set-up"
)

// May tells whether an actor's proofs are enough for an action. It alone
// judges whether a password or a code is fresh: a proof made before the last
// return through an open window is not.
func May(by Actor, action Action, p Policy, now time.Time) Answer {
	if by.Command {
		return Yes
	}
	if StandingOf(by.Session, by.User, p, now) != SignedIn {
		return No
	}
	switch action {
	case ChangeAccount, EndSessions:
		return mayChangeAccount(by, p.AsksCode(by.User), p, now)
	case RemoveFactor:
		return mayChangeAccount(by, false, p, now)
	case ChangePassword:
		if p.AsksCode(by.User) && !fresh(by.Session.CodeAt, by.Session, p, now) {
			return NeedsCode
		}
		return Yes
	case SeeAdministration, ChangeAdministration:
		return mayAdminister(by, action, p, now)
	}
	return No
}

func mayChangeAccount(by Actor, asksCode bool, p Policy, now time.Time) Answer {
	s := by.Session
	password := fresh(s.PasswordAt, s, p, now)
	code := !asksCode || fresh(s.CodeAt, s, p, now)
	switch {
	case password && code:
		return Yes
	case password:
		return NeedsCode
	case code:
		return NeedsPassword
	}
	return NeedsBoth
}

func mayAdminister(by Actor, action Action, p Policy, now time.Time) Answer {
	proof, missing := by.Session.CodeAt, NeedsCode
	switch {
	case !by.User.Administrator:
		return No
	case !p.OffersSecondFactor():
		// Nobody can be asked for a code that the site does not offer them.
		proof, missing = by.Session.PasswordAt, NeedsPassword
	case !p.AsksCode(by.User):
		return NeedsSetUp
	}
	switch {
	case proof.IsZero(), !proof.After(by.Session.ReturnedAt):
		return missing
	case action == ChangeAdministration && !fresh(proof, by.Session, p, now):
		return missing
	}
	return Yes
}

// fresh tells whether a proof stands for a change. One that lies in the
// future was made by a clock that was wrong, and stands for nothing.
func fresh(proof time.Time, s Session, p Policy, now time.Time) bool {
	return !proof.IsZero() && proof.After(s.ReturnedAt) &&
		!proof.After(now) && now.Before(proof.Add(p.Fresh))
}
