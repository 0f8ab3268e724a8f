package auth

import (
	"strings"
	"time"
)

// UserID names an account for ever. It says nothing of the person, and is
// not given out again when the account is deleted.
type UserID string

// State tells whether an account may be used. Its zero value is none of
// them, so that a row read half is never taken for an active account.
type State string

const (
	Active   State = "active"
	Disabled State = "disabled"
)

// User is an account whose address has been confirmed, or whose owner was
// invited by an administrator. Whoever only began to sign up is a [Signup].
type User struct {
	ID        UserID
	Address   string // as it was typed; letters go here
	Canonical string // as addresses are compared
	Name      string
	Language  string // "" follows the browser
	Theme     string // "" follows the system

	State            State
	Administrator    bool
	MustUseTwoFactor bool

	// TwoFactorSince is when the authenticator app was turned on; zero while
	// it is off. The account says so itself: a lost or unreadable key must
	// refuse a login, never turn it into one without a code.
	TwoFactorSince time.Time
	// PasskeysSince is the same for passkeys. Each statement belongs to one
	// plug-in.
	PasskeysSince time.Time

	// HasPassword is false until an invitation was accepted.
	HasPassword bool

	// Generation rises with every change that must outdate whatever was
	// begun before it: attempts, set-ups, mailed links, lapsed sessions.
	Generation int64

	Created           time.Time
	LastLogin         time.Time // zero: never
	PasswordChangedAt time.Time
}

// TwoFactor tells whether a second factor is on: an authenticator app, or
// passkeys. Whether one is asked for is the policy's to say as well.
func (u User) TwoFactor() bool { return u.HasAuthenticator() || u.HasPasskeys() }

// HasAuthenticator tells whether the authenticator app is on.
func (u User) HasAuthenticator() bool { return !u.TwoFactorSince.IsZero() }

// HasPasskeys tells whether passkeys are on.
func (u User) HasPasskeys() bool { return !u.PasskeysSince.IsZero() }

// Called is what the person is called on the screen: the name, or the
// address where no name was given.
func (u User) Called() string {
	if u.Name != "" {
		return u.Name
	}
	return u.Address
}

// Signup is an account in the making: it holds no session and no factor
// until its address is confirmed.
type Signup struct {
	Address   string
	Canonical string
	Language  string
	Began     time.Time
	Expires   time.Time
}

// GroupID names a group.
type GroupID string

// Group is a set of people. A person may be in several.
type Group struct {
	ID   GroupID
	Name string

	// OpenWindow shortens for its members how long a window that stays open
	// spares the code; negative leaves it as the settings have it.
	OpenWindow time.Duration
}

// IsGroupName tells whether a name is fit to be a group's. Applications are told
// groups joined by commas, so a comma in a name would be another group.
func IsGroupName(name string) bool { return name != "" && !strings.Contains(name, ",") }
