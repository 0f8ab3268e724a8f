package register

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/address"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// deadInvitation leads to where a new link comes from without anybody's help.
var deadInvitation = ui.Button{Label: ui.T("forgot.askAgain"), Href: "/forgot-password"}

// invited finds whose invitation a link is.
func (h *Flow) invited(r *http.Request, typed string) (auth.User, error) {
	token, _ := secret.Parse(typed)
	link, err := h.Store.Link(r.Context(), token.Hash(), store.LinkInvitation, web.Asking(r).Now)
	if errors.Is(err, store.ErrSpent) {
		return auth.User{}, web.DeadLink(&deadInvitation)
	} else if err != nil {
		return auth.User{}, err
	}
	return h.Store.User(r.Context(), link.User)
}

func (h *Flow) showInvitation(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	u, err := h.invited(r, query["token"])
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "register/invitation", h.newInvitationPage(query["token"], u, u.Name))
}

// postInvitation sets the first password. The login page follows: whoever
// must use two-factor authentication sets it up there.
func (h *Flow) postInvitation(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), web.Asking(r)

	// Read.
	form, err := web.ReadForm(r, "token", "name", "password")
	if err != nil {
		return err
	}
	u, err := h.invited(r, form["token"])
	if err != nil {
		return err
	}

	// Decide.
	page := h.newInvitationPage(form["token"], u, form["name"])
	name, refused := web.ReadName(form["name"])
	page.Name.Error = refused
	owner := address.Address{Spelling: u.Address, Canonical: u.Canonical}
	verdict, err := h.JudgeInvited(ctx, form["password"], owner, name)
	if err != nil {
		return h.refuseForNow(w, r, err, "register/invitation", page.refused)
	}
	if !verdict.Accepted() {
		page.Password.Error = web.PasswordText(verdict)
	}
	page.Summary = ui.Summarize(ui.Text{}, &page.Name, &page.Password)
	if page.HasFailed() {
		return h.Show(w, r, http.StatusUnprocessableEntity, "register/invitation", page)
	}
	hash, err := h.Proof.Hash(ctx, form["password"])
	if err != nil {
		return h.refuseForNow(w, r, err, "register/invitation", page.refused)
	}

	// Write.
	token, _ := secret.Parse(form["token"])
	err = h.Store.AcceptInvitation(ctx, v.Actor(), token.Hash(), name, hash, v.Now)
	if errors.Is(err, store.ErrSpent) {
		return web.DeadLink(&deadInvitation)
	} else if err != nil {
		return err
	}

	// Answer.
	h.Notice(w, "register.doneInvitation")
	return web.Redirect(w, "/login")
}
