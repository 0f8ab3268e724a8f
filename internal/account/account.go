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
	v := web.Asking(r)
	page := settingsPage{Applications: v.Policy().OpenIDConnect, Profile: newProfile(v.User(), h.Rules.PasswordMinimum)}
	codes, err := h.codesSection(r.Context(), v)
	if err != nil {
		return page, err
	}
	page.TwoFactor = h.twoFactorSection(v, codes)
	if v.Policy().AsksPasskey(v.User()) && (page.TwoFactor == nil || !page.TwoFactor.On()) {
		page.Codes = &codes
	}
	page.Passkeys, err = h.passkeysSection(r)
	return page, err
}
