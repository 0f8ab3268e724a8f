package auth

import "time"

const ms = time.Millisecond

// now is the moment that the tests look at. It is no whole second, as real
// moments are not.
var now = time.Date(2040, time.March, 31, 0, 59, 59, 999_000_000, time.UTC)

// policy has a length of its own for everything, so that no limit is taken for
// another.
func policy() Policy {
	return Policy{
		TwoFactor:      true,
		SessionIdle:    time.Hour,
		SessionOverall: 24 * time.Hour,
		OpenWindow:     12 * time.Hour,
		Fresh:          15 * time.Minute,
		WrongCodes:     5,
		WindowTries:    3,
	}
}

// ada uses two-factor authentication.
func ada() User {
	return User{ID: "ada", State: Active, TwoFactorSince: now.Add(-1000 * time.Hour), Generation: 7}
}

// signedIn is a session of hers that began two hours ago with password and
// code, and was used five minutes ago.
func signedIn() Session {
	began := now.Add(-2 * time.Hour)
	return Session{
		ID: "session", User: "ada", Generation: 7,
		Began: began, PasswordAt: began, CodeAt: began, LastSeen: now.Add(-5 * time.Minute),
	}
}

// lapsed is the same session, not used since it began.
func lapsed() Session {
	s := signedIn()
	s.LastSeen = s.Began
	return s
}
