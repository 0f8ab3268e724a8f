package login

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/secret"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/ui"
	"github.com/twinlock/twinlock/internal/web"
)

// showUnlock only looks: programs that scan mail open every link.
func (h *Flow) showUnlock(w http.ResponseWriter, r *http.Request) error {
	query, err := web.ReadQuery(r, "token")
	if err != nil {
		return err
	}
	token, _ := secret.Parse(query["token"])
	_, err = h.Store.Link(r.Context(), token.Hash(), store.LinkUnlock, web.Asking(r).Now)
	if errors.Is(err, store.ErrSpent) {
		return web.DeadLink(&ui.Button{Label: ui.T("login.toLogin"), Href: "/login"})
	} else if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "login/unlock", unlockPage{Token: query["token"]})
}

// postUnlock opens the doors that failures closed, and changes nothing else.
func (h *Flow) postUnlock(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	form, err := web.ReadForm(r, "token")
	if err != nil {
		return err
	}
	token, _ := secret.Parse(form["token"])
	err = h.Store.Unlock(r.Context(), v.Actor(), token.Hash(), v.Now)
	if errors.Is(err, store.ErrSpent) {
		return web.DeadLink(&ui.Button{Label: ui.T("login.toLogin"), Href: "/login"})
	} else if err != nil {
		return err
	}
	h.Notice(w, "login.doneUnlock")
	return web.Redirect(w, "/login")
}
