package login

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// finish makes the session and gives it to the browser, which was asked for
// its cookie when the attempt was found, or has just been given one.
func (h *Flow) finish(w http.ResponseWriter, r *http.Request, a auth.Attempt) error {
	offer := h.Rules.PasskeyOffer
	if applicationWaits(a.Return) {
		offer = 0
	}
	offers, err := h.FinishLoginOffering(w, r, a, offer)
	if errors.Is(err, store.ErrSpent) {
		return h.startAgain(w, againLate, a.Return)
	} else if err != nil {
		return err
	}
	next := whereTo(a.Return)
	if offers {
		next = "/account/passkeys/offer?" + url.Values{"next": {next}}.Encode()
	}
	return web.Redirect(w, next)
}

// applicationWaits tells that a login is on the way to an application, perhaps in a
// window of its page: nothing comes in between.
func applicationWaits(next string) bool {
	return strings.HasPrefix(next, "/oidc/") || strings.HasPrefix(next, "/forward-auth/")
}

// showLogout asks whoever comes by a link whether to log out: anybody may have
// made it.
func (h *Flow) showLogout(w http.ResponseWriter, r *http.Request) error {
	if held := web.Asking(r).Presence.Session; held.ID == "" || !held.Ended.IsZero() {
		return web.Redirect(w, "/login")
	}
	return h.Show(w, r, http.StatusOK, "login/logout", nil)
}

// logout ends the session that the cookie names.
func (h *Flow) logout(w http.ResponseWriter, r *http.Request) error {
	if _, err := web.ReadForm(r); err != nil {
		return err
	}
	if err := h.Logout(w, r); err != nil {
		return err
	}
	h.Notice(w, "login.doneLogout")
	return web.Redirect(w, "/login")
}
