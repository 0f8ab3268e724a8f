package oidc

import (
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// asksConsent tells whether the person has to be asked before the application
// learns what it wants.
func (h *Flow) asksConsent(r *http.Request, req request, c store.Registered) (bool, error) {
	if req.Consent {
		return true, nil
	}
	before, err := h.Store.Consent(r.Context(), web.Asking(r).User().ID, c.ID)
	return c.Client.NeedsConsent(req.Scopes, before.Scopes, req.Redirect), err
}

// askConsent says in words what the application would learn.
func (h *Flow) askConsent(w http.ResponseWriter, r *http.Request, req request, c store.Registered) error {
	sealed, err := h.wait(w, r, req)
	if err != nil {
		return err
	}
	v := web.Asking(r)
	return h.Show(w, r, http.StatusOK, "oidc/consent", newConsentPage(req, c.Name, v.User().Address, sealed, h.Person(v)))
}

// consent takes the answer. It counts only for whoever was asked: where
// somebody else has logged in meanwhile, in another tab, it is asked anew.
func (h *Flow) consent(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "waiting", "person", "answer")
	if err != nil {
		return err
	}
	req, err := h.waited(r, form["waiting"])
	if err != nil {
		return err
	}
	asked := form["person"] == h.Person(v)
	if asked && form["answer"] == "deny" {
		c, err := h.registered(r, req.Client, req.Redirect)
		if err != nil {
			return err
		}
		return h.LeaveToRegistered(w, r, h.answer(req, refused(refusal{accessDenied, "the person did not agree"})), c.Name)
	}
	return h.goOn(w, r, req, turn{sendOn: h.LeaveToRegistered, agreed: asked && form["answer"] == "allow"})
}

// showClosed says why the application does not open for this person, and what
// to do. The way out tells the application.
func (h *Flow) showClosed(w http.ResponseWriter, r *http.Request, req request, c store.Registered, why auth.Opening) error {
	sealed, err := h.wait(w, r, req)
	if err != nil {
		return err
	}
	out := h.answer(req, refused(refusal{accessDenied, "this person may not open the application"}))
	return h.Show(w, r, http.StatusForbidden, "oidc/closed", newClosedPage(c.Application, why, web.SetUpPage(web.Asking(r).Policy()), sealed, out))
}
