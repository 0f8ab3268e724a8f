package auth

import "time"

// Policy is what holds for one person at one moment: the settings of the
// site, the plug-ins as they are enabled for this person, the groups the
// person is in. It is computed once per request.
//
// The zero value enables nothing and lets no session live.
type Policy struct {
	// Each tells that the plug-in is active and enabled for this person.
	TwoFactor, OpenIDConnect, ForwardAuth bool

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
	case OpenIDConnectPlugin:
		return p.OpenIDConnect
	case ForwardAuthPlugin:
		return p.ForwardAuth
	}
	return false
}

// AsksCode tells whether the code belongs to every login of this person.
func (p Policy) AsksCode(u User) bool { return p.TwoFactor && u.TwoFactor() }

// OwesEnrolment tells whether the person must enable two-factor
// authentication before anything else.
func (p Policy) OwesEnrolment(u User) bool {
	return p.TwoFactor && u.MustUseTwoFactor && !u.TwoFactor()
}
