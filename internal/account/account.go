package account

import (
	"net/http"

	"github.com/twinlock/twinlock/internal/web"
)

func (h *Flow) showSettings(w http.ResponseWriter, r *http.Request) error {
	page, err := h.settingsPage(r)
	if err != nil {
		return err
	}
	return h.Show(w, r, http.StatusOK, "account/settings", page)
}

// settingsPage is the page as it is before anything was typed. Every form of
// it that is refused shows it again, with its own fields marked.
func (h *Flow) settingsPage(r *http.Request) (settingsPage, error) {
	section, err := h.twoFactorSection(r.Context(), web.Asking(r))
	return settingsPage{Applications: web.Asking(r).Policy().OpenIDConnect, Profile: newProfile(web.Asking(r).User(), h.Rules.PasswordMinimum), TwoFactor: section}, err
}
