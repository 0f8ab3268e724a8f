package auth

import (
	"slices"
	"time"
)

// ApplicationID names an application.
type ApplicationID string

// Kind is how an application learns who opens it.
type Kind string

const (
	Link         Kind = "link"           // it does not: it is only on the list
	BehindProxy  Kind = "forward-auth"   // from the reverse proxy before it
	SpeaksOpenID Kind = "openid-connect" // from us, by OpenID Connect
)

// Plugin is the plug-in that an application of this kind needs; "" for none.
func (k Kind) Plugin() PluginID {
	switch k {
	case BehindProxy:
		return ForwardAuthPlugin
	case SpeaksOpenID:
		return OpenIDConnectPlugin
	}
	return ""
}

// Asks tells whether anybody is asked here who opens an application of this
// kind. What one that does not ask demanded, nobody would hear.
func (k Kind) Asks() bool { return k != Link }

// Application is something that people open from the application list.
// Nobody may open it until somebody is allowed.
type Application struct {
	ID          ApplicationID
	Kind        Kind
	Name        string
	Description string
	URL         string
	Hosts       []string // further hosts that lead to it, behind a proxy
	Created     time.Time

	// RequireTwoFactor refuses whoever is not asked for a code at login.
	RequireTwoFactor bool

	Everyone bool
	Groups   []GroupID
	Users    []UserID
}

// MayOpen tells whether a person in these groups may open the application.
func (a Application) MayOpen(u UserID, groups []Group) bool {
	return a.Everyone || slices.Contains(a.Users, u) ||
		slices.ContainsFunc(groups, func(g Group) bool { return slices.Contains(a.Groups, g.ID) })
}

// Opening is the answer to a person at an application's door.
type Opening string

const (
	Opens Opening = "opens"
	// NotAllowed: neither everyone nor the person nor a group of theirs is
	// named.
	NotAllowed Opening = "not allowed"
	// NotOffered: the plug-in that the application's kind needs, or the
	// two-factor authentication that it demands, is off for this person.
	NotOffered Opening = "not offered"
	// WantsSetUp: the application demands two-factor authentication, and the
	// person has yet to enable it.
	WantsSetUp Opening = "wants set-up"
)

// OpeningFor tells whether a signed-in person in these groups may open the
// application, and if not, why. Login and every other application stay open to
// whoever is refused here.
func (a Application) OpeningFor(u User, groups []Group, p Policy) Opening {
	if !a.MayOpen(u.ID, groups) {
		return NotAllowed
	}
	return a.OpeningForAllowed(u, p)
}

// OpeningForAllowed is OpeningFor for a person who is known to be allowed.
func (a Application) OpeningForAllowed(u User, p Policy) Opening {
	switch {
	case !p.Enables(a.Kind.Plugin()):
		return NotOffered
	case !a.RequireTwoFactor || p.AsksCode(u):
		return Opens
	case p.OffersSecondFactor():
		return WantsSetUp
	}
	return NotOffered
}

// MayRequireTwoFactor tells whether an actor may switch an application's demand
// for two-factor authentication: only somebody who uses it.
func MayRequireTwoFactor(by Actor, p Policy) bool { return by.Command || p.AsksCode(by.User) }
