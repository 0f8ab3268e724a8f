package login

import (
	"errors"
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// finish makes the session and gives it to the browser, which was asked for
// its cookie when the attempt was found, or has just been given one.
func (h *Flow) finish(w http.ResponseWriter, r *http.Request, a auth.Attempt) error {
	_, err := h.FinishLoginHere(w, r, a)
	if errors.Is(err, store.ErrSpent) {
		return h.startAgain(w, againLate)
	} else if err != nil {
		return err
	}
	return web.Redirect(w, whereTo(a.Return))
}

// logout ends the session that the cookie names, lapsed ones too, and asks
// the browser to forget what it kept of us.
func (h *Flow) logout(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	v := web.Asking(r)
	if held := v.Presence.Session; held.ID != "" {
		actor := v.Actor()
		actor.User, actor.Session = v.Presence.User, held
		err := h.Store.EndSession(r.Context(), actor, held.User, held.ID, auth.EventLogout, "logout", v.Now)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	h.DropSession(w)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	h.Notice(w, "login.doneLogout")
	return web.Redirect(w, "/login")
}
