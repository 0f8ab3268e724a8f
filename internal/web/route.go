package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
)

// Need is who may ask a route at all.
type Need string

const (
	Anybody       Need = "anybody"
	SignedIn      Need = "signed in"
	Administrator Need = "administrator"
)

// Route is one address of a flow, and what it demands.
type Route struct {
	Method string
	Path   string // as net/http's ServeMux has it
	Need   Need
	Plugin auth.PluginID // answers 404 where it is not enabled for the person
	Or     auth.PluginID // that does as well; "" for none
	Action auth.Action   // asks for fresh proofs; "" for none

	// Background marks what pages ask by themselves: it is no activity of
	// the person's, and is refused with a status instead of a redirect.
	Background bool
	// Own marks a background request that the person caused.
	Own bool

	// About is what those who watch from outside count it as.
	About About

	// Foreign takes POSTs from anywhere: of programs, and from pages of
	// applications. What it changes it must not change on a cookie's word.
	Foreign bool
	// Popup may be shown in a window that an application's page opened, which
	// is waiting there to hear from it.
	Popup bool
	// Upload takes a file.
	Upload bool
	// Held takes a form that waited, sealed.
	Held bool
	// Ticket marks a GET that writes: it gives a ticket to a browser that comes,
	// and nothing to one that only looks.
	Ticket bool
	// Unasked tells requests that a page, an application's or one of ours, makes by
	// itself: they are no activity of the person's. nil for none.
	Unasked func(*http.Request) bool

	Serve func(http.ResponseWriter, *http.Request) error

	// Quick answers what is asked far more often than anything else, from memory
	// and without a page, and gives the status; 0 where it leaves the answer to
	// Serve, and has written nothing. nil for none.
	Quick func(w http.ResponseWriter, r *http.Request, now time.Time) (status int)
}

// most is how much the route takes.
func (rt Route) most() int64 {
	switch {
	case rt.Upload:
		return maxUpload
	case rt.Held:
		return maxHeld
	}
	return maxBody
}

// isEnabled tells whether a plug-in that the route belongs to works for somebody.
func (rt Route) isEnabled(p auth.Policy) bool {
	return p.Enables(rt.Plugin) || rt.Or != "" && p.Enables(rt.Or)
}

func (f *Floor) serve(rt Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f.admit(rt, w, r); err != nil {
			f.fail(w, r, err)
		}
	})
}

// admit asks in this order: may this form come from there, may this visitor
// come here, are the proofs fresh enough.
func (f *Floor) admit(rt Route, w http.ResponseWriter, r *http.Request) error {
	if err := f.checkOrigin(r); err != nil && !rt.Foreign {
		return err
	}
	if rt.Ticket && !IsVisit(r) {
		return onlyLooks(r)
	}
	if rt.Popup {
		keepOpener(w)
	}
	v := Asking(r)
	if rt.Need != Anybody && !v.SignedIn() {
		return f.sendToLogin(rt, v, w, r)
	}
	if v.SignedIn() && isOwn(rt, r) {
		f.Live.Seen(r.Context(), v.Presence.Session, v.Now)
		v.Presence.Session.LastSeen = v.Now
	}
	if rt.Need == Administrator && !v.User().Administrator {
		return Forbidden()
	}
	if !rt.isEnabled(v.Policy()) {
		return NotFound()
	}
	if rt.Action != "" {
		if missing := auth.May(v.Actor(), rt.Action, v.Policy(), v.Now); missing != auth.Yes {
			return f.AskAgain(w, r, missing)
		}
	}
	return rt.Serve(w, r)
}

// isOwn tells what the person does from what a page does by itself, also in a
// frame that nobody sees. A browser that does not say is believed: it can only
// keep its own session.
func isOwn(rt Route, r *http.Request) bool {
	if rt.Background {
		return rt.Own
	}
	into := r.Header.Get("Sec-Fetch-Dest")
	return IsVisit(r) && (into == "" || into == "document") && (rt.Unasked == nil || !rt.Unasked(r))
}

// IsVisit tells a navigation or a form from a script, a browser that looks ahead,
// and a program that asks for the headers alone.
func IsVisit(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return r.Method != http.MethodHead && (mode == "" || mode == "navigate") && r.Header.Get("Sec-Purpose") == ""
}

// onlyLooks refuses whoever is no visitor. A browser that looked ahead comes
// again when the person does.
func onlyLooks(r *http.Request) error {
	if r.Method == http.MethodHead {
		return &Refusal{Status: http.StatusMethodNotAllowed, Allow: http.MethodGet}
	}
	return &Refusal{Status: http.StatusForbidden}
}

// sendToLogin answers whoever is not signed in. A page leads to the login and
// back to itself afterwards; a form does not come back, for its content is
// gone; a background request only learns that nobody is signed in. A session that
// owes a code is somebody's, and a plug-in that is off for them answers nothing.
func (f *Floor) sendToLogin(rt Route, v *Visitor, w http.ResponseWriter, r *http.Request) error {
	switch {
	case rt.Background:
		return &Refusal{Status: http.StatusUnauthorized}
	case v.Presence.Standing == auth.OwesCode && !rt.isEnabled(v.Policy()):
		return NotFound()
	case v.Presence.Standing == auth.OwesCode:
		return f.AskAgain(w, r, auth.NeedsCode)
	case r.Method == http.MethodGet:
		return Redirect(w, "/login?"+url.Values{"next": {r.URL.RequestURI()}}.Encode())
	}
	return Redirect(w, "/login")
}

// SendToLogin answers a page that only its own handler knows to be closed to
// this visitor, and that belongs to a plug-in; "" to none.
func (f *Floor) SendToLogin(w http.ResponseWriter, r *http.Request, plugin auth.PluginID) error {
	return f.sendToLogin(Route{Plugin: plugin}, Asking(r), w, r)
}

// Redirect answers 303: the browser goes on with GET, whatever it sent.
func Redirect(w http.ResponseWriter, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}
