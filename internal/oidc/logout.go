package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// leaving is a person on the way out, as an application asked for it (OpenID
// Connect RP-Initiated Logout 1.0 §2).
type leaving struct {
	Name string // of the application; "" where nobody knows which
	To   string // where to go afterwards; "" for nowhere
	Sure bool   // the application showed an ID token of this very session
}

// logout ends the session where the application shows that it speaks of this
// very one. Everybody else could be anybody's link, so the person is asked.
func (h *Flow) logout(w http.ResponseWriter, r *http.Request) error {
	p, ok := readQuery(r)
	if !ok || p.repeats("id_token_hint", "client_id", "post_logout_redirect_uri", "state") {
		return unsound()
	}
	l, err := h.readLogout(r, p)
	if err != nil {
		return err
	}
	switch held := web.Asking(r).Presence.Session; {
	case held.ID == "" || !held.Ended.IsZero():
		return h.loggedOut(w, r, l, h.redirect)
	case l.Sure && web.IsVisit(r):
		if err := h.Logout(w, r); err != nil {
			return err
		}
		return h.loggedOut(w, r, l, h.redirect)
	}
	sealed, err := h.seal(l, leavingRow(h.Browser(w, r)))
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "oidc/logout", logoutPage{Name: l.Name, Leaving: sealed,
		Astray: p.get("post_logout_redirect_uri") != "" && l.To == ""})
}

// logoutByForm takes what an application's page posted. A browser sends no
// cookies along with it, so it is asked to come back by itself.
func (h *Flow) logoutByForm(w http.ResponseWriter, r *http.Request) error {
	p, ok := readBody(r)
	if !ok {
		return unsound()
	}
	return web.Redirect(w, logoutPath+"?"+url.Values(p).Encode())
}

// readLogout finds out who is asking and where to go afterwards: only to an
// address that was registered for the application, which says who it is by an ID
// token of ours, however old, or by its client_id.
func (h *Flow) readLogout(r *http.Request, p parameters) (leaving, error) {
	var l leaving
	id, v := p.get("client_id"), web.Asking(r)
	if hint := p.get("id_token_hint"); hint != "" {
		told, err := h.readIDToken(r.Context(), hint)
		if errors.Is(err, errNotOurs) || err == nil && id != "" && id != told.Audience {
			return l, nil // whoever it is, it is not who it says
		} else if err != nil {
			return l, err
		}
		id = told.Audience
		l.Sure = told.Session == string(v.Presence.Session.ID) && told.Subject == string(v.Presence.User.ID)
	}
	c, err := h.Store.Registered(r.Context(), auth.ApplicationID(id))
	if errors.Is(err, store.ErrNotFound) {
		return leaving{}, nil
	} else if err != nil {
		return l, err
	}
	l.Name = c.Name
	if to := p.get("post_logout_redirect_uri"); slices.Contains(c.Client.LogoutURIs, to) {
		l.To = withState(to, p.get("state"))
	}
	return l, nil
}

func withState(to, state string) string {
	if state == "" {
		return to
	}
	joint := "?"
	if strings.Contains(to, "?") {
		joint = "&"
	}
	return to + joint + url.Values{"state": {state}}.Encode()
}

// confirmLogout is the person's own word.
func (h *Flow) confirmLogout(w http.ResponseWriter, r *http.Request) error {
	form, err := web.ReadForm(r, "leaving")
	if err != nil {
		return err
	}
	var l leaving
	if !h.unseal(form["leaving"], leavingRow(h.KnownBrowser(r)), &l) {
		return unsound()
	}
	if err := h.Logout(w, r); err != nil {
		return err
	}
	return h.loggedOut(w, r, l, h.LeaveToRegistered)
}

// loggedOut leads to where the application wanted, or to the login.
func (h *Flow) loggedOut(w http.ResponseWriter, r *http.Request, l leaving, sendOn func(http.ResponseWriter, *http.Request, string, string) error) error {
	if l.To != "" {
		return sendOn(w, r, l.To, l.Name)
	}
	h.Notice(w, "login.doneLogout")
	return web.Redirect(w, "/login")
}

func leavingRow(browser secret.Token) string { return "leaving/" + browser.Hash().Text() }

// seal makes of something what only this server can read, and only in its place.
func (h *Flow) seal(what any, row string) (string, error) {
	plain, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	sealed, err := h.Ring.Seal(plain, row)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// unseal reads what seal made.
func (h *Flow) unseal(sealed, row string, into any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return false
	}
	plain, _, err := h.Ring.Open(raw, row)
	return err == nil && json.Unmarshal(plain, into) == nil
}

// logoutPage asks whether to log out.
type logoutPage struct {
	Name    string // of the application that asks; "" where nobody knows which
	Leaving string // sealed
	Astray  bool   // it wanted the person sent on to an address that is not registered
}

func (p logoutPage) Question() ui.Text {
	if p.Name == "" {
		return ui.T("oidc.logoutQuestion")
	}
	return ui.T("oidc.logoutQuestionBy", "Name", p.Name)
}
