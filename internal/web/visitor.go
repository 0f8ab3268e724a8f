package web

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/i18n"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/ui"
)

// Visitor is who is asking, and when: one reading of the clock per request.
type Visitor struct {
	Now      time.Time
	SetBacks int64 // how often the clock was set back before
	Network  netip.Addr
	Device   string // the browser's own words, shortened
	Texts    *i18n.Texts
	Theme    ui.Theme

	// Token and Presence are of the session that the cookie names, whatever
	// it is still worth; zero where there is none. Use SignedIn before
	// believing them.
	Token    secret.Token
	Presence session.Presence
}

type visitorKey struct{}

// Asking gives who is asking. It panics outside a request that a Floor serves.
func Asking(r *http.Request) *Visitor { return r.Context().Value(visitorKey{}).(*Visitor) }

// SignedIn tells whether the visitor has a live session that owes nothing.
func (v *Visitor) SignedIn() bool { return v.Presence.Standing == auth.SignedIn }

// User is the signed-in person; zero for everybody else.
func (v *Visitor) User() auth.User {
	if !v.SignedIn() {
		return auth.User{}
	}
	return v.Presence.User
}

// Groups are those that the person of the session is in.
func (v *Visitor) Groups() []auth.Group { return v.Presence.Groups }

// Policy is what holds for the person of the session.
func (v *Visitor) Policy() auth.Policy { return v.Presence.Policy }

// Actor is the visitor as events name them. Before a login it has only a
// browser and a network address.
func (v *Visitor) Actor() auth.Actor {
	a := auth.Actor{Device: v.Device, Network: v.Network.String()}
	if v.SignedIn() || v.Presence.Standing == auth.OwesCode {
		a.User, a.Session = v.Presence.User, v.Presence.Session
	}
	return a
}

// longestDevice bounds what a browser says of itself.
const longestDevice = 300

// deviceWords are the browser's own, made fit for a list and a log.
func deviceWords(r *http.Request) string {
	words := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(r.UserAgent(), " "))
	if len(words) > longestDevice {
		words = strings.ToValidUTF8(words[:longestDevice], "")
	}
	return words
}
