package login

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/session"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// standing is what the page's own watch is told of its session.
type standing string

const (
	standingLive   standing = "live"
	standingLapsed standing = "lapsed" // past the idle limit: the dialog, if the page still has the secret
	standingLogin  standing = "login"  // the password alone is not enough any more: a full login, in a new tab
	standingOver   standing = "over"   // ended: the page empties itself
)

// windowAnswer is what a page's script gets. Milliseconds are from now.
type windowAnswer struct {
	Standing  standing `json:"standing"`
	Person    string   `json:"person,omitempty"`
	Secret    string   `json:"secret,omitempty"`
	IdleLeft  int64    `json:"idleLeft,omitempty"`
	WarnLeft  int64    `json:"warnLeft,omitempty"`
	TotalLeft int64    `json:"totalLeft,omitempty"`
	Text      string   `json:"text,omitempty"` // what was wrong with the password
}

// windowState tells a page how its session stands. It is no activity, and a
// lapsed cookie learns nothing from it but that it has lapsed.
func (h *Flow) windowState(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	if !h.SameOrigin(r) {
		return &web.Refusal{Status: http.StatusForbidden}
	}
	return web.JSON(w, http.StatusOK, h.stateOf(web.Asking(r)))
}

func (h *Flow) stateOf(v *web.Visitor) windowAnswer {
	switch {
	case v.SignedIn():
		return h.live(v)
	case !comesBack(v.Presence):
		return windowAnswer{Standing: standingOver}
	case v.Presence.Standing == auth.Lapsed && h.mayReturn(v.Presence, v.Now):
		return windowAnswer{Standing: standingLapsed}
	}
	return windowAnswer{Standing: standingLogin}
}

// comesBack tells a session that ended by itself, whose person may log in
// again and go on in the page, from one that somebody ended.
func comesBack(p session.Presence) bool {
	return p.Session.ID != "" && p.Session.Ended.IsZero() && p.User.State == auth.Active
}

// live is what a page of a live session may know, its secret included.
func (h *Flow) live(v *web.Visitor) windowAnswer {
	window := h.Window(v)
	return windowAnswer{
		Standing: standingLive, Person: window.Person, Secret: window.Secret,
		IdleLeft: window.IdleLeft.Milliseconds(), WarnLeft: window.WarnLeft.Milliseconds(),
		TotalLeft: window.TotalLeft.Milliseconds(),
	}
}

// stay is "Stay signed in". The floor has noted it as the person's own.
func (h *Flow) stay(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	v := web.Asking(r)
	v.Presence.Session.LastSeen = v.Now
	return web.JSON(w, http.StatusOK, h.live(v))
}

// returnThroughWindow takes the password of a window that was still open when
// its session lapsed. The proof of that window has two halves, the lapsed
// session's cookie and the secret that only its pages were given; without both
// the password is not examined, and the answer says nothing. No refusal sets
// or clears a cookie.
func (h *Flow) returnThroughWindow(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "password", "secret")
	if err != nil {
		return err
	}
	if !h.SameOrigin(r) || !h.holdsSecret(v, form["secret"]) {
		return web.JSON(w, http.StatusForbidden, windowAnswer{Standing: standingOver})
	}
	lapsed := v.Presence
	switch {
	case v.SignedIn(): // another page of this browser was faster
		return web.JSON(w, http.StatusOK, h.live(v))
	case lapsed.Standing != auth.Lapsed:
		return web.JSON(w, http.StatusForbidden, windowAnswer{Standing: standingOver})
	case !h.mayReturn(lapsed, v.Now):
		return web.JSON(w, http.StatusForbidden, windowAnswer{Standing: standingLogin})
	}

	// Decide.
	from := h.From(r)
	from.Actor.User, from.Actor.Session = lapsed.User, lapsed.Session
	tried, err := h.Proof.Password(ctx, from, lapsed.User.Canonical, form["password"])
	status, why := web.NotNow(w, r, err, web.WaitText)
	switch {
	case status != 0:
		return web.JSON(w, status, windowAnswer{Standing: standingLapsed, Text: why.In(v.Texts)})
	case err != nil:
		return err
	case !tried.Right:
		return h.refuseReturn(w, r, from, tried)
	}

	// Write.
	token, err := h.Store.ReturnThroughWindow(ctx, from.Actor, lapsed.Session, v.Token.Hash(), tried.Paid, v.Now)
	if errors.Is(err, store.ErrSpent) {
		return web.JSON(w, http.StatusForbidden, windowAnswer{Standing: standingOver})
	} else if err != nil {
		return err
	}

	// Answer.
	h.KeepSession(w, token)
	return h.welcomeBack(w, r, token)
}

// holdsSecret compares the second half of the proof with what this session's
// pages were given.
func (h *Flow) holdsSecret(v *web.Visitor, typed string) bool {
	given, err := base64.RawURLEncoding.Strict().DecodeString(typed)
	if err != nil || v.Token.IsZero() || v.Presence.Session.ID == "" {
		return false
	}
	want := h.WindowSecret(v.Token)
	return subtle.ConstantTimeCompare(given, want[:]) == 1
}

// mayReturn asks the one place that knows what a login owes, under the policy
// of now, as if the password were already proved.
func (h *Flow) mayReturn(p session.Presence, now time.Time) bool {
	attempt := auth.Attempt{
		User: p.User.ID, Purpose: auth.ByWindow, Generation: p.Session.Generation,
		Began: now, Expires: now.Add(h.Rules.Timeout), PasswordAt: now, Window: &p.Session,
	}
	return auth.MayReturn(p.Session, p.User, p.Policy, now) &&
		auth.Next(attempt, p.User, p.Policy, now) == auth.StepFinish
}

func (h *Flow) refuseReturn(w http.ResponseWriter, r *http.Request, from proof.From, tried proof.Password) error {
	ctx, v := r.Context(), web.Asking(r)
	if err := h.Proof.RefusePassword(ctx, from, tried); err != nil {
		return err
	}
	closed, err := h.Store.RefuseReturn(ctx, from.Actor, v.Presence.Session, v.Now)
	if errors.Is(err, store.ErrSpent) {
		closed = true // it ended while the password was looked at
	} else if err != nil {
		return err
	}
	answer := windowAnswer{Standing: standingLapsed, Text: ui.T("window.wrong").In(v.Texts)}
	if closed {
		answer = windowAnswer{Standing: standingLogin}
	}
	return web.JSON(w, http.StatusUnprocessableEntity, answer)
}

// welcomeBack tells the page of its session as it now is.
func (h *Flow) welcomeBack(w http.ResponseWriter, r *http.Request, token secret.Token) error {
	v := *web.Asking(r)
	presence, err := h.Live.Who(r.Context(), token.Hash(), v.Now)
	if err != nil {
		return err
	}
	v.Token, v.Presence = token, presence
	return web.JSON(w, http.StatusOK, h.live(&v))
}
