package register

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

var deadLinkAction = ui.Button{Label: ui.T("login.create"), Href: "/register"}

// pending finds the sign-up of a link. Once strangers may not create accounts
// any more, those that they began are not finished either.
func (h *Flow) pending(r *http.Request, typed string) (c store.ConfirmedSignup, err error) {
	if err := h.open(r); err != nil {
		return c, err
	}
	token, _ := secret.Parse(typed)
	c = store.ConfirmedSignup{Link: token.Hash(), Timeout: h.Timeout}
	c.PendingSignup, err = h.Store.Signup(r.Context(), c.Link, web.Asking(r).Now)
	if errors.Is(err, store.ErrSpent) {
		return c, web.DeadLink(&deadLinkAction)
	}
	c.Here = c.Browser.Equal(h.KnownBrowser(r).Hash())
	return c, err
}

// showConfirm only looks: programs that scan mail open every link.
func (h *Flow) showConfirm(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	pending, err := h.pending(r, query["token"])
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "register/confirm", newConfirmPage(query["token"], pending.Address, pending.Here))
}

// postConfirm makes the account. In the browser that signed up it signs in,
// as far as the next step that a login owes; elsewhere the password is asked,
// and the login page follows.
func (h *Flow) postConfirm(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "token", "password")
	if err != nil {
		return err
	}
	pending, err := h.pending(r, form["token"])
	if err != nil {
		return err
	}

	// Decide.
	page := newConfirmPage(form["token"], pending.Address, pending.Here)
	if !pending.Here {
		status, err := h.provePassword(w, r, &page, pending.Canonical, form["password"])
		if err != nil {
			return err
		}
		if page.HasFailed() {
			return h.Show(w, r, status, "register/confirm", page)
		}
	}

	// Write.
	attempt, err := h.Store.ConfirmSignup(ctx, v.Actor(), pending, v.Now)
	if errors.Is(err, store.ErrSpent) || errors.Is(err, store.ErrTaken) {
		return web.DeadLink(&deadLinkAction)
	} else if err != nil {
		return err
	}

	// Answer.
	if !pending.Here {
		h.Notice(w, "register.doneConfirmed")
		return web.Redirect(w, web.Login(attempt.Return))
	}
	_, err = h.FinishLoginHere(w, r, attempt)
	if errors.Is(err, store.ErrSpent) { // the login owes another step
		h.Notice(w, "register.doneConfirmed")
		return web.Redirect(w, web.Login(attempt.Return))
	} else if err != nil {
		return err
	}
	h.Notice(w, "register.doneWelcome")
	if attempt.Return != "" {
		return web.Redirect(w, attempt.Return)
	}
	return web.Redirect(w, "/apps")
}

// provePassword asks whoever confirms in another browser for the password of
// the sign-up. What is wrong is marked in the page.
func (h *Flow) provePassword(w http.ResponseWriter, r *http.Request, page *confirmPage, canonical, typed string) (status int, err error) {
	if typed == "" {
		page.refuse(ui.T("login.missingPassword"))
		return http.StatusUnprocessableEntity, nil
	}
	tried, err := h.Proof.SignupPassword(r.Context(), h.From(r), canonical, typed)
	status, why := web.NotNow(w, r, err, waitText)
	switch {
	case status != 0:
		page.refuse(why)
		return status, nil
	case err != nil:
		return 0, err
	case !tried.Right || tried.Signup.Canonical != canonical:
		page.refuse(ui.T("confirm.wrongPassword"))
		tried.Signup = auth.Signup{} // its letter is in hand: no second one goes
		return http.StatusUnprocessableEntity, h.Proof.RefusePassword(r.Context(), h.From(r), tried)
	}
	return 0, nil
}

// waitText says when to come back. A door that is closed opens in the browser
// that signed up, or with a sign-up that begins afresh: the letter is the proof.
func waitText(wait *store.WaitError, v *web.Visitor) ui.Text {
	if wait.Closed {
		return ui.T("register.closed")
	}
	return ui.T("register.wait", "Wait", v.Texts.Duration(wait.Until.Sub(v.Now)))
}
