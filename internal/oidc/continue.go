package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// patience is how long a request waits for its person to log in.
const patience = time.Hour

// wait gives the address that goes on with a request. The request is in it,
// sealed for this browser: another one that is sent the address cannot open it,
// and a stranger's questions leave nothing here.
func (h *Flow) wait(w http.ResponseWriter, r *http.Request, req request) (string, error) {
	return h.seal(req, waitingRow(h.Browser(w, r)))
}

func waitingRow(browser secret.Token) string { return "waiting request/" + browser.Hash().Text() }

// waited opens what wait sealed. Of another browser, altered or too old it is
// refused alike.
func (h *Flow) waited(r *http.Request, sealed string) (request, error) {
	var req request
	if !h.unseal(sealed, waitingRow(h.KnownBrowser(r)), &req) {
		return req, unsound()
	}
	if now := web.Asking(r).Now; now.Before(req.Began) || !now.Before(req.Began.Add(patience)) {
		return req, &web.Refusal{Status: http.StatusGone, Heading: ui.T("oidc.lateHeading"), Text: ui.T("oidc.late")}
	}
	return req, nil
}

// goOnWaiting goes on with a request whose person did what was owed.
func (h *Flow) goOnWaiting(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "waiting")
	if err != nil {
		return err
	}
	req, err := h.waited(r, query["waiting"])
	if err != nil {
		return err
	}
	return h.goOn(w, r, req, turn{sendOn: h.LeaveToRegistered})
}

// turn is how one round of goOn came about.
type turn struct {
	sendOn func(w http.ResponseWriter, r *http.Request, to, name string) error
	agreed bool // the person has just pressed "Allow"
}

// goOn does what a request owes next: a login, a fresh proof, a reason why not,
// the question for consent, or the code. It is the only place of this flow that
// knows the order. What holds is looked at anew each time: the registration, who
// may open the application, the session.
func (h *Flow) goOn(w http.ResponseWriter, r *http.Request, req request, t turn) error {
	c, err := h.registered(r, req.Client, req.Redirect)
	if err != nil {
		return err
	}
	v := web.Asking(r)
	tell := func(code, why string) error {
		return t.sendOn(w, r, h.answer(req, refused(refusal{code, why})), c.Name)
	}
	if missing := req.keepTo(c.Client); missing != nil {
		return tell(missing.code, missing.why)
	}
	if !v.SignedIn() {
		return h.wantLogin(w, r, req, c, t)
	}
	if req.Subject != "" && req.Subject != v.User().ID {
		return tell(loginRequired, "somebody else is signed in than id_token_hint names")
	}
	if opening := c.OpeningFor(v.User(), v.Groups(), v.Policy()); opening != auth.Opens {
		if req.Silent {
			return tell(silently(opening), "this person may not open the application")
		}
		return h.showClosed(w, r, req, c, opening)
	}
	proofs := auth.AuthenticationOf(v.Presence.Session, v.User(), v.Policy())
	if missing := req.owes(proofs, v.Policy().AsksCode(v.User())); missing != auth.Yes {
		if req.Silent {
			return tell(loginRequired, "the login is older, or weaker, than was asked for")
		}
		return h.toConfirm(w, r, req, missing)
	}
	asks, err := h.asksConsent(r, req, c)
	if err != nil {
		return err
	}
	switch {
	case asks && req.Silent:
		return tell(consentRequired, "the person has not agreed to this yet")
	case asks && !t.agreed:
		return h.askConsent(w, r, req, c)
	}
	return h.sendCode(w, r, req, c, proofs, t)
}

// silently is what an application is told that wanted nobody to see a page.
func silently(o auth.Opening) string {
	if o == auth.WantsSetUp {
		return interactionRequired
	}
	return accessDenied
}

func continueAt(sealed string) string {
	return continuePath + "?" + url.Values{"waiting": {sealed}}.Encode()
}

// wantLogin asks for a login, or tells an application that wants nobody to see a
// page that one is owed.
func (h *Flow) wantLogin(w http.ResponseWriter, r *http.Request, req request, c store.Registered, t turn) error {
	if req.Silent {
		return t.sendOn(w, r, h.answer(req, refused(refusal{loginRequired, "nobody is signed in"})), c.Name)
	}
	return h.toLogin(w, r, req)
}

// toLogin leads to the login, which leads back. A session that only owes its
// code is asked for that.
func (h *Flow) toLogin(w http.ResponseWriter, r *http.Request, req request) error {
	if web.Asking(r).Presence.Standing == auth.OwesCode {
		return h.toConfirm(w, r, req, auth.NeedsCode)
	}
	sealed, err := h.wait(w, r, req)
	if err != nil {
		return err
	}
	query := url.Values{"next": {continueAt(sealed)}}
	if req.Hint != "" {
		query.Set("email", req.Hint)
	}
	return web.Redirect(w, "/login?"+query.Encode())
}

// toConfirm leads to where a session's proofs are made fresh, and back.
func (h *Flow) toConfirm(w http.ResponseWriter, r *http.Request, req request, missing auth.Answer) error {
	sealed, err := h.wait(w, r, req)
	if err != nil {
		return err
	}
	return web.Redirect(w, "/login/confirm?"+url.Values{"next": {continueAt(sealed)}, "ask": {string(missing)}}.Encode())
}

// sendCode makes the code and sends it to the application.
func (h *Flow) sendCode(w http.ResponseWriter, r *http.Request, req request, c store.Registered, proofs auth.Authentication, t turn) error {
	v := web.Asking(r)
	grant := auth.Grant{
		Application: c.ID, User: v.User().ID, Session: v.Presence.Session.ID, Generation: v.User().Generation,
		Scopes: req.Scopes, Redirect: req.Redirect, Nonce: req.Nonce, Challenge: req.Challenge,
		Authentication: proofs, CodeExpires: v.Now.Add(h.Rules.Code),
		Expires: v.Presence.Session.Began.Add(v.Policy().SessionOverall),
	}
	if grant.Offline() {
		grant.Expires = v.Now.Add(h.Rules.Refresh)
	}
	var consent auth.Scopes
	if t.agreed {
		consent = req.Scopes
	}
	code, err := h.Store.BeginGrant(r.Context(), v.Actor(), grant, c.Name, consent, v.Now)
	if errors.Is(err, store.ErrSpent) { // the session ended, or the account changed, this very moment
		return h.wantLogin(w, r, req, c, t)
	} else if err != nil {
		return err
	}
	return t.sendOn(w, r, h.answer(req, url.Values{"code": {code.Reveal()}}), c.Name)
}
