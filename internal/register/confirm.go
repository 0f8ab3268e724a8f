package register

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

var deadLinkAction = ui.Button{Label: ui.T("login.create"), Href: "/register"}

// pending finds the sign-up of a link, and whether this browser began it.
func (h *Flow) pending(r *http.Request, typed string) (p store.PendingSignup, same bool, err error) {
	token, _ := secret.Parse(typed)
	p, err = h.Store.Signup(r.Context(), token.Hash(), web.Asking(r).Now)
	if errors.Is(err, store.ErrSpent) {
		return p, false, web.DeadLink(&deadLinkAction)
	}
	browser := h.KnownBrowser(r)
	return p, err == nil && !browser.IsZero() && p.Browser.Equal(browser.Hash()), err
}

// showConfirm only looks: programs that scan mail open every link.
func (h *Flow) showConfirm(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	p, same, err := h.pending(r, query["token"])
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "register/confirm", newConfirmPage(query["token"], p.Address, same))
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
	p, same, err := h.pending(r, form["token"])
	if err != nil {
		return err
	}

	// Decide.
	page := newConfirmPage(form["token"], p.Address, same)
	if !same {
		status, err := h.provePassword(r, &page, p, form["password"])
		if err != nil {
			return err
		}
		if page.HasFailed() {
			return h.Show(w, r, status, "register/confirm", page)
		}
	}

	// Write.
	token, _ := secret.Parse(form["token"])
	_, attempt, err := h.Store.ConfirmSignup(ctx, v.Actor(), p, token.Hash(), h.Browser(w, r).Hash(), h.Timeout, v.Now)
	if errors.Is(err, store.ErrSpent) || errors.Is(err, store.ErrTaken) {
		return web.DeadLink(&deadLinkAction)
	} else if err != nil {
		return err
	}

	// Answer.
	if !same {
		h.Notice(w, "register.doneConfirmed")
		return web.Redirect(w, "/login")
	}
	_, err = h.FinishLoginHere(w, r, attempt)
	if errors.Is(err, store.ErrSpent) { // the login owes another step
		h.Notice(w, "register.doneConfirmed")
		return web.Redirect(w, "/login")
	} else if err != nil {
		return err
	}
	h.Notice(w, "register.doneWelcome")
	return web.Redirect(w, "/apps")
}

// provePassword asks whoever confirms in another browser for the password of
// the sign-up. What is wrong is marked in the page.
func (h *Flow) provePassword(r *http.Request, page *confirmPage, p store.PendingSignup, typed string) (status int, err error) {
	tried, err := h.Proof.Password(r.Context(), h.From(r), p.Canonical, typed)
	var wait *store.WaitError
	switch {
	case errors.As(err, &wait):
		page.refuse(ui.T("register.wait"))
		return http.StatusTooManyRequests, nil
	case err != nil:
		return 0, err
	case !tried.Right || tried.Signup.Canonical != p.Canonical:
		page.refuse(ui.T("confirm.wrongPassword"))
		return http.StatusUnprocessableEntity, h.Proof.RefusePassword(r.Context(), h.From(r), proof.Password{Paid: tried.Paid})
	}
	return 0, nil
}
