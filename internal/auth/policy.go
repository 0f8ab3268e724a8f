package auth

import "time"

// Policy is what holds for one person at one moment: the settings of the
// site, the plug-ins as they are enabled for this person, the groups the
// person is in. It is computed once per request.
//
// The zero value enables nothing and lets no session live.
type Policy struct {
	// Each tells that the plug-in is active and enabled for this person.
	TwoFactor, Passkeys, OpenIDConnect, ForwardAuth bool

	SessionIdle    time.Duration // without a request of the person's own
	SessionOverall time.Duration // since the last full login
	OpenWindow     time.Duration // since the last code; 0 asks the code at every return
	Fresh          time.Duration // how long a proof stands for a change
	WrongCodes     int           // end a pending login
	WindowTries    int           // wrong passwords that an open window survives
}

// Enables tells whether a plug-in works for this person. What needs no plug-in,
// "", always works.
func (p Policy) Enables(id PluginID) bool {
	switch id {
	case "":
		return true
	case TwoFactorPlugin:
		return p.TwoFactor
	case PasskeysPlugin:
		return p.Passkeys
	case OpenIDConnectPlugin:
		return p.OpenIDConnect
	case ForwardAuthPlugin:
		return p.ForwardAuth
	}
	return false
}

// OffersSecondFactor tells whether the person can have any second factor.
func (p Policy) OffersSecondFactor() bool { return p.TwoFactor || p.Passkeys }

// AsksAuthenticator tells whether a code of the person's authenticator app counts.
func (p Policy) AsksAuthenticator(u User) bool { return p.TwoFactor && u.HasAuthenticator() }

// AsksPasskey tells whether the person's passkeys count.
func (p Policy) AsksPasskey(u User) bool { return p.Passkeys && u.HasPasskeys() }

// AsksCode tells whether a second factor belongs to every login of this person:
// a code, or a passkey in its place. One whose plug-in is off asks for nothing,
// and opens nothing.
func (p Policy) AsksCode(u User) bool { return p.AsksAuthenticator(u) || p.AsksPasskey(u) }

// OwesEnrolment tells whether the person must set a second factor up before
// anything else. One that does not count now is none.
func (p Policy) OwesEnrolment(u User) bool {
	return p.OffersSecondFactor() && u.MustUseTwoFactor && !p.AsksCode(u)
}
