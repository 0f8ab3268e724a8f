package login

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showPassword(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "next", "again", "email")
	if err != nil {
		return err
	}
	switch v := web.Asking(r); {
	case v.SignedIn():
		return web.Redirect(w, whereTo(web.ReturnTo(query["next"])))
	case v.Presence.Standing == auth.OwesCode:
		return confirmFirst(w, auth.NeedsCode, query["next"])
	}
	page, err := h.passwordPage(w, r, web.Form{"next": query["next"], "email": query["email"]})
	if err != nil {
		return err
	}
	page.Summary = ui.Summarize(againText(query["again"]))
	return h.Show(w, r, http.StatusOK, "login/password", page)
}

// againText says why somebody is back at the start of a login.
func againText(reason string) ui.Text {
	switch reason {
	case againLate:
		return ui.T("login.againLate")
	case againMany:
		return ui.T("login.againMany")
	}
	return ui.Text{}
}

const (
	againLate = "late"
	againMany = "many"
)

// postPassword begins a login. Whoever is unknown, disabled or unconfirmed
// gets the answer of a wrong password, after the same work.
func (h *Flow) postPassword(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()

	// Read.
	form, err := web.ReadForm(r, "email", "password", "next")
	if err != nil {
		return err
	}
	page, err := h.passwordPage(w, r, form)
	if err != nil {
		return err
	}
	if page.lacks(form) {
		return h.Show(w, r, http.StatusUnprocessableEntity, "login/password", page)
	}
	typed, err := address.Parse(form["email"])
	if err != nil {
		page.Email.Error = ui.T("login.malformedAddress")
		page.Summary = ui.Summarize(ui.Text{}, &page.Email, &page.Password)
		return h.Show(w, r, http.StatusUnprocessableEntity, "login/password", page)
	}

	// Decide.
	found, err := h.Proof.Password(ctx, h.From(r), typed.Canonical, form["password"])
	if status, why := web.NotNow(w, r, err, web.WaitText); status != 0 {
		page.Summary = ui.Summarize(why, &page.Email, &page.Password)
		return h.Show(w, r, status, "login/password", page)
	} else if err != nil {
		return err
	}

	// Write.
	if !found.Right || found.User.State != auth.Active {
		if err := h.Proof.RefusePassword(ctx, h.From(r), found); err != nil {
			return err
		}
		page.Summary = ui.Summarize(ui.T("login.wrong"), &page.Email, &page.Password)
		return h.Show(w, r, http.StatusUnprocessableEntity, "login/password", page)
	}
	attempt, in, err := h.ProvePassword(w, r, store.ProvedPassword{
		User: found.User, Hash: found.Hash, Purpose: auth.ByLogin, Return: web.ReturnTo(form["next"]),
		Browser: h.Browser(w, r).Hash(), Paid: found.Paid, Timeout: h.Rules.Timeout,
	})
	if errors.Is(err, store.ErrSpent) {
		return h.startAgain(w, againLate, form["next"])
	} else if err != nil {
		return err
	}

	// Answer.
	if in {
		return web.Redirect(w, whereTo(attempt.Return))
	}
	return h.goNext(w, r, attempt, found.User)
}

// goNext sends the visitor to whatever the attempt owes next. It is the only
// place of this flow that does.
func (h *Flow) goNext(w http.ResponseWriter, r *http.Request, a auth.Attempt, u auth.User) error {
	ctx, v := r.Context(), web.Asking(r)
	policy, err := h.Live.PolicyOf(ctx, u.ID)
	if err != nil {
		return err
	}
	attempt := "?" + url.Values{"attempt": {string(a.ID)}}.Encode()
	switch auth.Next(a, u, policy, v.Now) {
	case auth.StepCode:
		if err := h.tellUnreadable(r, u, policy); err != nil {
			return err
		}
		return web.Redirect(w, "/login/code"+attempt)
	case auth.StepEnrol:
		return web.Redirect(w, web.SetUpPage(policy)+attempt)
	case auth.StepNewPassword:
		return h.askNewPassword(w, r, u)
	case auth.StepFinish:
		return h.finish(w, r, a)
	default:
		return h.startAgain(w, againLate, a.Return)
	}
}

// askNewPassword refuses a password that somebody else must be taken to know,
// and mails its owner the way to a new one.
func (h *Flow) askNewPassword(w http.ResponseWriter, r *http.Request, u auth.User) error {
	v := web.Asking(r)
	if err := h.Store.MailReset(r.Context(), u, h.Rules.ResetLink, v.Actor(), v.Now); err != nil {
		return err
	}
	return h.Show(w, r, http.StatusForbidden, "login/new-password", askedNewPasswordPage{Address: u.Address})
}

// startAgain leads to the beginning of a login, which says why, and which leads
// to where the visitor was going.
func (h *Flow) startAgain(w http.ResponseWriter, reason, next string) error {
	query := url.Values{"again": {reason}}
	if next != "" {
		query.Set("next", next)
	}
	return web.Redirect(w, "/login?"+query.Encode())
}

// whereTo is a visitor's own address, or the application list.
func whereTo(address string) string {
	if address == "" {
		return "/apps"
	}
	return address
}
