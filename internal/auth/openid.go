package auth

import (
	"slices"
	"strings"
	"time"
)

// Scope is what an application may learn of a person, or do for them.
type Scope string

const (
	ScopeOpenID  Scope = "openid"         // who it is, by an identifier
	ScopeProfile Scope = "profile"        // name and language
	ScopeEmail   Scope = "email"          // the address
	ScopeGroups  Scope = "groups"         // the names of their groups
	ScopeOffline Scope = "offline_access" // all of it while the person is away
)

// AllScopes are all there are, in the order in which people read them.
var AllScopes = Scopes{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeGroups, ScopeOffline}

// Scopes are a set: each once, in the order of AllScopes.
type Scopes []Scope

// ParseScopes reads words with spaces between them. What it does not know it
// drops (OpenID Connect Core 1.0 §3.1.2.1).
func ParseScopes(words string) Scopes {
	given := strings.Fields(words)
	return AllScopes.where(func(s Scope) bool { return slices.Contains(given, string(s)) })
}

func (s Scopes) where(keep func(Scope) bool) Scopes {
	var kept Scopes
	for _, scope := range s {
		if keep(scope) {
			kept = append(kept, scope)
		}
	}
	return kept
}

// String joins them by spaces, as ParseScopes reads them.
func (s Scopes) String() string {
	words := make([]string, len(s))
	for i, scope := range s {
		words[i] = string(scope)
	}
	return strings.Join(words, " ")
}

// Has tells whether one of them is this.
func (s Scopes) Has(scope Scope) bool { return slices.Contains(s, scope) }

// Within tells whether all of them are among others.
func (s Scopes) Within(others Scopes) bool { return len(s.Both(others)) == len(s) }

// Both are those that are among others too.
func (s Scopes) Both(others Scopes) Scopes { return s.where(others.Has) }

// With are those of either.
func (s Scopes) With(others Scopes) Scopes {
	return AllScopes.where(func(scope Scope) bool { return s.Has(scope) || others.Has(scope) })
}

// Algorithm is how what we tell an application is signed (RFC 7518 §3.1).
type Algorithm string

const (
	ES256 Algorithm = "ES256"
	RS256 Algorithm = "RS256"
)

// Client is an application as it speaks OpenID Connect with us. Its client_id
// is the application's own identifier.
type Client struct {
	Application ApplicationID

	// Public clients run where no secret can be kept: in a browser, on a phone.
	Public bool
	// WithoutPKCE lets a client that keeps a secret do without a code
	// challenge. A public client always needs one.
	WithoutPKCE bool
	// WithoutConsent is an administrator's word for everybody: nobody is asked
	// what the application may learn, unless any program could be it.
	WithoutConsent bool

	Algorithm Algorithm
	Scopes    Scopes // that it may ask for

	RedirectURIs []string // where answers may go, exactly
	LogoutURIs   []string // where people may go after a logout, exactly
	LogoutNotice string   // is told when a session ends (back-channel); "" for no address
}

// Consent is what a person let an application learn.
type Consent struct {
	Application ApplicationID
	Scopes      Scopes
	Given       time.Time
}

// NeedsConsent tells whether a person has to be asked before an application
// learns this. given is what they let it learn before.
//
// A public client that answers come to on the person's own machine may be any
// program there, so what was said to it once says nothing of the next time, and
// an administrator's word for it would be one for all of them (RFC 8252 §8.6).
func (c Client) NeedsConsent(asked, given Scopes, redirect string) bool {
	switch {
	case c.Public && !strings.HasPrefix(redirect, "https://"):
		return true
	case c.WithoutConsent:
		return false
	}
	return !asked.Within(given)
}

// Authentication is what a session proved, and when: what applications are told
// of it.
type Authentication struct {
	// At is when the last full proof was complete. A return through an open
	// window does not move it.
	At time.Time
	// PasswordBy is what stood in the password's place.
	PasswordBy PasswordBy
	// Code tells that a code belongs to it, and that nobody returned without
	// one since.
	Code bool
	// CodeBy is what stood in the code's place; "" is an authenticator app. It
	// is kept where the password's place was taken by a passkey, too, of which
	// it tells the kind.
	CodeBy CodeBy
}

// AuthenticationOf is what a live session can vouch for. Of a password and a
// code the older counts.
func AuthenticationOf(s Session, u User, p Policy) Authentication {
	a := Authentication{At: s.PasswordAt, PasswordBy: s.PasswordBy}
	if !s.ReturnedAt.Before(s.PasswordAt) {
		a.PasswordBy = "" // an open window takes the password alone
	}
	if p.AsksCode(u) {
		if s.CodeAt.Before(a.At) {
			a.At = s.CodeAt
		}
		a.Code = !s.CodeAt.IsZero() && s.CodeAt.After(s.ReturnedAt)
	}
	if a.Code || a.PasswordBy == PasswordByPasskey {
		a.CodeBy = s.CodeBy
	}
	return a
}

// Classes of what was proved, as OpenID Connect's acr names them.
const (
	ClassPassword = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	ClassCode     = "https://refeds.org/profile/mfa"
)

// Class is what the proofs are worth together, as OpenID Connect's acr.
func (a Authentication) Class() string {
	if a.Code {
		return ClassCode
	}
	return ClassPassword
}

// Methods are the proofs one by one, as OpenID Connect's amr (RFC 8176 §2). A
// passkey in the password's place is two proofs in one as long as it counts as a
// code, and otherwise one; where a code came after it, what kind it was of is
// not known any more.
func (a Authentication) Methods() []string {
	var methods []string
	if a.PasswordBy == "" {
		methods = append(methods, "pwd")
	}
	switch {
	case a.CodeBy == BySyncedPasskey:
		methods = append(methods, "swk", "user")
	case a.CodeBy == ByPasskey:
		methods = append(methods, "hwk", "user")
	case a.PasswordBy == PasswordByPasskey:
		methods = append(methods, "pop", "user")
	}
	if a.Code && !a.CodeBy.IsPasskey() {
		methods = append(methods, "otp")
	}
	if a.Code {
		methods = append(methods, "mfa")
	}
	return methods
}

// GrantID names a grant in the record. It opens nothing.
type GrantID string

// Grant is what a person's session gave an application: first a code, and for
// the code tokens. It is a child of the session, and ends with it.
type Grant struct {
	ID          GrantID
	Application ApplicationID
	User        UserID
	Session     SessionID
	Generation  int64 // the account's, when the grant began; a code of an older one is refused
	Scopes      Scopes

	Redirect  string // where the code went
	Nonce     string
	Challenge string // S256 (RFC 7636 §4.2); "" for none

	Authentication Authentication
	CodeGiven      bool // by its session, before the grant began or since

	Began       time.Time
	CodeExpires time.Time
	CodeUsed    time.Time // zero: not yet
	Expires     time.Time // nothing of it outlives this
	Ended       time.Time // zero: not ended by anybody
}

// Offline tells a grant that works while the person is away: it has refresh
// tokens, and outlives the session's own limits. It ends with a logout and every
// other ending by somebody's will.
func (g Grant) Offline() bool { return g.Scopes.Has(ScopeOffline) }

// OwesCode tells a grant that goes on for nobody: its session began while the
// person was not asked for a code, and has not given the one they are asked for
// now.
func (g Grant) OwesCode(u User, p Policy) bool { return p.AsksCode(u) && !g.CodeGiven }
